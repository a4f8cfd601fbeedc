package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// test is one test function.
type test struct {
	binary *binary
	name   string
	baseline
	skip bool // it fails with nothing changed, or is too slow
}

func (t *test) String() string { return t.binary.pkg.path + "." + t.name }

// result is how a run of a test binary ended.
type result struct {
	failed  bool
	timeout bool
	cost    time.Duration // of processor time
	output  string
}

// start runs tests of one binary; mutant -1 changes nothing. It gives up after
// limit of wall-clock time, and with a mutant when the process is stuck for a part of
// that.
func (b *binary) start(names []string, mutant int, limit time.Duration, env ...string) result {
	// The binary's own timeout prints where it hangs; the other is for one that
	// does not get that far.
	ctx, cancel := context.WithTimeout(context.Background(), limit+2*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.file, "-test.run=^("+strings.Join(names, "|")+")$", "-test.short", "-test.failfast", "-test.count=1", "-test.timeout="+limit.String())
	cmd.Dir = b.pkg.Dir
	cmd.Env = append(os.Environ(), append(env, "MUTANT="+strconv.Itoa(mutant))...)
	out := &head{}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, time.Second
	err := cmd.Start()
	if err == nil {
		if mutant >= 0 {
			go cancelStuck(ctx, cancel, cmd.Process.Pid, limit/4)
		}
		err = cmd.Wait()
	}
	text := out.String()
	r := result{failed: err != nil, timeout: ctx.Err() != nil || strings.Contains(text, "panic: test timed out"), output: text}
	if cmd.ProcessState != nil {
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signal() == syscall.SIGKILL {
			r.timeout = true
		}
		r.cost = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	return r
}

// head keeps the first 64 KiB that are written to it.
type head struct{ bytes.Buffer }

func (h *head) Write(p []byte) (int, error) {
	if rest := 1<<16 - h.Len(); rest > 0 {
		h.Buffer.Write(p[:min(rest, len(p))])
	}
	return len(p), nil
}

var failedLine = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// batch is tests of one binary that run in one process.
type batch struct {
	binary *binary
	names  []string
	took   time.Duration
	cost   time.Duration // of processor time
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
			if !t.skip && t.Sites[m.site] {
				tests = append(tests, t)
			}
		}
	}
	cost := func(t *test) time.Duration {
		if t.binary.pkg.path == m.src.pkg.path {
			return t.Took
		}
		return t.Took + quick
	}
	slices.SortStableFunc(tests, func(a, b *test) int { return int(cost(a) - cost(b)) })
	for _, t := range tests {
		i := slices.IndexFunc(batches, func(b batch) bool { return b.binary == t.binary && b.took+t.Took <= quick })
		if i < 0 {
			i = len(batches)
			batches = append(batches, batch{binary: t.binary})
		}
		batches[i].names = append(batches[i].names, t.name)
		batches[i].took += t.Took
		batches[i].cost += t.Cost
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
		// Processor time stops an endless loop early however busy the machine
		// is, the clock what waits forever.
		seconds := 2 + int((10 * b.cost).Seconds())
		r := b.binary.start(b.names, m.id, least+10*b.took, "MUTANT_SECONDS="+strconv.Itoa(seconds))
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
