package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// test is one test function.
type test struct {
	binary *binary
	name   string
	took   time.Duration
	sites  map[int]bool // the places of mutants that it reaches
	failed bool         // with nothing changed
}

func (t *test) String() string { return t.binary.pkg.path + "." + t.name }

// result is how a run of a test binary ended.
type result struct {
	failed  bool
	timeout bool
	output  string
}

// start runs tests of one binary; mutant -1 changes nothing. It gives up after
// limit of wall-clock time.
func (b *binary) start(names []string, mutant int, limit time.Duration, env ...string) result {
	// The binary's own timeout prints where it hangs; the other is for one that
	// does not even come to that.
	ctx, cancel := context.WithTimeout(context.Background(), limit+2*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.file, "-test.run=^("+strings.Join(names, "|")+")$", "-test.failfast", "-test.count=1", "-test.timeout="+limit.String())
	cmd.Dir = b.pkg.Dir
	cmd.Env = append(os.Environ(), append(env, "MUTANT="+strconv.Itoa(mutant))...)
	out := &head{}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, time.Second
	err := cmd.Run()
	text := out.String()
	return result{err != nil, ctx.Err() != nil || strings.Contains(text, "panic: test timed out"), text}
}

// head keeps the first octets that are written to it.
type head struct{ bytes.Buffer }

func (h *head) Write(p []byte) (int, error) {
	if room := 1<<16 - h.Len(); room > 0 {
		h.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

var failedLine = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// baseline runs every test three times with nothing changed: alone, writing down
// what it reaches, then twice beside others. It returns those that failed.
func baseline(binaries []*binary, dir string, jobs int) (failed []*test, err error) {
	var all []*test
	for _, b := range binaries {
		all = append(all, b.tests...)
	}
	var errs []error
	each(1, len(all), func(i int) {
		t := all[i]
		file := filepath.Join(dir, fmt.Sprintf("reached%d", i))
		began := time.Now()
		t.failed = t.binary.start([]string{t.name}, -1, 5*time.Minute, "MUTANT_REACHED="+file).failed
		t.took = time.Since(began)
		if t.sites, err = readSites(file); err != nil {
			errs = append(errs, err)
		}
	})
	each(jobs, 2*len(all), func(i int) {
		t := all[i%len(all)]
		if i >= len(all) && t.took > 5*time.Second {
			return
		}
		if t.binary.start([]string{t.name}, -1, 5*time.Minute).failed {
			t.failed = true
		}
	})
	for _, t := range all {
		if t.failed {
			failed = append(failed, t)
		}
	}
	return failed, errors.Join(errs...)
}

// readSites reads what a test has reached: nothing when there is no file.
func readSites(file string) (map[int]bool, error) {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	sites := map[int]bool{}
	for _, f := range strings.Fields(string(text)) {
		n, err := strconv.Atoi(f)
		if err != nil {
			return nil, fmt.Errorf("%s: expected numbers of mutants: %w", file, err)
		}
		sites[n] = true
	}
	return sites, nil
}

// batch is tests of one binary that run in one process.
type batch struct {
	binary *binary
	names  []string
	took   time.Duration
}

// quick is how much is run in one process: starting one for each test would take
// longer than the tests.
const quick = 300 * time.Millisecond

// plan returns the tests that reach a mutant, the fastest first, those of its own
// package before others.
func plan(m *mutant, binaries []*binary) (batches []batch) {
	var tests []*test
	for _, b := range binaries {
		for _, t := range b.tests {
			if !t.failed && t.sites[m.site] {
				tests = append(tests, t)
			}
		}
	}
	cost := func(t *test) time.Duration {
		if t.binary.pkg.path == m.src.pkg.path {
			return t.took
		}
		return t.took + quick
	}
	slices.SortStableFunc(tests, func(a, b *test) int { return int(cost(a) - cost(b)) })
	for _, t := range tests {
		i := slices.IndexFunc(batches, func(b batch) bool { return b.binary == t.binary && b.took+t.took <= quick })
		if i < 0 {
			i = len(batches)
			batches = append(batches, batch{binary: t.binary})
		}
		batches[i].names = append(batches[i].names, t.name)
		batches[i].took += t.took
	}
	return batches
}

// outcome is what became of a mutant.
type outcome struct {
	Killed  bool
	Timeout bool   // killed so
	By      string // "wire.TestCut"; only the package's name when its test is not known
	Reached bool   // by any test
}

// run runs the tests that reach a mutant until one fails.
func run(m *mutant, binaries []*binary, least time.Duration) outcome {
	batches := plan(m, binaries)
	for _, b := range batches {
		r := b.binary.start(b.names, m.id, least+10*b.took)
		if !r.failed {
			continue
		}
		by := b.binary.pkg.path
		if match := failedLine.FindStringSubmatch(r.output); match != nil {
			by += "." + match[1]
		} else if len(b.names) == 1 {
			by += "." + b.names[0]
		}
		return outcome{Killed: true, Timeout: r.timeout, By: by, Reached: true}
	}
	return outcome{Reached: len(batches) > 0}
}
