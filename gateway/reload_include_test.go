package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/gateway/gatewaytest"
)

// A reload reads included files again, and finds new ones; until then a change of them, or a
// new one, has no effect, not even after a reload that was refused.
//
// Fault O10.
func TestReloadReadsIncludedFiles(t *testing.T) {
	file := keysFile(t)
	dir := filepath.Join(filepath.Dir(file), "conf.d")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	put := func(name, text string) {
		t.Helper()
		gatewaytest.WriteFile(t, filepath.Join(dir, name), []byte(text))
	}
	gatewaytest.WriteFile(t, file, []byte("include = [\"conf.d/*.toml\"]\n"+keysConfig))
	g := runPlan(t, planOf(t, file))
	names := func() string {
		var list []string
		for _, c := range g.listen().Config().Clients {
			list = append(list, c.Name)
		}
		return strings.Join(list, " ")
	}
	want := func(when, text string) {
		t.Helper()
		if got := names(); got != text {
			t.Errorf("%s: expected the clients %q, got %q", when, text, got)
		}
	}
	want("at the start", "campus")

	put("b.toml", "[[client]]\nname = \"b\"\n")
	_ = g.reloadFiles()
	want("a new file, polled", "campus")
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	want("a new file, reloaded", "campus b")

	put("a.toml", "[[client]]\nname = \"a\"\n")
	put("b.toml", "[[client]]\nname = \"c\"\nsan_dns = 1\n")
	if err := g.Reload(); err == nil || !strings.Contains(err.Error(), filepath.Join("conf.d", "b.toml")+":3: client[0].san_dns: ") {
		t.Errorf("a mistake: expected its place, got %v", err)
	}
	want("a mistake", "campus b")
	put("b.toml", "[[client]]\nname = \"c\"\n") // half of an edit, perhaps
	_ = g.reloadFiles()
	want("mended, polled", "campus b")
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	want("mended, reloaded", "campus a c")
	if err := os.Remove(filepath.Join(dir, "b.toml")); err != nil {
		t.Fatal(err)
	}
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	want("a file removed", "campus a")
}
