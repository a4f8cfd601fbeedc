package gateway

import (
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"radsec-gw/files"
	"radsec-gw/gateway/gatewaytest"
)

// A panic of any parser, for any file, is refused like a mistake with the file's name: when the
// gateway starts, and at a reload, after which the gateway goes on as it was.
//
// Fault S12.
func TestPanicOfAnyParserIsRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "c.toml")
	text := strings.Replace(shapesConfig, "[listen]\n", "include = [\"more.toml\"]\n[listen]\naddress = [\"127.0.0.1:0\"]\n", 1)
	text = strings.Replace(text, "[metrics]\n", "[metrics]\naddress = \"127.0.0.1:0\"\n", 1)
	gatewaytest.WriteFile(t, file, []byte(text))
	gatewaytest.WriteFile(t, filepath.Join(dir, "more.toml"), []byte("[tap]\nsocket = \"\"\n"))
	names := []string{"c.toml", "more.toml"}
	for _, p := range shapePlaces(t) {
		gatewaytest.WriteFile(t, filepath.Join(dir, p.file), []byte(p.good))
		names = append(names, p.file)
	}
	var failing atomic.Pointer[string] // the file whose parser panics
	reader := files.NewReader()
	reader.Parsing = func(path string) {
		if name := failing.Load(); name != nil && path == filepath.Join(dir, *name) {
			panic("what the file holds")
		}
	}
	load := func() (*Plan, error) { return loadFrom(reader.Snapshot(t.Context()), file, reader) }
	p, err := load()
	if err != nil {
		t.Fatal(err)
	}
	g := runPlan(t, p)
	before := g.current.Load()
	for _, name := range names {
		failing.Store(&name)
		_, atStart := load()
		for when, err := range map[string]error{"start": atStart, "reload": g.Reload()} {
			if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, name)+" has something that makes the parser fail") || strings.Contains(err.Error(), "what the file holds") {
				t.Errorf("%s, at %s: expected an error that names the file and quotes nothing, got %v", name, when, err)
			}
		}
		if g.current.Load() != before {
			t.Fatalf("%s was refused, and something was replaced", name)
		}
	}
	failing.Store(nil)
	if err := g.Reload(); err != nil {
		t.Errorf("once no parser panics: %v", err)
	}
}
