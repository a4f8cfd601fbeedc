package dict

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// No other package has a dictionary: none imports the library's, and none names more
// than a few attributes. Their users look attributes up here.
func TestThereIsOneDictionary(t *testing.T) {
	const few = 4
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (path == "wire/dict" || path == "tools" || strings.HasPrefix(entry.Name(), ".") && path != "."):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		imports, names := literals(t, path, text)
		for _, other := range imports {
			if other == "layeh.com/radius/debug" || other == "layeh.com/radius/dictionary" {
				t.Errorf("%s imports %s, expected it to use wire/dict", path, other)
			}
		}
		if len(names) > few {
			t.Errorf("%s names %d attributes, expected it to use wire/dict: %q", path, len(names), slices.Sorted(maps.Keys(names)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// literals returns what a file of Go imports, and the names of attributes among its
// strings.
func literals(t *testing.T, path string, text []byte) (imports []string, names map[string]bool) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	names = map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		if s, err := strconv.Unquote(literal.Value); err == nil && ByName(s) != nil {
			names[s] = true
		}
		return true
	})
	for _, spec := range file.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil {
			imports = append(imports, path)
		}
	}
	return imports, names
}
