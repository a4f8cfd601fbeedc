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
