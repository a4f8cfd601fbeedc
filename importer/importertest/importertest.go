// Package importertest helps the tests of importers.
package importertest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/importer"
)

// Text returns the draft as it is written.
func Text(t testing.TB, d *importer.Draft) string {
	t.Helper()
	var b strings.Builder
	if _, err := d.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Decode fails the test if the draft is not TOML.
func Decode(t testing.TB, d *importer.Draft) map[string]any {
	t.Helper()
	values := map[string]any{}
	if _, err := toml.Decode(Text(t, d), &values); err != nil {
		t.Fatalf("%v\n%s", err, Text(t, d))
	}
	return values
}

// CheckImported fails the test unless what an importer returned is a draft that is TOML, or
// an error with the place of a mistake.
func CheckImported(t testing.TB, d *importer.Draft, err error) {
	t.Helper()
	var mistake *importer.Error
	switch {
	case err == nil:
		Decode(t, d)
	case !errors.As(err, &mistake):
		t.Fatalf("expected a mistake with its place, got %v", err)
	}
}

// CheckSecretFiles fails the test unless each secret has a file of its own, and each file
// that a table names has its secret: secrets has them by the names of clients and servers.
func CheckSecretFiles(t testing.TB, d *importer.Draft, secrets map[string]string) {
	t.Helper()
	inFile := map[string]string{}
	for _, f := range d.Secrets() {
		if _, twice := inFile[f.Path]; twice {
			t.Errorf("two secrets go into %s", f.Path)
		}
		inFile[f.Path] = string(f.Secret)
	}
	values := Decode(t, d)
	for _, kind := range []string{"client", "server"} {
		tables, _ := values[kind].([]map[string]any)
		for _, table := range tables {
			name, _ := table["name"].(string)
			file, _ := table["secret_file"].(string)
			if want, ok := secrets[name]; ok && inFile[file] != want {
				t.Errorf("the file of %s %s, %s, has %q; expected %q", kind, name, file, inFile[file], want)
			}
			delete(secrets, name)
		}
	}
	for name := range secrets {
		t.Errorf("there is no table of the name %s", name)
	}
}

// Compare compares the draft with a file, which GOLDEN=write writes, and fails the test
// unless files that are missing are all that the gateway finds wrong with it.
func Compare(t testing.TB, d *importer.Draft, want string) {
	t.Helper()
	text := Text(t, d)
	if os.Getenv("GOLDEN") == "write" {
		if err := os.WriteFile(want, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expected, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	got, lines := strings.Split(text, "\n"), strings.Split(string(expected), "\n")
	for i := range max(len(got), len(lines)) {
		if i >= len(got) || i >= len(lines) || got[i] != lines[i] {
			t.Fatalf("%s:%d: got\n%s\nexpected\n%s\nGOLDEN=write writes the file", want, i+1, strings.Join(got[min(i, len(got)):], "\n"), strings.Join(lines[min(i, len(lines)):], "\n"))
		}
	}
	CheckLoads(t, text)
}

// CheckLoads fails the test unless files that are missing are all that the gateway finds
// wrong with a configuration.
func CheckLoads(t testing.TB, text string) {
	t.Helper()
	t.Setenv("NORTH_SECRET", "north-Secret-2") // which the file of a test names
	file := filepath.Join(t.TempDir(), "radsec-gw.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(file, files.NewReader().Snapshot(t.Context()))
	var mistakes config.Mistakes
	if err != nil && !errors.As(err, &mistakes) {
		t.Fatal(err)
	}
	for _, m := range mistakes {
		if !strings.Contains(m.Text, "there is no /") {
			t.Errorf("the gateway refuses it: %v", m)
		}
	}
}
