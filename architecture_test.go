package conformance_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Names of functions and files in ARCHITECTURE.md, as it writes them: relay.Connection.Packet,
// wire/dict/dictionary.txt.
var (
	mapFunction = regexp.MustCompile("`([a-z][a-z0-9]*(?:/[a-z0-9]+)*)\\.([A-Za-z][A-Za-z0-9]*)(?:\\.([A-Za-z][A-Za-z0-9]*))?`")
	mapFile     = regexp.MustCompile("`((?:[a-z0-9_.-]+/)+[a-z0-9_.-]*)`")
	mapLink     = regexp.MustCompile(`\]\(([^)#:]+)\)`)
)

// Every function, type, file and folder that ARCHITECTURE.md names exists.
func TestArchitecture(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	names := 0
	for _, m := range mapFunction.FindAllStringSubmatch(string(text), -1) {
		if isFile(m[2]) {
			continue
		}
		names++
		if name := strings.TrimSuffix(m[2]+"."+m[3], "."); !declared(t, m[1])[name] {
			t.Errorf("ARCHITECTURE.md names %s.%s, expected it in a Go file of %s", m[1], name, m[1])
		}
	}
	for _, pattern := range []*regexp.Regexp{mapFile, mapLink} {
		for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
			names++
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("ARCHITECTURE.md names %s: %v", m[1], err)
			}
		}
	}
	if names < 60 {
		t.Errorf("%d names were found in ARCHITECTURE.md, expected 60 or more: it is written in another form", names)
	}
}

// isFile reports whether what follows a dot is the ending of a file's name.
func isFile(ending string) bool {
	return ending == "go" || ending == "toml" || ending == "md" || ending == "txt" || ending == "yml"
}

// declared returns the functions, types, variables and constants of a package, methods as
// Type.Method.
func declared(t *testing.T, folder string) map[string]bool {
	t.Helper()
	if _, err := os.Stat(folder); err != nil { // udpback/health is named health.Port, too
		folder = filepath.Join("udpback", folder)
	}
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, path := range paths {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				all[receiverOf(d)+d.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					addSpec(all, spec)
				}
			}
		}
	}
	return all
}

// receiverOf returns "Type." for a method, and nothing for a function.
func receiverOf(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	of := d.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	return of.(*ast.Ident).Name + "."
}

// addSpec adds the names that a declaration declares, fields of structs and methods of
// interfaces as Type.Field.
func addSpec(all map[string]bool, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			all[name.Name] = true
		}
	case *ast.TypeSpec:
		all[spec.Name.Name] = true
		var members *ast.FieldList
		switch of := spec.Type.(type) {
		case *ast.StructType:
			members = of.Fields
		case *ast.InterfaceType:
			members = of.Methods
		default:
			return
		}
		for _, field := range members.List {
			for _, name := range field.Names {
				all[spec.Name.Name+"."+name.Name] = true
			}
		}
	}
}
