package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// report gathers what became of the mutants.
type report struct {
	entries  map[string]*entry
	outcomes map[*mutant]outcome
	sizes    map[string]int // how many mutants a group has, run or not
	problems []string
}

func newReport(entries map[string]*entry, all []*mutant) *report {
	r := &report{entries: entries, outcomes: map[*mutant]outcome{}, sizes: map[string]int{}}
	for _, m := range all {
		r.sizes[m.src.pkg.group]++
	}
	return r
}

func (r *report) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// survives reports whether a mutant survives without being accepted.
func (r *report) survives(m *mutant) bool {
	e, _ := accepted(r.entries, m)
	return e == nil && !r.outcomes[m].Killed
}

// total is the line of one package.
type total struct{ mutants, killed, timeouts, accepted, survivors int }

// print writes every survivor, then the totals.
func (r *report) print(w io.Writer, mutants []*mutant) {
	totals := map[string]*total{}
	for _, m := range mutants {
		t := totals[m.src.pkg.group]
		if t == nil {
			t = new(total)
			totals[m.src.pkg.group] = t
		}
		o := r.outcomes[m]
		t.mutants++
		switch {
		case r.survives(m):
			t.survivors++
			why := "survives"
			if !o.Reached {
				why = "survives, no test reaches it"
			}
			fmt.Fprintf(w, "\n%s: %s\n%s", why, m.key, m.diff())
		case !o.Killed:
			t.accepted++
		default:
			t.killed++
			if o.Timeout {
				t.timeouts++
			}
			if e, exact := accepted(r.entries, m); exact {
				r.problem("accepted:%d: %s kills this mutant now; take it off the list: %s", e.line, o.By, m.key)
			}
		}
	}
	fmt.Fprintf(w, "\n%-10s %8s %8s %14s %9s %10s %12s\n", "package", "mutants", "killed", "(by timeout)", "accepted", "survivors", "% not killed")
	for _, g := range groups {
		if t := totals[g.name]; t != nil {
			fmt.Fprintf(w, "%-10s %8d %8d %14d %9d %10d %11.1f%%\n", g.name, t.mutants, t.killed, t.timeouts, t.accepted, t.survivors,
				100*float64(t.accepted+t.survivors)/float64(t.mutants))
		}
	}
}

// survivorKeys returns a line for each survivor that is not accepted.
func (r *report) survivorKeys(mutants []*mutant) string {
	var b strings.Builder
	for _, m := range mutants {
		if r.survives(m) {
			fmt.Fprintln(&b, m.key)
		}
	}
	return b.String()
}

// err returns why the run is a failure: more survivors than a group may have, and
// mistakes in the list of accepted ones.
func (r *report) err() error {
	var errs []error
	for _, p := range r.problems {
		errs = append(errs, errors.New(p))
	}
	survivors := map[string]int{}
	for m := range r.outcomes {
		if r.survives(m) {
			survivors[m.src.pkg.group]++
		}
	}
	for _, g := range groups {
		n := survivors[g.name]
		if most := int(g.bound / 100 * float64(r.sizes[g.name])); n > most {
			errs = append(errs, fmt.Errorf("%s: %d mutants survive that tools/mutants/accepted does not list, expected at most %d", g.name, n, most))
		}
	}
	return errors.Join(errs...)
}
