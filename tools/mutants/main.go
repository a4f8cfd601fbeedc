package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// options are the flags.
type options struct {
	root      string
	packages  string
	run       string
	list      bool
	least     time.Duration
	jobs      int
	shard     string
	survivors string
	out       string
	cache     string
	accepted  bool
	slow      time.Duration
}

func main() {
	err := command(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func command(args []string) error {
	rules := len(args) > 0 && args[0] == "rules"
	if rules {
		args = args[1:]
	}
	var o options
	f := flag.NewFlagSet("mutants", flag.ExitOnError)
	f.StringVar(&o.root, "root", "", "the repository; found from the working directory otherwise")
	f.StringVar(&o.packages, "package", "", "only these packages, with commas between: wire, relay, routing, identity, udpback")
	f.StringVar(&o.run, "run", "", "only mutants whose key, or rules whose first line, matches this regular expression")
	f.BoolVar(&o.list, "list", false, "print the keys, run nothing")
	f.DurationVar(&o.least, "timeout", 10*time.Second, "what a test gets in addition to ten times its usual time")
	f.IntVar(&o.jobs, "j", runtime.NumCPU(), "test processes at a time")
	f.StringVar(&o.shard, "shard", "", "only the n-th of m parts: n/m")
	f.StringVar(&o.survivors, "survivors", "", "only the mutants whose keys are the lines of this file")
	f.StringVar(&o.out, "o", "", "write the keys of the survivors to this file")
	f.StringVar(&o.cache, "cache", "", "directory for the results of earlier runs, \"off\" for none; in the user's cache otherwise")
	f.BoolVar(&o.accepted, "accepted", false, "run accepted survivors too, and name those that are killed")
	f.DurationVar(&o.slow, "slow", 2*time.Second, "tests that need more processor time than this are skipped, and named")
	f.Parse(args)
	if f.NArg() > 0 {
		return fmt.Errorf("expected flags only, or rules first, got %q", f.Args())
	}
	if err := o.findRoot(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if rules {
		return breakRules(&o, dir)
	}
	return mutate(&o, dir)
}

// findRoot looks for the directory of this module, upwards.
func (o *options) findRoot() error {
	dir, err := filepath.Abs(o.root)
	if err != nil {
		return err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module "+module+"\n") {
			o.root = dir
			return nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return errors.New("the working directory is not in the repository; -root names it")
		}
		dir = up
	}
}

// mutate is the command without "rules".
func mutate(o *options, dir string) error {
	began := time.Now()
	entries, err := readAccepted(filepath.Join(o.root, "tools", "mutants", "accepted"))
	if err != nil {
		return err
	}
	var names []string
	if o.packages != "" {
		names = strings.Split(o.packages, ",")
	}
	p, err := load(o.root, names)
	if err != nil {
		return err
	}
	all, overlay, sum, err := p.scanAll(dir)
	if err != nil {
		return err
	}
	chosen, err := o.choose(all)
	if err != nil {
		return err
	}
	if o.list {
		for _, m := range chosen {
			fmt.Println(m.key)
		}
		return nil
	}
	r := newReport(entries, all)
	for _, e := range stale(entries, all, p) {
		r.problem("accepted:%d: there is no such mutant: %s", e.line, e.key)
	}
	if err := runAll(o, p, dir, overlay, sum, chosen, r); err != nil {
		return err
	}
	r.print(os.Stdout, chosen)
	fmt.Printf("%d mutants in %v\n", len(chosen), time.Since(began).Round(time.Second))
	if o.out != "" {
		if err := os.WriteFile(o.out, []byte(r.survivorKeys(chosen)), 0o600); err != nil {
			return err
		}
	}
	return r.err()
}

// choose returns the mutants that the flags ask for.
func (o *options) choose(all []*mutant) (chosen []*mutant, err error) {
	pattern, err := regexp.Compile(o.run)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	part, parts := 1, 1
	if o.shard != "" {
		if _, err := fmt.Sscanf(o.shard, "%d/%d", &part, &parts); err != nil || part < 1 || part > parts {
			return nil, fmt.Errorf("-shard %s: expected n/m, n from 1 to m", o.shard)
		}
	}
	var only []string
	if o.survivors != "" {
		text, err := os.ReadFile(o.survivors)
		if err != nil {
			return nil, err
		}
		only = strings.Split(string(text), "\n")
	}
	for i, m := range all {
		if pattern.MatchString(m.key) && i%parts == part-1 && (only == nil || slices.Contains(only, m.key)) {
			chosen = append(chosen, m)
		}
	}
	return chosen, nil
}

// remembered opens the cache that the flags name; it is empty when they say so.
func (o *options) remembered(p *project) (*cache, error) {
	switch o.cache {
	case "off":
		return newCache(""), nil
	case "":
		base, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		o.cache = filepath.Join(base, module+"-mutants")
	}
	return openCache(o.cache, p)
}

// runAll runs the chosen mutants, those of which nothing is known yet.
func runAll(o *options, p *project, dir, overlay, sum string, chosen []*mutant, r *report) error {
	known, err := o.remembered(p)
	if err != nil {
		return err
	}
	var todo []*mutant
	for _, m := range chosen {
		_, exact := accepted(r.entries, m)
		if out, ok := known.look(m); ok {
			r.outcomes[m] = out
		} else if !exact || o.accepted {
			todo = append(todo, m)
		}
	}
	fmt.Printf("%d mutants, %d of them to run\n", len(chosen), len(todo))
	if len(todo) == 0 {
		return nil
	}
	began := time.Now()
	binaries, err := p.build(dir, overlay, o.jobs)
	if err != nil {
		return err
	}
	failed, slow, err := measure(binaries, dir, o, known, sum)
	if err != nil {
		return err
	}
	for _, t := range failed {
		fmt.Printf("skipped, because it fails with nothing changed: %s\n", t)
	}
	for _, t := range slow {
		fmt.Printf("skipped, because it takes %v: %s\n", t.Cost.Round(100*time.Millisecond), t)
	}
	fmt.Printf("compiled, and each test run, in %v\n", time.Since(began).Round(time.Second))
	outcomes := make([]outcome, len(todo))
	var done atomic.Int64
	each(o.jobs, len(todo), func(i int) {
		outcomes[i] = run(todo[i], binaries, o.least)
		known.put(todo[i], outcomes[i])
		if n := done.Add(1); n%200 == 0 {
			fmt.Printf("%d of %d run, %v\n", n, len(todo), time.Since(began).Round(time.Second))
			known.save() // the last save reports errors
		}
	})
	for i, m := range todo {
		r.outcomes[m] = outcomes[i]
	}
	return known.save()
}
