package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// baseline is what a test does when nothing is changed.
type baseline struct {
	Took   time.Duration
	Cost   time.Duration // of processor time
	Sites  map[int]bool  // the places of mutants that it reaches
	Failed bool
}

// measure fills in the baselines of all tests: from an earlier run when neither
// the mutants nor the files of their package have changed, else by running them.
// It returns the tests that fail, and those that are too slow to be run for each
// mutant.
func measure(binaries []*binary, dir string, o *options, c *cache, overlay string) (failed, slow []*test, err error) {
	var todo []*test
	for _, b := range binaries {
		if !c.readBaseline(b, overlay) {
			todo = append(todo, b.tests...)
		}
	}
	if err := runBaselines(todo, dir, o); err != nil {
		return nil, nil, err
	}
	for _, b := range binaries {
		if err := c.writeBaseline(b, overlay); err != nil {
			return nil, nil, err
		}
		for _, t := range b.tests {
			t.skip = t.Failed || t.Cost > o.slow
			switch {
			case t.Failed:
				failed = append(failed, t)
			case t.skip:
				slow = append(slow, t)
			}
		}
	}
	return failed, slow, nil
}

// runBaselines runs each test three times, because one that fails by chance would kill any
// mutant; a slow one once, because it is skipped. The first run records what the test
// reaches.
func runBaselines(all []*test, dir string, o *options) error {
	var mu sync.Mutex
	var errs []error
	each(o.jobs, len(all), func(i int) {
		t := all[i]
		file := filepath.Join(dir, fmt.Sprintf("reached%d", i))
		began := time.Now()
		limit := 10 * o.slow // the machine may be busy
		r := t.binary.start([]string{t.name}, -1, limit, "MUTANT_REACHED="+file)
		t.Took, t.Cost, t.Failed = time.Since(began), r.cost, r.failed && !r.timeout
		if r.timeout {
			t.Cost = max(t.Cost, limit)
		}
		var err error
		if t.Sites, err = readSites(file); err != nil {
			mu.Lock()
			errs = append(errs, err)
			mu.Unlock()
		}
		for range 2 {
			if t.Cost > o.slow {
				break
			}
			t.Failed = t.Failed || t.binary.start([]string{t.name}, -1, 2*limit).failed
		}
	})
	return errors.Join(errs...)
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

// baselineFile names the file with the baselines of a package's tests.
func (c *cache) baselineFile(b *binary, overlay string) string {
	files, _ := json.Marshal(c.hashes[b.pkg.path])
	sum := sha256.Sum256([]byte(overlay + b.pkg.path + string(files)))
	return filepath.Join(filepath.Dir(c.file), "baseline-"+hex.EncodeToString(sum[:8])+".json")
}

// readBaseline reports whether the baselines of an earlier run are there.
func (c *cache) readBaseline(b *binary, overlay string) bool {
	if c.file == "" {
		return false
	}
	text, err := os.ReadFile(c.baselineFile(b, overlay))
	if err != nil {
		return false
	}
	var known map[string]baseline
	if json.Unmarshal(text, &known) != nil {
		return false
	}
	for _, t := range b.tests {
		var ok bool
		if t.baseline, ok = known[t.name]; !ok {
			return false
		}
	}
	return true
}

func (c *cache) writeBaseline(b *binary, overlay string) error {
	if c.file == "" {
		return nil
	}
	known := map[string]baseline{}
	for _, t := range b.tests {
		known[t.name] = t.baseline
	}
	text, err := json.Marshal(known)
	if err != nil {
		return err
	}
	return os.WriteFile(c.baselineFile(b, overlay), text, 0o600)
}
