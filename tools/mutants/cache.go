package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// cache remembers what became of mutants in earlier runs, by key. A kill counts
// as long as the code that its test runs and the test files that were there are
// the same; tests that were added cannot undo it. A survivor counts as long as
// nothing at all has changed.
type cache struct {
	mu      sync.Mutex
	file    string
	Results map[string]cached
	Sets    map[string]map[string]string // of files, with their hashes

	hashes map[string]map[string]string // by package: its files, and those of the packages that it imports
}

type cached struct {
	Outcome outcome
	Files   string // the name in Sets of those that it depends on
}

// newCache returns an empty cache; without a file it is not kept.
func newCache(file string) *cache {
	return &cache{file: file, Results: map[string]cached{}, Sets: map[string]map[string]string{}, hashes: map[string]map[string]string{}}
}

func openCache(dir string, p *project) (*cache, error) {
	c := newCache(filepath.Join(dir, "results.json"))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	switch text, err := os.ReadFile(c.file); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		json.Unmarshal(text, c) // a spoilt cache is an empty one
	}
	return c, c.hashAll(p)
}

// hashAll hashes the files of every package with tests, and of what it imports
// of this module.
func (c *cache) hashAll(p *project) error {
	known := map[string]string{}
	for _, t := range p.tests {
		files := map[string]string{}
		deps, err := list(p.root, "-deps", "-test", t.ImportPath)
		if err != nil {
			return err
		}
		for _, d := range deps {
			if d.Standard || !strings.HasPrefix(d.Dir, p.root) {
				continue
			}
			names := slices.Concat(d.GoFiles, d.SFiles)
			if d.ImportPath == t.ImportPath {
				names = slices.Concat(names, d.TestGoFiles, d.XTestGoFiles, testdata(d.Dir))
			}
			for _, name := range names {
				if filepath.IsAbs(name) { // the main function of a test, made by go list
					continue
				}
				if path, err := filepath.Rel(p.root, filepath.Join(d.Dir, name)); err == nil {
					if files[path], err = hash(p.root, path, known); err != nil {
						return err
					}
				}
			}
		}
		c.hashes[t.path] = files
	}
	return nil
}

// testdata returns the files below a package's testdata.
func testdata(dir string) (names []string) {
	filepath.WalkDir(filepath.Join(dir, "testdata"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return nil
	})
	return names
}

func hash(root, path string, known map[string]string) (string, error) {
	if h, ok := known[path]; ok {
		return h, nil
	}
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	known[path] = hex.EncodeToString(sum[:8])
	return known[path], nil
}

// look returns the outcome of an earlier run when it still counts.
func (c *cache) look(m *mutant) (outcome, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.Results[m.key]
	if !ok {
		return outcome{}, false
	}
	now, then := c.depends(r.Outcome), c.Sets[r.Files]
	for file, h := range then {
		if now[file] != h {
			return outcome{}, false
		}
	}
	return r.Outcome, r.Outcome.Killed && len(then) > 0 || maps.Equal(now, then)
}

// depends returns the files that an outcome depends on: of the package whose
// test killed the mutant, of all for a survivor.
func (c *cache) depends(o outcome) map[string]string {
	if o.Killed {
		path, _, _ := strings.Cut(o.By, ".")
		return c.hashes[path]
	}
	all := map[string]string{}
	for _, files := range c.hashes {
		maps.Copy(all, files)
	}
	return all
}

func (c *cache) put(m *mutant, o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	files := c.depends(o)
	text, _ := json.Marshal(files) // with its keys in order
	sum := sha256.Sum256(text)
	name := hex.EncodeToString(sum[:8])
	c.Sets[name] = files
	c.Results[m.key] = cached{o, name}
}

// save writes the cache so that it is whole whenever the run is stopped.
func (c *cache) save() error {
	if c.file == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.file+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(c.file+".new", c.file)
}
