package conformance_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What is longer does not fit into a reader's head, nor on the screen.
const (
	longestFunction = 60  // lines
	longestFile     = 400 // lines
)

// tooLong are the functions, by package and name, that are still to be cut. It only ever
// gets shorter.
var tooLong []string

// No function and no file is too long, tests included, generated files excepted.
func TestLengths(t *testing.T) {
	var found []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != ".":
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil || ast.IsGenerated(f) {
			return err
		}
		if n := bytes.Count(text, []byte("\n")); n > longestFile {
			t.Errorf("%s has %d lines, expected at most %d", path, n, longestFile)
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			first, last := files.Position(fn.Pos()).Line, files.Position(fn.End()).Line
			if n := last - first + 1; n > longestFunction {
				name := filepath.ToSlash(filepath.Dir(path)) + " " + fn.Name.Name
				found = append(found, name)
				if !slices.Contains(tooLong, name) {
					t.Errorf("%s:%d: %s has %d lines, expected at most %d", path, first, fn.Name.Name, n, longestFunction)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tooLong {
		if !slices.Contains(found, name) {
			t.Logf("%s is short enough: take it off the list", name)
		}
	}
}
