package status

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

const document = "../../docs/status.md"

// docs/status.md describes each field of the JSON as snapshot.go does.
func TestEachFieldIsDocumented(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	begin, rest, found := strings.Cut(string(text), " -->\n<!-- end -->")
	if !found {
		head, tail, _ := strings.Cut(string(text), "./web/status -->\n")
		_, after, _ := strings.Cut(tail, "<!-- end -->")
		begin, rest = head+"./web/status", after
	}
	want := begin + " -->\n" + fields(t) + "<!-- end -->" + rest
	switch {
	case want == string(text):
	case os.Getenv("STATUS") == "write":
		if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Error("docs/status.md is not what snapshot.go says: run STATUS=write go test ./web/status")
	}
}

// fields returns a table for each type of snapshot.go.
func fields(t *testing.T) string {
	file, err := parser.ParseFile(token.NewFileSet(), "snapshot.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, decl := range file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.TYPE {
			continue
		}
		spec := d.Specs[0].(*ast.TypeSpec)
		fmt.Fprintf(&out, "\n### %s\n\n%s\n\n| field | type | |\n| --- | --- | --- |\n", spec.Name.Name, strings.ReplaceAll(strings.TrimSpace(d.Doc.Text()), "\n", " "))
		for _, f := range spec.Type.(*ast.StructType).Fields.List {
			name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json"), ",")
			if name == "-" {
				continue
			}
			if name == "" {
				t.Errorf("%s.%s has no name in JSON", spec.Name.Name, f.Names[0].Name)
			}
			if f.Comment == nil {
				t.Errorf("%s.%s has no description", spec.Name.Name, f.Names[0].Name)
			}
			fmt.Fprintf(&out, "| `%s` | %s | %s |\n", name, typeName(f.Type), strings.TrimSpace(f.Comment.Text()))
		}
	}
	return out.String() + "\n"
}

// typeName returns what JSON calls a type.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X) + " or null"
	case *ast.ArrayType:
		return "list of " + typeName(e.Elt)
	case *ast.MapType:
		return "object of " + typeName(e.Value)
	case *ast.SelectorExpr:
		return "time"
	case *ast.Ident:
		switch e.Name {
		case "string", "bool":
			return e.Name
		case "int", "int64", "uint64", "float64", "float32":
			return "number"
		}
		return e.Name
	}
	return "?"
}

// docs/status.md says of each kind of problem what to do, and of no other.
func TestEachKindOfProblemIsDocumented(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (?:error|warning)").FindAllStringSubmatch(string(text), -1) {
		documented[m[1]] = true
	}
	used := map[string]bool{}
	kind := regexp.MustCompile(`(?:Error|Warning), "([a-z]+(?:_[a-z]+)*)", `)
	for _, file := range []string{"problems.go", "../../gateway/status.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range kind.FindAllStringSubmatch(string(source), -1) {
			used[m[1]] = true
		}
	}
	for name := range used {
		if !documented[name] {
			t.Errorf("docs/status.md does not say what to do about %s", name)
		}
	}
	for name := range documented {
		if !used[name] {
			t.Errorf("docs/status.md describes %s, which is not found by anything", name)
		}
	}
	if len(used) < 15 {
		t.Errorf("only %d kinds of problems were found in the code", len(used))
	}
}
