package compare

import (
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"

	"radsec-gw/bench/peers"
)

// spread is the median of several rounds and their extremes.
type spread struct{ median, low, high float64 }

func spreadOf(values []float64) (spread, bool) {
	if len(values) == 0 {
		return spread{}, false
	}
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return spread{(v[(n-1)/2] + v[n/2]) / 2, v[0], v[n-1]}, true
}

// String is "median (low–high)", or the value alone when all rounds agree.
func (s spread) String() string {
	if number(s.low) == number(s.high) {
		return number(s.median)
	}
	return fmt.Sprintf("%s (%s–%s)", number(s.median), number(s.low), number(s.high))
}

// number has three significant digits, or all of the whole part.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a == math.Trunc(a) || a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// results finds samples by case, subject and metric.
type results []sample

func (r results) values(name string, s peers.Subject, m metric) (byRound map[int]float64) {
	byRound = map[int]float64{}
	for _, one := range r {
		if v, ok := one.Values[m]; ok && one.Case == name && one.Subject == s {
			byRound[one.Round] = v
		}
	}
	return byRound
}

func (r results) spread(name string, s peers.Subject, m metric) (spread, bool) {
	var all []float64
	for _, v := range r.values(name, s, m) {
		all = append(all, v)
	}
	return spreadOf(all)
}

// ofGoal is the spread of a goal's metric, or of its ratio.
func (r results) ofGoal(g goal) (spread, bool) {
	own := r.values(g.of, peers.Gateway, g.metric)
	switch {
	case g.to != "":
		return ratio(own, r.values(g.of, g.to, g.metric))
	case g.toCase != "":
		return ratio(own, r.values(g.toCase, peers.Gateway, g.metric))
	}
	return spreadOf(slices.Collect(maps.Values(own)))
}

// ratio is the spread of the ratios that two programs have in the same round.
func ratio(own, other map[int]float64) (spread, bool) {
	var all []float64
	for round, v := range own {
		if o := other[round]; o > 0 {
			all = append(all, v/o)
		}
	}
	return spreadOf(all)
}

// met reports whether the median reaches the goal.
func (g goal) met(s spread) bool {
	if g.atLeast {
		return s.median >= g.limit
	}
	return s.median <= g.limit
}

var columns = []struct {
	metric metric
	title  string
}{
	{rate, "rate /s"}, {cpu, "CPU µs each"}, {p50, "p50 µs"}, {p99, "p99 µs"}, {p999, "p99.9 µs"},
	{systemCalls, "system calls each"}, {memory, "memory MB"}, {perIdle, "kB per idle connection"}, {resumedShare, "resumed"}, {resent, "resent"}, {lost, "lost"}, {bad, "bad"},
}

// line is the sample in short, for watching.
func (s sample) line() string {
	if s.Error != "" {
		return "failed: " + s.Error
	}
	var parts []string
	for _, c := range columns {
		if v, ok := s.Values[c.metric]; ok {
			parts = append(parts, c.title+" "+number(v))
		}
	}
	return strings.Join(parts, ", ")
}

func printTable(out io.Writer, cases []testCase, who []peers.Subject, samples []sample) error {
	r := results(samples)
	var b strings.Builder
	fmt.Fprintf(&b, "Medians of %d rounds (lowest–highest), %d processors.\n\n", 1+slices.MaxFunc(samples, func(a, b sample) int { return a.Round - b.Round }).Round, runtime.NumCPU())
	b.WriteString("| case | program |")
	rule := "| --- | --- |"
	for _, c := range columns {
		b.WriteString(" " + c.title + " |")
		rule += " --- |"
	}
	b.WriteString("\n" + rule + "\n")
	for _, c := range cases {
		for _, s := range who {
			if c.applies(s) {
				fmt.Fprintf(&b, "| %s | %s |%s\n", c.name, s, r.row(c.name, s))
			}
		}
	}
	if slices.Contains(who, peers.Gateway) {
		b.WriteString("\n| case | goal | measured | met |\n| --- | --- | --- | --- |\n")
		for _, g := range goals {
			if v, ok := r.ofGoal(g); ok {
				fmt.Fprintf(&b, "| %s | %s %s %s | %v | %s |\n", g.of, g.text, map[bool]string{true: "≥", false: "≤"}[g.atLeast], number(g.limit), v, map[bool]string{true: "yes", false: "no"}[g.met(v)])
			}
		}
	}
	if slices.Contains(who, peers.Before) {
		b.WriteString(r.change(cases))
	}
	for _, one := range samples {
		if one.Error != "" {
			fmt.Fprintf(&b, "\nRound %d, %s, %s failed: %s\n", one.Round+1, one.Case, one.Subject, one.Error)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (r results) row(name string, s peers.Subject) string {
	var b strings.Builder
	for _, c := range columns {
		if v, ok := r.spread(name, s, c.metric); ok {
			b.WriteString(" " + v.String() + " |")
		} else {
			b.WriteString(" – |")
		}
	}
	return b.String()
}

// change returns a table of the gateway's values, divided by those of the build before it.
func (r results) change(cases []testCase) string {
	var b strings.Builder
	b.WriteString("\n| case | value | now / before |\n| --- | --- | --- |\n")
	for _, c := range cases {
		for _, column := range columns {
			now, before := r.values(c.name, peers.Gateway, column.metric), r.values(c.name, peers.Before, column.metric)
			if v, ok := ratio(now, before); ok {
				fmt.Fprintf(&b, "| %s | %s | %v |\n", c.name, column.title, v)
			}
		}
	}
	return b.String()
}
