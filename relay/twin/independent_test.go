package twin_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// The files of the twin import nothing of this module or of others: a mistake in package
// wire cannot be the twin's, too.
func TestTwinIsIndependent(t *testing.T) {
	all, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	twins := 0
	for _, path := range all {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name.Name != "twin" {
			continue
		}
		twins++
		for _, i := range f.Imports {
			first, _, _ := strings.Cut(strings.Trim(i.Path.Value, `"`), "/")
			if first == "radsec-gw" || strings.Contains(first, ".") {
				t.Errorf("%s imports %s, expected the standard library only", path, i.Path.Value)
			}
		}
	}
	if twins < 10 {
		t.Errorf("%d files are of package twin, expected 10 or more", twins)
	}
}
