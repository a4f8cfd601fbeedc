package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"radsec-gw/files"
)

// examplePath is the manual: the example file at the root.
const examplePath = "../config.example.toml"

// exampleDir holds the example and the files it names.
func exampleDir(t *testing.T) (path, text string) {
	t.Helper()
	octets, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"certs/dev/server.pem", "certs/dev/server.key", "certs/dev/ca.pem"} {
		write(t, filepath.Join(dir, name), "PEM")
	}
	path = filepath.Join(dir, "config.toml")
	write(t, path, string(octets))
	return path, string(octets)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The example loads without mistakes, and shows the defaults where there are any.
// Rules: P85, P91, P101, P113, P115, P120, P87
func TestExampleLoads(t *testing.T) {
	path, _ := exampleDir(t)
	c, err := Load(path)
	if err != nil {
		t.Fatalf("the example has mistakes:\n%v", err)
	}
	if w := c.Warnings(); len(w) != 0 {
		t.Errorf("the example deserves warnings: %q", w)
	}
	dir := filepath.Dir(path)

	listen := defaultListen()
	listen.Certificate = filepath.Join(dir, "certs/dev/server.pem")
	listen.PrivateKey = filepath.Join(dir, "certs/dev/server.key")
	listen.ClientCA = filepath.Join(dir, "certs/dev/ca.pem")
	client := defaultClient()
	client.Name, client.Networks, client.SANDNS = "campus", c.Clients[0].Networks, []string{"*.campus.example"}
	server := defaultServer()
	server.Name, server.Address, server.Secret = "freeradius-a", "127.0.0.1", c.Servers[0].Secret
	route := defaultRoute()
	route.Realms, route.Servers = []string{"example.org", "*.example.org"}, []string{"freeradius-a", "freeradius-b"}
	for _, x := range []struct {
		table       string
		shown, want any
	}{
		{"listen", c.Listen, listen}, {"client", c.Clients[0], client}, {"server", c.Servers[0], server},
		{"route", c.Routes[0], route}, {"routing", c.Routing, defaultRouting()},
		{"metrics", c.Metrics, defaultMetrics()}, {"log", c.Log, defaultLog()}, {"tap", c.Tap, defaultTap()},
	} {
		if !reflect.DeepEqual(x.shown, x.want) {
			t.Errorf("[%s] of the example should show the defaults:\n shows %+v\n   has %+v", x.table, x.shown, x.want)
		}
	}
}

// Every key that is read stands in the example (commented out where it
// excludes another), under a comment that gives its default or says that it is
// required; and every field of the types is read from some key.
func TestExampleHasEveryKey(t *testing.T) {
	_, text := exampleDir(t)
	for _, x := range []struct {
		table  string
		header string
		fields reflect.Type
		more   int // keys beyond one for each field
	}{
		{"listen", "[listen]", reflect.TypeFor[Listen](), 0},
		{"client", "[[client]]", reflect.TypeFor[Client](), 2}, // secret_file, secret_env
		{"server", "[[server]]", reflect.TypeFor[Server](), 4}, // and health_password_file, health_password_env
		{"route", "[[route]]", reflect.TypeFor[Route](), 0},
		{"routing", "[routing]", reflect.TypeFor[Routing](), 2}, // loop_marker_secret_file, loop_marker_secret_env
		{"metrics", "[metrics]", reflect.TypeFor[Metrics](), 2}, // token_file, token_env
		{"log", "[log]", reflect.TypeFor[Log](), 2},             // hash_salt_file, hash_salt_env
		{"tap", "[tap]", reflect.TypeFor[Tap](), 0},
	} {
		keys := keysOf(t, x.table, x.header)
		if want := x.fields.NumField() + x.more; len(keys) != want {
			t.Errorf("[%s] reads %d keys, its type has room for %d: %q", x.table, len(keys), want, keys)
		}
		section := regexp.MustCompile(`(?ms)^` + regexp.QuoteMeta(x.header) + `.*?(^\[|\z)`).FindString(text)
		for _, key := range keys {
			said := regexp.MustCompile(`(?m)^# (Default: .+|Required.*)\n((# )?[a-z_]+ = .*\n)*?(# )?` + key + ` = `)
			if !said.MatchString(section) {
				t.Errorf("the example's [%s] lacks %s with its default above it", x.table, key)
			}
		}
	}
}

// keysOf asks the reader itself: it answers an unknown key with those it knows.
func keysOf(t *testing.T, table, header string) []string {
	t.Helper()
	_, err := parse("x.toml", header+"\nunheard_of = 1\n", files.NewReader().Snapshot(t.Context()))
	m := regexp.MustCompile(`unheard_of: unknown key; expected in \[` + table + `\]: (.*)`).FindStringSubmatch(err.Error())
	if m == nil {
		t.Fatalf("no mistake about the unknown key in %s:\n%v", header, err)
	}
	return strings.Split(m[1], ", ")
}
