package freeradius

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"radsec-gw/importer"
	"radsec-gw/importer/importertest"
)

// fixed is what the tests have for random bytes.
type fixed struct{}

func (fixed) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 0x5a
	}
	return len(b), nil
}

// testEnv is the environment of the tests.
func testEnv(name string) (string, bool) {
	value, ok := map[string]string{"HOME": "/home"}[name]
	return value, ok
}

// Each directory in testdata becomes the configuration beside it.
func TestImport(t *testing.T) {
	for _, name := range []string{"raddb3", "raddb2"} {
		t.Run(name, func(t *testing.T) {
			dir, err := filepath.Abs(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			source := importer.Disk()
			source.Base = dir
			d := &importer.Draft{Source: name}
			if err := Import(source, dir, d, Options{Random: fixed{}, LookupEnv: testEnv}); err != nil {
				t.Fatal(err)
			}
			importertest.Compare(t, d, filepath.Join("testdata", name+".toml"))
			if len(d.Help) != 1 {
				t.Errorf("expected one line about the client that the gateway is, got %q", d.Help)
			}
		})
	}
}

// importText imports a radiusd.conf, with other files beside it.
func importText(text string, others map[string]string) (*importer.Draft, error) {
	files := fstest.MapFS{"etc/raddb/radiusd.conf": {Data: []byte(text)}}
	for name, text := range others {
		files["etc/raddb/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	source := importer.NewSource(files)
	source.Base = "/etc/raddb"
	d := &importer.Draft{Source: "raddb"}
	return d, Import(source, "/etc/raddb", d, Options{Random: fixed{}, LookupEnv: testEnv})
}

// A mistake has its line, what was expected, and what is there.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"}":                             "radiusd.conf:1: expected a name, got }: there is no { before it in this file",
		"\nclient x {\n":                "radiusd.conf:2: expected } for client x, got the end of radiusd.conf",
		"modules {\n\n eap {\n}":        "radiusd.conf:1: expected } for modules, got the end of radiusd.conf",
		"a = \"b":                       `radiusd.conf:1: expected another " at the end`,
		"a = b c":                       `radiusd.conf:1: expected the end of the line after the value of a, got more`,
		"client x y {":                  `radiusd.conf:1: expected = or { after client, got another word`,
		"= x":                           "radiusd.conf:1: expected a name, got =",
		"$INCLUDE other.conf":           "other.conf:1: expected another file, got /etc/raddb/radiusd.conf, which includes itself",
		"$INCLUDE":                      "radiusd.conf:1: expected the name of a file after $INCLUDE, got the end of the line",
		"$INCLUDE none.conf":            "radiusd.conf:1: expected a file to include, got /etc/raddb/none.conf: ",
		"$INCLUDE none/":                "radiusd.conf:1: expected a directory to include, got /etc/raddb/none: ",
		"client x {\n$INCLUDE open.inc": "open.inc:1: expected } for limit, got the end of open.inc",
	} {
		_, err := importText(text, map[string]string{"other.conf": "$INCLUDE radiusd.conf\n", "open.inc": "limit {\n"})
		var mistake *importer.Error
		if !errors.As(err, &mistake) || !strings.HasPrefix(err.Error(), strings.TrimSuffix(want, " at the end")) {
			t.Errorf("%q: got %v, expected %s", text, err, want)
		}
	}
}

// A line that is not understood may hold a secret: the mistake does not quote it.
func TestMistakesQuoteNoSecret(t *testing.T) {
	for _, line := range []string{"secret Hidden-0123", "secret = first Hidden-0123", `secret = "first"Hidden-0123`, `secret = "Hidden-0123`, "secret Hidden-0123 {\n limit {"} {
		_, err := importText("client x {\n ipaddr = 192.0.2.1\n "+line+"\n}\n", nil)
		if err == nil || strings.Contains(err.Error(), "Hid") || strings.Contains(err.Error(), `"H"`) {
			t.Errorf("%s: expected a mistake without the secret, got %v", line, err)
		}
	}
}

// Values are what FreeRADIUS makes of them.
func TestValues(t *testing.T) {
	const text = `v = /x
name = outer
client a {
	name = inner
	bare = a#b{c}=d     # a comment
	quoted = "a \"b\" \101\n${v}"
	single = 'a "b" ${v} \'c\''
	both = ${v}/${name}
	above = ${..name}
	path = ${proxy.depth}
	long = one\
two
	none = # nothing
	flag
	env = $ENV{HOME}
	unset = $ENV{UNSET}
	list = a, other = b
	unknown = ${nothing}
}
`
	p, err := parse(importer.NewSource(fstest.MapFS{"r/radiusd.conf": {Data: []byte("proxy server {\ndepth = 3\n}\n" + text)}}), "/r", testEnv)
	if err != nil {
		t.Fatal(err)
	}
	a := p.root.all("client")[0]
	for name, want := range map[string]string{
		"bare": "a#b{c}=d", "quoted": "a \"b\" A\n/x", "single": `a "b" ${v} 'c'`, "both": "/x/inner", "above": "outer", "path": "3",
		"long": "onetwo", "none": "", "flag": "", "env": "/home", "unset": "$ENV{UNSET}", "list": "a", "other": "b", "unknown": "${nothing}",
	} {
		if v, ok := a.value(name); !ok || v.value != want {
			t.Errorf("%s is %q, %v; expected %q", name, v.value, ok, want)
		}
	}
	if len(p.notes) != 2 || p.notes[0].Line != 19 || p.notes[1].Line != 21 {
		t.Errorf("expected notes about lines 19 and 21, got %v", p.notes)
	}
}

// What expands without bound is cut off.
func TestExpansionIsBounded(t *testing.T) {
	text := "a0 = xxxxxxxxxxxxxxxx\n"
	for i := range 30 {
		text += "a" + itoa(i+1) + " = ${a" + itoa(i) + "}${a" + itoa(i) + "}\n"
	}
	if _, err := importText(text, nil); err == nil || !strings.Contains(err.Error(), "expected a value of at most") {
		t.Errorf("expected a mistake about the length, got %v", err)
	}
}

func itoa(n int) string { return string([]byte{byte('0' + n/10), byte('0' + n%10)}) }

// Any files are imported or refused, and what comes out is TOML.
func FuzzImport(f *testing.F) {
	for _, name := range []string{"radiusd.conf", "clients.conf", "proxy.conf", "sites-enabled/default", "sites-enabled/tls"} {
		text, err := os.ReadFile(filepath.Join("testdata/raddb3", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "client x {\nipaddr = 127.0.0.1\nsecret = \"\\000\\377\"\n}")
	}
	f.Add("$INCLUDE other.conf\n$INCLUDE other.conf", "a = \"${a}${a}\"\n\\\n")
	f.Fuzz(func(t *testing.T, text, other string) {
		d, err := importText(text, map[string]string{"other.conf": other})
		importertest.CheckImported(t, d, err)
	})
}
