package conformance_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// anyImports are the folders whose packages may import anything: the gateway is not built
// from them.
var anyImports = []string{"bench", "docker", "interop", "packaging", "tools"}

// Each package that the gateway is built from has an entry in .depguard.yml, because one
// without may import anything, and each entry has its package.
func TestEachPackageHasItsImports(t *testing.T) {
	text, err := os.ReadFile(".depguard.yml")
	if err != nil {
		t.Fatal(err)
	}
	var entries []string
	for _, m := range regexp.MustCompile(`(?m)^  files: \["\*\*/([^"]*)/\*\.go"`).FindAllSubmatch(text, -1) {
		entries = append(entries, string(m[1]))
	}
	packages := builtPackages(t)
	for _, folder := range packages {
		if !slices.Contains(entries, folder) {
			t.Errorf("%s has no entry in .depguard.yml, and may import anything", folder)
		}
	}
	for _, folder := range entries {
		if !slices.Contains(packages, folder) {
			t.Errorf(".depguard.yml has an entry for %s, which is not a package", folder)
		}
	}
}

// builtPackages returns the folders with packages that the gateway is built from, and those
// beside them that help its tests, sorted.
func builtPackages(t *testing.T) (packages []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		file = filepath.ToSlash(file)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(file, ".") && file != "." || slices.Contains(anyImports, file)):
			return fs.SkipDir
		case d.IsDir() && d.Name() == "gen": // a generator
			return fs.SkipDir
		case !d.IsDir() && path.Ext(file) == ".go" && !strings.HasSuffix(file, "_test.go"):
			packages = append(packages, path.Dir(file))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(packages)
	return slices.Compact(packages)
}

// The map of ARCHITECTURE.md has a line for each package that the gateway is built from.
func TestArchitectureHasEachPackage(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tree, _ := strings.Cut(string(text), "```\n")
	tree, _, _ = strings.Cut(tree, "```\n")
	for _, folder := range builtPackages(t) {
		if strings.HasSuffix(folder, "test") || folder == "relay/twin" || folder == "." { // for tests only
			continue
		}
		if !regexp.MustCompile(`[ /─]` + regexp.QuoteMeta(path.Base(folder)) + ` `).MatchString(tree) {
			t.Errorf("the map of ARCHITECTURE.md has no line for %s", folder)
		}
	}
}
