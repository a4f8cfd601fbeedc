package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"radsec-gw/files"
)

// examplePath is the example file at the root, which is the manual.
const examplePath = "../config.example.toml"

// exampleTables are the tables of a file, with the type and the defaults of each.
var exampleTables = []exampleTable{
	{"listen", "[listen]", defaultListen(), 0},
	{"listener", "[[listener]]", defaultListener(), len(frontKeys()) - 1},
	{"certificate", "[[certificate]]", Certificate{}, 0},
	{"client", "[[client]]", defaultClient(), 6}, // secret_file, secret_env, and those of server_secret and psk
	{"server", "[[server]]", defaultServer(), 4}, // and health_password_file, health_password_env
	{"route", "[[route]]", defaultRoute(), 0},
	{"rule", "[[rule]]", defaultRule(), 0},
	{"routing", "[routing]", defaultRouting(), 2},                                           // loop_marker_secret_file, loop_marker_secret_env
	{"dynamic_authorization", "[dynamic_authorization]", defaultDynamicAuthorization(), -1}, // Senders is the next table
	{"dynamic_authorization.sender", "[[dynamic_authorization.sender]]", Sender{}, 2},       // secret_file, secret_env
	{"spool", "[spool]", defaultSpool(), 0},
	{"cluster", "[cluster]", defaultCluster(), 0},
	{"metrics", "[metrics]", defaultMetrics(), 2}, // token_file, token_env
	{"log", "[log]", defaultLog(), 2},             // hash_salt_file, hash_salt_env
	{"tap", "[tap]", defaultTap(), 0},
}

// frontKeys are the keys that [[listener]] has from [listen].
func frontKeys() (keys []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Listen]()) {
		switch f.Name {
		case "ReadableKeys", "CRLDirectory", "CRLRefresh", "KeyLogFile", "ReloadInterval", "DrainTimeout":
			continue // of the whole gateway
		}
		keys = append(keys, snake(f.Name))
	}
	return keys
}

// snake returns the key of a field.
func snake(field string) string {
	for _, x := range [][2]string{{"PrivateKey", "Private_Key"}, {"ClientCA", "Client_CA"}, {"ClientAuth", "Client_Auth"}, {"MinTLS", "Min_TLS"}, {"CRLStale", "CRL_Stale"}, {"CRLDistribution", "CRL_Distribution"}} {
		field = strings.ReplaceAll(field, x[0], x[1])
	}
	return strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(field, "${1}_$2"))
}

type exampleTable struct {
	name     string
	header   string
	defaults any
	more     int // keys beyond one for each field
}

// exampleDir holds the example and the files it names.
func exampleDir(t *testing.T) (path, text string) {
	t.Helper()
	text = readExample(t)
	dir := t.TempDir()
	for _, name := range []string{"certs/dev/server.pem", "certs/dev/server.key", "certs/dev/ca.pem"} {
		write(t, filepath.Join(dir, name), "PEM")
	}
	path = filepath.Join(dir, "config.toml")
	write(t, path, text)
	return path, text
}

func readExample(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
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

// The example has the comments of the fields, word for word. EXAMPLE=write rewrites them,
// before the tests below read the example.
func TestExampleHasTheCommentsOfTheFields(t *testing.T) {
	var got, want = withEveryKey(t, readExample(t)), ""
	docs := fieldDocs(t)
	table := ""
	seen := map[string]bool{} // keys; those of the second [[server]] and [[route]] have no comment
	for paragraph := range strings.SplitSeq(got, "\n\n") {
		lines := strings.Split(paragraph, "\n")
		var out, comment []string
		for _, line := range lines {
			if m := headerForm.FindStringSubmatch(line); m != nil {
				table = m[1]
			}
			m := keyForm.FindStringSubmatch(line)
			switch {
			case m != nil && docs[table][m[1]] != nil && !seen[table+"."+m[1]]:
				seen[table+"."+m[1]] = true
				out, comment = append(out, docs[table][m[1]]...), nil
				out = append(out, line)
			case m == nil && strings.HasPrefix(line, "#"):
				comment = append(comment, line)
			default:
				out, comment = append(append(out, comment...), line), nil
			}
		}
		want += strings.Join(append(out, comment...), "\n") + "\n\n"
	}
	want = strings.TrimRight(want, "\n") + "\n"
	if readExample(t) == want {
		return
	}
	if os.Getenv("EXAMPLE") == "write" {
		write(t, examplePath, want)
		return
	}
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("%s:%d: got %q, expected %q as at the field; EXAMPLE=write go test ./config writes the file", examplePath, i+1, a[i], b[i])
		}
	}
	t.Fatalf("%s has %d lines, expected %d", examplePath, len(a), len(b))
}

// The manual page is made from a copy of the example. EXAMPLE=write copies it.
func TestManualHasTheExample(t *testing.T) {
	const path = "manual/example.toml"
	text := readExample(t)
	if os.Getenv("EXAMPLE") == "write" {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != text {
		t.Errorf("%s is not %s (%v); EXAMPLE=write go test ./config copies it", path, examplePath, err)
	}
}

// The example loads without mistakes, and shows the defaults where there are any.
// Rules: P85, P91, P101, P113, P115, P120, P87
func TestExampleLoads(t *testing.T) {
	path, _ := exampleDir(t)
	c, err := loadFile(path)
	if err != nil {
		t.Fatalf("the example has mistakes:\n%v", err)
	}
	if w := c.Warnings(); len(w) != 0 {
		t.Errorf("expected no warnings about the example, got %q", w)
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
	dynamic := defaultDynamicAuthorization()
	dynamic.Senders = c.DynamicAuthorization.Senders
	for _, x := range []struct {
		table       string
		shown, want any
	}{
		{"listen", c.Listen, listen}, {"client", c.Clients[0], client}, {"server", c.Servers[0], server},
		{"route", c.Routes[0], route}, {"routing", c.Routing, defaultRouting()}, {"dynamic_authorization", c.DynamicAuthorization, dynamic},
		{"metrics", c.Metrics, defaultMetrics()}, {"log", c.Log, defaultLog()}, {"tap", c.Tap, defaultTap()},
	} {
		if !reflect.DeepEqual(x.shown, x.want) {
			t.Errorf("[%s] of the example should show the defaults:\n shows %+v\n   has %+v", x.table, x.shown, x.want)
		}
	}
}

// Every key that is read is in the example (commented out where it excludes another),
// and every field of the types is read from some key.
func TestExampleHasEveryKey(t *testing.T) {
	text := readExample(t)
	for _, x := range exampleTables {
		keys := keysOf(t, x.name, x.header)
		if want := reflect.TypeOf(x.defaults).NumField() + x.more; len(keys) != want {
			t.Errorf("[%s] reads %d keys, its type has fields for %d: %q", x.name, len(keys), want, keys)
		}
		section := sectionOf(text, x.header)
		for _, key := range keys {
			if x.name == "listener" && slices.Contains(frontKeys(), key) {
				continue // as in [listen], which the comment above it says
			}
			if !regexp.MustCompile(`(?m)^(# )?` + key + ` = `).MatchString(section) {
				t.Errorf("the example's [%s] lacks %s", x.name, key)
			}
		}
	}
}

// sectionOf returns the first table with a header, up to the next header.
func sectionOf(text, header string) string {
	return regexp.MustCompile(`(?ms)^(# )?` + regexp.QuoteMeta(header) + `( +#[^\n]*)?$.*?(^(# )?\[+[a-z_.]+\]+( +#[^\n]*)?$|\z)`).FindString(text)
}

// keysOf returns the keys of a table: the mistake about an unknown key lists them.
func keysOf(t *testing.T, table, header string) []string {
	t.Helper()
	_, err := parse("x.toml", header+"\nunheard_of = 1\n", files.NewReader().Snapshot(t.Context()))
	m := regexp.MustCompile(`unheard_of: unknown key; expected in \[` + table + `\]: (.*)`).FindStringSubmatch(err.Error())
	if m == nil {
		t.Fatalf("no mistake about the unknown key in %s:\n%v", header, err)
	}
	return slices.DeleteFunc(strings.Split(m[1], ", "), func(key string) bool {
		return slices.ContainsFunc(exampleTables, func(x exampleTable) bool { return x.name == table+"."+key })
	})
}

// withEveryKey returns the example with a line for each key that it lacks, after that of
// the field before; only with EXAMPLE=write.
func withEveryKey(t *testing.T, text string) string {
	t.Helper()
	if os.Getenv("EXAMPLE") != "write" {
		return text
	}
	for _, x := range exampleTables {
		fields, after := reflect.TypeOf(x.defaults), x.header
		keys := keysOf(t, x.name, x.header)
		for f := range fields.NumField() {
			i := slices.IndexFunc(keys, func(key string) bool { return fieldOf(fields, key) == fields.Field(f).Name })
			if i < 0 {
				continue // a table of its own
			}
			key := keys[i]
			start := strings.Index(text, sectionOf(text, x.header))
			line := regexp.MustCompile(`(?m)^(# )?` + key + ` = `)
			end := start + len(sectionOf(text[start:], x.header))
			if at := line.FindStringIndex(text[start:end]); at == nil {
				doc := docOf(t, fields.Name(), fields.Field(f).Name)
				value := leadingText(strings.TrimPrefix(doc[len(doc)-1], "# Default: "))
				before := regexp.MustCompile(`(?m)^(# )?` + regexp.QuoteMeta(after) + `.*\n`).FindStringIndex(text[start:end])
				text = text[:start+before[1]] + "\n" + key + " = " + value + "\n" + text[start+before[1]:]
			}
			after = key + " = "
		}
	}
	return text
}

var (
	headerForm = regexp.MustCompile(`^(?:# )?\[+([a-z_.]+)\]+(?: +#.*)?$`)
	keyForm    = regexp.MustCompile(`^(?:# )?([a-z_]+) = `)
)

// fieldDocs returns the comment of each key's field, by table and key, as lines of TOML.
func fieldDocs(t *testing.T) map[string]map[string][]string {
	t.Helper()
	docs := map[string]map[string][]string{"": {"include": docOf(t, "Config", "Include")}}
	for _, x := range exampleTables {
		docs[x.name] = map[string][]string{}
		fields := reflect.TypeOf(x.defaults)
		for _, key := range keysOf(t, x.name, x.header) {
			if name := fieldOf(fields, key); name != "" {
				docs[x.name][key] = docOf(t, fields.Name(), name)
			}
		}
	}
	return docs
}

// fieldOf returns the name of the field that holds a key, "" for a key that is another
// way to give a secret.
func fieldOf(table reflect.Type, key string) string {
	f, _ := table.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, strings.ReplaceAll(key, "_", "")) })
	return f.Name
}

// docOf returns the comment of a field as lines of TOML. The last one begins with
// "Default: " or "Required".
func docOf(t *testing.T, typeName, field string) (lines []string) {
	t.Helper()
	for _, f := range structs()[typeName].Fields.List {
		if f.Names[0].Name != field {
			continue
		}
		if f.Doc == nil {
			t.Fatalf("%s.%s has no comment above it", typeName, field)
		}
		for _, c := range f.Doc.List {
			lines = append(lines, "#"+strings.TrimPrefix(c.Text, "//"))
		}
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, "# Default: ") && !strings.HasPrefix(last, "# Required") {
			t.Errorf("%s.%s: the comment ends with %q, expected a line that begins with \"Default: \" or \"Required\"", typeName, field, last)
		}
	}
	return lines
}

// structs returns the package's struct types by name.
var structs = sync.OnceValue(func() map[string]*ast.StructType {
	all := map[string]*ast.StructType{}
	names, _ := filepath.Glob("*.go")
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			panic(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					all[spec.Name.Name] = s
				}
			}
			return true
		})
	}
	return all
})
