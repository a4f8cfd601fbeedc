package main

import (
	"os"
	"path/filepath"
	"testing"
)

// sample writes a module like this one, with one package and its tests.
func sample(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	files["go.mod"] = "module radsec-gw\n\ngo 1.26\n"
	for name, text := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const sampleCode = `package wire

import "errors"

type size uint8

const most = 7

var errBig = errors.New("big")

// All has one place for every operator.
func All(b []byte, s size, ok bool) (n int, err error) {
	if len(b) < most || !ok && s&3 == 1 {
		return 0, errBig
	}
	copy(b[0:1], b)
	for _, c := range b[1:] {
		if c == 0 {
			continue
		}
		n += int(c)
		n++
	}
	switch s {
	case 2:
		n = n - 1
		n <<= 2
	default:
	}
	return n, nil
}

func loop(next func() bool) int {
	for i := 0; ; i++ {
		if next() {
			return i
		}
	}
}

func (s size) String() string { return "size" + string(rune('0'+s%10)) }
`

func scanSample(t *testing.T, root string) (mutants []*mutant, p *project, text string) {
	t.Helper()
	p, err := load(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mutants, _, _, err = p.scanAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := os.ReadFile(filepath.Join(dir, "f0.go"))
	if err != nil {
		t.Fatal(err)
	}
	return mutants, p, string(changed)
}
