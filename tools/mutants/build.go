package main

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed schema.go.txt
var schemaText string

// binary is a compiled test binary of one package, with all mutants in it.
type binary struct {
	pkg   *pkg
	file  string
	tests []*test
}

// overlay is the file that `go build -overlay` reads: which file replaces which.
type overlay struct {
	Replace map[string]string
	sum     [sha256.Size]byte // of all that was put into it
}

func (o *overlay) put(dir, path string, text []byte) error {
	if o.Replace == nil {
		o.Replace = map[string]string{}
	}
	name := filepath.Join(dir, fmt.Sprintf("f%d.go", len(o.Replace)))
	o.Replace[path] = name
	o.sum = sha256.Sum256(slices.Concat(o.sum[:], []byte(path), text))
	return os.WriteFile(name, text, 0o600)
}

func (o *overlay) write(dir string) (string, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, text, 0o600)
}

// scanAll finds the mutants of all targets and writes the changed files to dir.
// It returns the overlay's name, and a hash of its contents.
func (p *project) scanAll(dir string) (mutants []*mutant, name, sum string, err error) {
	s := &scanner{project: p, counts: map[string]int{}}
	var o overlay
	for _, t := range p.targets {
		sources, err := p.parse(t)
		if err != nil {
			return nil, "", "", err
		}
		for _, src := range sources {
			if err := o.put(dir, filepath.Join(p.root, src.path), s.scan(src)); err != nil {
				return nil, "", "", err
			}
		}
	}
	text := strings.Replace(schemaText, "[MUTANTS]", "["+strconv.Itoa(len(s.mutants)+1)+"]", 1)
	if err := o.put(dir, filepath.Join(p.root, "mutantschema", "schema.go"), []byte(text)); err != nil {
		return nil, "", "", err
	}
	name, err = o.write(dir)
	return s.mutants, name, hex.EncodeToString(o.sum[:]), err
}

// build compiles the tests of all packages, jobs at a time, and lists them.
func (p *project) build(dir, overlay string, jobs int) ([]*binary, error) {
	binaries := make([]*binary, len(p.tests))
	errs := make([]error, len(p.tests))
	each(jobs, len(p.tests), func(i int) {
		b := &binary{pkg: p.tests[i], file: filepath.Join(dir, strings.ReplaceAll(p.tests[i].path, "/", "_")+".test")}
		binaries[i] = b
		cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay="+overlay, "-o", b.file, b.pkg.ImportPath)
		cmd.Dir = p.root
		if out, err := cmd.CombinedOutput(); err != nil {
			errs[i] = fmt.Errorf("compiling the tests of %s with the mutants: %w\n%s", b.pkg.path, err, out)
			return
		}
		out, err := exec.Command(b.file, "-test.list", "^(Test|Fuzz|Example)").Output()
		if err != nil {
			errs[i] = fmt.Errorf("listing the tests of %s: %w", b.pkg.path, err)
			return
		}
		for _, name := range strings.Fields(string(out)) {
			b.tests = append(b.tests, &test{binary: b, name: name})
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return binaries, nil
}

// each calls f with 0 to n-1, jobs at a time.
func each(jobs, n int, f func(i int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range max(jobs, 1) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}
