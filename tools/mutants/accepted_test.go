package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAcceptedMistakes(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"key\n", "accepted:1: expected the reason"},
		{"\treason\n", "accepted:1: expected a mutant's key"},
		{"key\n\treason\nkey\n\treason\n", "accepted:3: this mutant is already on line 1"},
	} {
		file := filepath.Join(t.TempDir(), "accepted")
		if err := os.WriteFile(file, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readAccepted(file); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%q: expected an error with %q, got %v", row.text, row.want, err)
		}
	}
}

// Each entry of the list is a mutant of the code as it is now: whoever edits the code has
// to edit the entry too.
func TestAcceptedExist(t *testing.T) {
	root := filepath.Join("..", "..")
	entries, err := readAccepted(filepath.Join(root, "tools", "mutants", "accepted"))
	if err != nil || len(entries) < 100 {
		t.Fatalf("%d accepted mutants: %v", len(entries), err)
	}
	p, err := load(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, _, _, err := p.scanAll(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range stale(entries, all, p) {
		t.Errorf("accepted:%d: there is no such mutant: %s", e.line, e.key)
	}
}
