package importer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"radsec-gw/importer"
	"radsec-gw/importer/importertest"
)

// Every string comes out of the TOML as it went in, and comments end where their line ends.
func TestDraftIsTOML(t *testing.T) {
	texts := []string{"", "plain", `back\slash`, `it's a \ in quotes "`, "tab\tand\nline\rand\x00\x7f", "é “quotes” 世界", "# not a comment", "]]"}
	d := &importer.Draft{Program: "a\nprogram", Source: "a file\x00\xff"}
	d.Note(importer.Place{File: "f", Line: 3}, "text of\n[[several]]\r lines %s", strings.Repeat("long ", 60))
	tbl := d.Add("[table]")
	for i, text := range texts {
		tbl.Comment("about %s", text)
		tbl.Set(fmt.Sprintf("k%d", i), text)
	}
	tbl.Set("list", texts)
	tbl.Set("flag", true)
	tbl.Set("number", 5)
	off := d.Add("[[off]]")
	off.Disabled = true
	off.Set("x", texts)
	values := importertest.Decode(t, d)
	table := values["table"].(map[string]any)
	for i, text := range texts {
		if got := table[fmt.Sprintf("k%d", i)]; got != text {
			t.Errorf("got %q, expected %q", got, text)
		}
	}
	if len(table) != len(texts)+3 || table["flag"] != true || table["number"] != int64(5) || len(values) != 1 {
		t.Errorf("got %v", values)
	}
}

// Inline tables and arrays of them are TOML, whatever their keys and values.
func TestInline(t *testing.T) {
	d := &importer.Draft{}
	d.Add("[[rule]]").Set("add", importer.Inline{{Key: "Filter-Id", Value: []string{"a", `b"`}}, {Key: "9:1", Value: `\d'`}, {Key: "", Value: 1}, {Key: "é", Value: true}})
	d.Add("[[rule]]").Set("replace", []importer.Inline{{{Key: "pattern", Value: `^\w$`}}, {{Key: "with", Value: ""}}})
	var b strings.Builder
	if _, err := d.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`add = { Filter-Id = ["a", "b\""], "9:1" = "\\d'", "" = 1, "é" = true }`,
		`replace = [{ pattern = '^\w$' }, { with = "" }]`,
	} {
		if !strings.Contains(b.String(), "\n"+want+"\n") {
			t.Errorf("expected the line %s, got\n%s", want, b.String())
		}
	}
	importertest.Decode(t, d)
}

// Secrets that TOML cannot hold, or that are to be in files, are named by file.
func TestSetSecret(t *testing.T) {
	d := &importer.Draft{}
	tbl := d.Add("[[server]]")
	tbl.SetSecret(importer.Place{File: "f", Line: 1}, "secret", "a b", []byte{0xff, 'x'})
	if values := importertest.Decode(t, d); values["server"].([]map[string]any)[0]["secret_file"] != "server-a-b.secret" || len(d.Notes()) != 1 {
		t.Errorf("got %v, %v", values, d.Notes())
	}
}

// No two secrets get one file, be their owners equal, or equal but for what a file's name
// does not have or a file system ignores.
func TestSecretFilesAreDistinct(t *testing.T) {
	d := &importer.Draft{SecretDir: "/dir"}
	owners := []string{"x", "x", "X", "../x", "---x", "é", "é", "x-2", strings.Repeat("x", 300), strings.Repeat("x", 301)}
	for _, owner := range owners {
		d.Add("[[server]]").SetSecret(importer.Place{}, "secret", owner, []byte("s"))
	}
	d.Add("[[server]]").SetSecret(importer.Place{}, "health_password", "x", []byte("s"))
	d.Add("[[client]]").SetSecret(importer.Place{}, "secret", "x", []byte("s"))
	seen := map[string]bool{}
	for _, f := range d.Secrets() {
		path := strings.ToLower(f.Path)
		if seen[path] || !strings.HasPrefix(path, "/dir/") || strings.Count(path, "/") != 2 || len(path) > 250 {
			t.Errorf("expected a file of its own in /dir, got %s", f.Path)
		}
		seen[path] = true
	}
	if len(d.Secrets()) != len(owners)+2 {
		t.Errorf("expected %d files, got %d", len(owners)+2, len(d.Secrets()))
	}
}

// What is read has bounds, and only regular files are.
func TestSourceIsBounded(t *testing.T) {
	s := importer.NewSource(fstest.MapFS{"big": {Data: make([]byte, importer.MaxFile+1)}, "some": {Data: make([]byte, importer.MaxFile)}, "dir/x": {Data: []byte("x")}})
	for name, want := range map[string]string{"/big": "expected at most 4194304 bytes", "/dir": "expected a regular file", "/none": "not exist"} {
		if _, err := s.Read(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, expected %q", name, err, want)
		}
	}
	var err error
	for i := 0; i < 10 && err == nil; i++ {
		_, err = s.Read("/some")
	}
	if err == nil || !strings.Contains(err.Error(), "in all files") {
		t.Errorf("got %v, expected a bound for all files", err)
	}
	s = importer.NewSource(fstest.MapFS{"x": {}})
	for range importer.MaxFiles {
		if _, err := s.Read("/x"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Read("/x"); err == nil {
		t.Error("the number of files has no bound")
	}
}

// Addresses that the gateway would refuse as covered are removed.
func TestListenAddresses(t *testing.T) {
	for _, x := range []struct{ all, want []string }{
		{[]string{"[::]:2083", "0.0.0.0:2083", "192.0.2.1:2083", "[2001:db8::1]:2083", "[::]:2083"}, []string{"[::]:2083", "0.0.0.0:2083"}},
		{[]string{"[::]:2083", "192.0.2.1:2083", "192.0.2.1:2084"}, []string{"[::]:2083", "192.0.2.1:2084"}},
		{[]string{"0.0.0.0:2083", "[2001:db8::1]:2083"}, []string{"0.0.0.0:2083", "[2001:db8::1]:2083"}},
	} {
		if got := importer.ListenAddresses(x.all); !slices.Equal(got, x.want) {
			t.Errorf("%q: got %q, expected %q", x.all, got, x.want)
		}
		importertest.CheckLoads(t, fmt.Sprintf(complete, strings.Join(x.want, `", "`)))
	}
}

const complete = `[listen]
address = ["%s"]
certificate = "/none.pem"
private_key = "/none.key"
client_ca = "/none.ca"
[[client]]
name = "c"
[[server]]
name = "s"
address = "127.0.0.1"
secret = "0123456789abcdef"
[[route]]
realms = ["*"]
servers = ["s"]
`
