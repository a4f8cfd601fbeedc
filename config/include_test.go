package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"radsec-gw/files"
)

// tree writes files, a name and a text each, and returns the directory.
func tree(t *testing.T, content map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"s.pem", "s.key", "ca.pem"} {
		write(t, filepath.Join(dir, name), "PEM")
	}
	for name, text := range content {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

// Files follow each other sorted by name, what was left behind is skipped, and each file's
// paths are relative to it. The keys of one table may be in several files.
//
// Fault O10.
func TestInclude(t *testing.T) {
	const nonsense = "this is not TOML"
	dir := tree(t, map[string]string{
		"c.toml":               "include = ['conf.d/*', 'none.d/*.toml', 'conf.d/10-*.toml']\n" + goodListen + "[[client]]\nname='first'\n[metrics]\naddress=''\n",
		"conf.d/20-b.toml":     "[metrics]\npprof=false\n[[client]]\nname='third'\n[[client]]\nname='fourth'\n",
		"conf.d/10-a.toml":     "include = ['more/x.toml']\n[[client]]\nname='second'\n",
		"conf.d/more/x.toml":   "[[server]]\nname='s'\naddress='127.0.0.1'\nsecret_file='../../s.secret'\n" + "route=[{realms=['*'],servers=['s']}]\n",
		"s.secret":             "0123456789abcdef",
		"conf.d/10-a.toml~":    nonsense,
		"conf.d/.hidden.toml":  nonsense,
		"conf.d/.#10-a.toml":   nonsense,
		"conf.d/#10-a.toml#":   nonsense,
		"conf.d/.10-a.swp":     nonsense,
		"conf.d/a.toml.swp":    nonsense,
		"conf.d/a.toml.bak":    nonsense,
		"conf.d/a.dpkg-old":    nonsense,
		"conf.d/a.dpkg-dist":   nonsense,
		"conf.d/a.ucf-new":     nonsense,
		"conf.d/a.rpmsave":     nonsense,
		"conf.d/a.toml.rpmnew": nonsense,
	})
	// x.toml ends with a table: its route has to be above.
	write(t, filepath.Join(dir, "conf.d/more/x.toml"), "route=[{realms=['*'],servers=['s']}]\n[[server]]\nname='s'\naddress='127.0.0.1'\nsecret_file='../../s.secret'\n")
	c, err := loadFile(filepath.Join(dir, "c.toml"))
	if err != nil {
		t.Fatal(err)
	}
	var names, read []string
	for _, cl := range c.Clients {
		names = append(names, cl.Name)
	}
	if want := []string{"first", "second", "third", "fourth"}; !slices.Equal(names, want) {
		t.Errorf("expected the clients %q, got %q", want, names)
	}
	for _, path := range c.Files() {
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		read = append(read, rel)
	}
	if want := []string{"c.toml", "conf.d/10-a.toml", "conf.d/more/x.toml", "conf.d/20-b.toml"}; !slices.Equal(read, want) {
		t.Errorf("expected the files %q, got %q", want, read)
	}
	if c.Metrics.Address != "" || len(c.Servers) != 1 || c.Servers[0].Secret.Len() != 16 || len(c.Routes) != 1 || len(c.Include) != 3 {
		t.Errorf("expected the keys of all files, got %+v", c)
	}
	// A warning has the file, and the index in it.
	m := c.MistakeAt("client[3].name", "text")
	if want := filepath.Join(dir, "conf.d/20-b.toml") + ":6: client[1].name: text"; m.String() != want || m.Key != "client[3].name" {
		t.Errorf("expected %q, got %q", want, m)
	}
}

// The mistakes of included files, and of include, as "file:line: key: start of the text".
func TestIncludeMistakes(t *testing.T) {
	good := goodClient + goodServer + goodRoute
	for _, row := range []struct {
		name    string
		content map[string]string
		want    []string
	}{
		{"in an included file", map[string]string{"c.toml": "include=['a.toml']\n" + goodListen + good, "a.toml": "[[client]]\nname='c'\n[[server]]\nname='x'\n"},
			[]string{"a.toml:2: client[0].name: \"c\" is already used on line 7 of c.toml: ", "a.toml:3: server[0].address: missing", "a.toml:3: server[0].secret: missing"}},
		{"sorted by file", map[string]string{"c.toml": "include=['a.toml']\n" + goodListen + good + "[log]\nlevel='x'\n", "a.toml": "[tap]\nx=1\n"},
			[]string{"c.toml:16: log.level: ", "a.toml:2: tap.x: unknown key"}},
		{"realm twice", map[string]string{"c.toml": "include=['a.toml']\n" + goodListen + good, "a.toml": "[[route]]\nrealms=['*']\nservers=['s']\n"},
			[]string{"a.toml:2: route[0].realms[0]: \"*\" is already routed by line 13 of c.toml for "}},
		{"a key twice", map[string]string{"c.toml": "include=['a.toml']\n" + goodListen + good + "[log]\nlevel='info'\n", "a.toml": "\n[log]\nformat='text'\nlevel='info'\n"},
			[]string{"a.toml:4: log.level: is already on line 16 of c.toml: expected each key in one file only"}},
		{"an array twice", map[string]string{"c.toml": "include=['a.toml']\n" + goodListen + good, "a.toml": "[listen]\naddress=['127.0.0.1:1']\nclient_ca='x'\n"},
			[]string{"a.toml:3: listen.client_ca: is already on line 5 of c.toml: "}},
		{"a table and an array", map[string]string{"c.toml": "include=['a.toml']\n" + goodListen + good, "a.toml": "[client]\nname='x'\n"},
			[]string{"a.toml:1: client: is already on line 6 of c.toml: "}},
		{"not TOML", map[string]string{"c.toml": "include=['a.toml', 'b.toml']\n", "a.toml": "[listen\n", "b.toml": "[[server]]\nsecret=tiger\n"},
			[]string{"a.toml:2: not TOML: ", "b.toml:2: not TOML: expected a secret in quotes"}},
		{"not there", map[string]string{"c.toml": "include=[\n'a.toml']\n"}, []string{"c.toml:2: include[0]: expected a readable file, got \"a.toml\": there is no a.toml"}},
		{"a directory", map[string]string{"c.toml": "include=['d']\n", "d/x": ""}, []string{"c.toml:1: include[0]: expected a readable file, got \"d\": d is not a regular file"}},
		{"a file for a directory", map[string]string{"c.toml": "include=['s.pem/*']\n"}, []string{"c.toml:1: include[0]: expected a directory that can be read, got \"s.pem/\": "}},
		{"a pattern for a directory", map[string]string{"c.toml": "include=['*/a.toml']\n" + goodListen + good}, []string{"c.toml:1: include[0]: expected *, ? and [ only in the name"}},
		{"nothing but a bad pattern", map[string]string{"c.toml": "include=['a[.toml']\n" + goodListen}, []string{"c.toml:1: include[0]: expected the name of a file, or a pattern"}},
		{"not a pattern", map[string]string{"c.toml": "include=['[', '', 'd/', 1]\n" + goodListen + good}, []string{
			"c.toml:1: include[0]: expected the name of a file", "c.toml:1: include[1]: expected the name of a file", "c.toml:1: include[2]: expected the name of a file", "c.toml:1: include[3]: expected a string"}},
		{"not an array", map[string]string{"c.toml": "include='a.toml'\n" + goodListen + good}, []string{"c.toml:1: include: expected an array of strings, got \"a.toml\": write [\"a.toml\"]"}},
		{"itself", map[string]string{"c.toml": "include=['c.toml']\n"}, []string{"c.toml:1: include[0]: expected another file, got c.toml, which includes this one"}},
		{"a circle", map[string]string{"c.toml": "include=['a.toml']\n", "a.toml": "include=['b.toml']\n", "b.toml": "\ninclude=['./a.toml']\n"},
			[]string{"b.toml:2: include[0]: expected another file, got a.toml, which includes this one"}},
		{"below a table", map[string]string{"c.toml": goodListen + "include=['a.toml']\n" + good},
			[]string{"c.toml:5: listen.include: unknown key; expected in [listen]: address, "}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Chdir(tree(t, row.content))
			_, err := loadFile("c.toml")
			if err == nil {
				t.Fatal("expected mistakes, got none")
			}
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(row.want) {
				t.Fatalf("expected %q, got %q", row.want, got)
			}
			for i, want := range row.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("expected %q, got %q", want, got[i])
				}
			}
			if row.name == "below a table" && !strings.HasSuffix(got[0], "; include belongs above the first table") {
				t.Errorf("expected a hint where include belongs, got %q", got[0])
			}
		})
	}
}

// A pattern that also matches its own file is not a circle, and a directory that may not be
// read is not taken for an empty one.
func TestIncludeOfItsOwnDirectory(t *testing.T) {
	t.Chdir(tree(t, map[string]string{"c.toml": "include=['*.toml']\n" + goodListen + goodClient, "a.toml": goodServer, "b.toml": "include=['a.toml']\n" + goodRoute}))
	c, err := loadFile("c.toml")
	if err != nil || len(c.Files()) != 3 {
		t.Errorf("expected three files without mistakes, got %v", err)
	}
	if os.Getuid() == 0 {
		return // who may read everything
	}
	if err := os.Mkdir("closed", 0); err != nil {
		t.Fatal(err)
	}
	write(t, "c.toml", "include=['closed/*.toml']\n")
	if _, err := loadFile("c.toml"); err == nil || !strings.Contains(err.Error(), "no permission to read closed") {
		t.Errorf("expected a mistake about the directory, got %v", err)
	}
}

// What include can bring in is bounded: the depth, the number of files, and their size.
func TestIncludeIsBounded(t *testing.T) {
	deep := map[string]string{"c.toml": "include=['0.toml']\n"}
	for i := range 20 {
		deep[fmt.Sprintf("%d.toml", i)] = fmt.Sprintf("include=['%d.toml']\n", i+1)
	}
	many := map[string]string{"c.toml": "include=['d/*']\n"}
	for i := range maxFiles + 1 {
		many[fmt.Sprintf("d/%04d", i)] = ""
	}
	large := map[string]string{"c.toml": "include=['a', 'b']\n", "a": "#", "b": strings.Repeat("#", MaxConfiguration-10)}
	for want, content := range map[string]map[string]string{
		"7.toml:1: include[0]: expected at most 8 files that include one another, 8.toml is one more": deep,
		"c.toml:1: include[0]: expected at most 1000 files, d/0999 is one more":                       many,
		"c.toml:1: include[1]: expected a readable file, got \"b\": b is too large: ":                 large,
		fmt.Sprintf("c.toml:1: include[%d]: expected at most %d elements", maxPatterns, maxPatterns): {
			"c.toml": "include=[" + strings.Repeat("'x*',", maxPatterns+5) + "]\n" + goodListen + goodClient + goodServer + goodRoute},
	} {
		t.Run(want, func(t *testing.T) {
			t.Chdir(tree(t, content))
			if _, err := loadFile("c.toml"); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("expected %q, got %v", want, err)
			}
		})
	}
}

// Whatever two files have, each mistake is at a line of one of them.
func FuzzInclude(f *testing.F) {
	f.Add(goodListen+goodClient, goodServer+goodRoute)
	f.Add("[listen]\naddress=[]\n", "[listen]\naddress=[]\ncrl=1\n")
	f.Add("client=[{name='x'}]\n[a.b.c]\n[[a.d]]\n", "[[client]]\nnetworks=['x']\n[a]\nb=1\n[[a.d]]\n")
	f.Add("\"a[0]\"=1\n'b['=2\n", "\"a[0]\"=1\n'b['=[{}]\n")
	f.Add("x=[{y=1}]\n", "x=[[1]]\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, first, second string) {
		path := filepath.Join(dir, "second.toml")
		if err := os.WriteFile(path, []byte(second), 0o600); err != nil {
			t.Fatal(err)
		}
		first = "include=['second.toml']\n" + first
		_, err := parse(filepath.Join(dir, "c.toml"), first, files.NewReader().Snapshot(t.Context()))
		ms, _ := err.(Mistakes)
		for _, m := range ms {
			text := first
			if m.File == path {
				text = second
			}
			if m.File != path && m.File != filepath.Join(dir, "c.toml") || m.Line < 0 || m.Line > strings.Count(text, "\n")+1 || m.String() == "" {
				t.Fatalf("expected a place in one of the files, got %+v", m)
			}
		}
	})
}
