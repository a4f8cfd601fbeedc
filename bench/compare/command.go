package compare

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"radsec-gw/bench/material"
	"radsec-gw/bench/peers"
	"radsec-gw/bench/process"
)

// Command is `bench compare`: it measures and prints Markdown to out.
func Command(ctx context.Context, fs *flag.FlagSet, args []string, out io.Writer) error {
	names := fs.String("case", strings.Join(allCases, ","), "comma-separated cases; "+caseSyntax)
	subjects := fs.String("subjects", "radsec-gw,radsecproxy,floor", "comma-separated programs to measure")
	rounds := fs.Int("rounds", 5, "rounds; every program is measured once in each, in turn")
	warmup := fs.Duration("warmup", time.Second, "time not counted in each measurement")
	duration := fs.Duration("duration", 3*time.Second, "time counted in each measurement")
	gateway := fs.String("gateway", "", "path of radsec-gw; empty: build ./cmd/radsec-gw")
	before := fs.String("before", "", "path of another build of radsec-gw, for instance the one before a change:\nmeasured in turn with the others, as program \"before\"")
	calls := fs.Bool("system-calls", true, "count system calls (needs perf and root)")
	file := fs.String("json", "", "file to write all samples to")
	if err := fs.Parse(args); err != nil {
		return err
	}
	cases, who, err := selected(*names, *subjects)
	if err != nil {
		return err
	}
	if *before != "" {
		if !slices.Contains(who, peers.Gateway) {
			return fmt.Errorf("-before compares with %s: expected it in -subjects, got %q", peers.Gateway, *subjects)
		}
		who = append(who, peers.Before)
	}
	dir, err := os.MkdirTemp("", "radsec-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := &runner{dir: dir, gateway: *gateway, before: *before, warmup: *warmup, duration: *duration, settle: 2 * time.Second, calls: *calls, peak: map[peers.Subject]float64{}}
	if err := r.prepare(ctx, who); err != nil {
		return err
	}
	samples, err := r.rounds(ctx, *rounds, cases, who)
	if err != nil {
		return err
	}
	if *file != "" {
		b, err := json.MarshalIndent(samples, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(*file, b, 0o644); err != nil {
			return err
		}
	}
	return printTable(out, cases, who, samples)
}

func selected(names, subjects string) (cases []testCase, who []peers.Subject, err error) {
	for name := range strings.SplitSeq(names, ",") {
		c, err := parseCase(strings.TrimSpace(name))
		if err != nil {
			return nil, nil, err
		}
		cases = append(cases, c)
	}
	for name := range strings.SplitSeq(subjects, ",") {
		s := peers.Subject(strings.TrimSpace(name))
		if s != peers.Gateway && s != peers.Radsecproxy && s != peers.Floor {
			return nil, nil, fmt.Errorf("subject %q: expected %s, %s or %s", s, peers.Gateway, peers.Radsecproxy, peers.Floor)
		}
		if err := s.Installed(); err != nil {
			return nil, nil, err
		}
		who = append(who, s)
	}
	return cases, who, nil
}

// prepare makes certificates, builds the gateway and raises the limit of open files.
func (r *runner) prepare(ctx context.Context, who []peers.Subject) (err error) {
	debug.SetGCPercent(400) // the generator's garbage is not what is measured
	if err := process.RaiseFileLimit(); err != nil {
		return err
	}
	if r.bench, err = os.Executable(); err != nil {
		return err
	}
	certs := filepath.Join(r.dir, "certs")
	if err := os.Mkdir(certs, 0o755); err != nil {
		return err
	}
	if r.files, err = material.Write(certs); err != nil {
		return err
	}
	if r.client, err = r.files.Client(); err != nil {
		return err
	}
	for _, s := range who {
		if s == peers.Gateway && r.gateway == "" {
			if r.gateway, err = process.Build(ctx, r.dir, "radsec-gw/cmd/radsec-gw"); err != nil {
				return fmt.Errorf("%w (run this in the repository, or give -gateway)", err)
			}
		}
	}
	// The programs are started in directories of their own.
	for _, path := range []*string{&r.gateway, &r.before} {
		if *path != "" {
			if *path, err = filepath.Abs(*path); err != nil {
				return err
			}
		}
	}
	return nil
}

// rounds measures everything, the programs taking turns; in each round another
// one is first. A measurement that fails is noted and the rest goes on.
func (r *runner) rounds(ctx context.Context, rounds int, cases []testCase, who []peers.Subject) ([]sample, error) {
	var samples []sample
	for round := range rounds {
		for _, c := range cases {
			for i := range who {
				s := who[(i+round)%len(who)]
				if !c.applies(s) {
					continue
				}
				v, err := r.measure(ctx, c, s)
				if ctx.Err() != nil {
					return nil, errors.New("stopped")
				}
				one := sample{Case: c.name, Subject: s, Round: round, Values: v}
				if err != nil {
					one.Error = err.Error()
				}
				samples = append(samples, one)
				fmt.Fprintf(os.Stderr, "round %d of %d  %-20s %-12s %s\n", round+1, rounds, c.name, s, one.line())
			}
		}
	}
	return samples, nil
}
