package radsecproxy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"radsec-gw/importer"
	"radsec-gw/importer/importertest"
)

// Each configuration in testdata becomes the one beside it.
func TestImport(t *testing.T) {
	for _, name := range []string{"idp", "roaming", "order", "rewriting"} {
		t.Run(name, func(t *testing.T) {
			file, err := filepath.Abs(filepath.Join("testdata", name, "radsecproxy.conf"))
			if err != nil {
				t.Fatal(err)
			}
			source := importer.Disk()
			source.Base = filepath.Dir(file)
			d := &importer.Draft{Source: "radsecproxy.conf"}
			if err := Import(source, file, d); err != nil {
				t.Fatal(err)
			}
			importertest.Compare(t, d, filepath.Join("testdata", name, "want.toml"))
			checkRules(t, d)
		})
	}
}

// importText imports one file, or the file with others beside it.
func importText(text string, others map[string]string) (*importer.Draft, error) {
	files := fstest.MapFS{"etc/radsecproxy.conf": {Data: []byte(text)}}
	for name, text := range others {
		files["etc/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	source := importer.NewSource(files)
	source.Base = "/etc"
	d := &importer.Draft{Source: "radsecproxy.conf"}
	return d, Import(source, "/etc/radsecproxy.conf", d)
}

// A mistake has its line, what was expected, and what is there.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"LogLevel":                                     "radsecproxy.conf:1: expected a value after LogLevel, got the end of the line",
		"# comment\n\nLogLevel x":                      `radsecproxy.conf:3: expected a number for LogLevel, got "x"`,
		"client x {\n type \"tls\n}":                   `radsecproxy.conf:2: expected another " at the end of the value, got the end of the line`,
		"client x {\n type tls":                        `radsecproxy.conf:1: expected } for client "x", got the end of the file`,
		"}":                                            "radsecproxy.conf:1: expected an option or a block, got }: there is no { before it",
		"client x {\n type tls # a comment\n}":         `radsecproxy.conf:2: expected the end of the line or { after type and its value, got more: a value with blanks must be in quotes, and a comment needs a line of its own`,
		"client x {\n server y {\n}\n}":                `radsecproxy.conf:2: expected an option of client "x", or }, got the block server "y"`,
		"clients x {\n}":                               `radsecproxy.conf:1: expected a block client, server, realm, tls or rewrite, got "clients"`,
		"LoopPrevention maybe":                         `radsecproxy.conf:1: expected on or off for LoopPrevention, got "maybe"`,
		"PidFile a\npidfile b":                         "radsecproxy.conf:2: expected pidfile once in the basic options, got it a second time after radsecproxy.conf:1",
		"realm x {\n server y\n}":                      `radsecproxy.conf:2: expected the name of a server block, got "y"`,
		"server y {\n type udp\n}":                     `radsecproxy.conf:1: expected a secret in server "y", which speaks UDP, got none`,
		"client x {\n type tls\n host 192.0.2.0/33\n}": `radsecproxy.conf:3: expected an address, a network such as 192.0.2.0/24 or a name for host, got "192.0.2.0/33"`,
		"client x/24 {\n type tls\n}":                  `radsecproxy.conf:1: expected an address, a network such as 192.0.2.0/24 or a name for host, got "x/24"`,
		"include other.conf":                           "other.conf:1: expected another file, got /etc/radsecproxy.conf, which includes itself",
		"include [":                                    "radsecproxy.conf:1: expected a pattern of file names",
	} {
		_, err := importText(text, map[string]string{"other.conf": "include radsecproxy.conf\n"})
		var mistake *importer.Error
		if !errors.As(err, &mistake) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, expected %s", text, err, want)
		}
	}
}

// Files are included where they are named, those of a pattern in the order of their names;
// a file may even end a block, and there may be none.
func TestInclude(t *testing.T) {
	items, err := parse(importer.NewSource(fstest.MapFS{
		"etc/main":     {Data: []byte("a 1\ninclude d/*.conf\ninclude none/*\nb = 2\nclient c {\n\tinclude end\nd 'x y'\n")},
		"etc/d/2.conf": {Data: []byte("e \"2\"")}, "etc/d/1.conf": {Data: []byte("f 1\r\n")}, "etc/d/3.txt": {Data: []byte("g 3")},
		"etc/end": {Data: []byte("h 5\n}\n")},
	}), "/etc/main")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range items {
		got = append(got, it.name+"="+it.value)
	}
	if want := []string{"a=1", "f=1", "e=2", "b=2", "client=c", "d=x y"}; !slices.Equal(got, want) {
		t.Errorf("got %q, expected %q", got, want)
	}
}

// A line that is not understood may hold a secret: the mistake does not quote it.
func TestMistakesQuoteNoSecret(t *testing.T) {
	for _, line := range []string{`secret first Hidden-0123`, `secret "first"Hidden-0123`, `secret "Hidden-0123`, `secret = "" Hidden-0123`, `secret = 'a' {Hidden-0123`, `secret Hidden-0123 {`, "}\nclient y {\nsecret Hidden-0123 {"} {
		_, err := importText("client x {\n type udp\n "+line+"\n}\n", nil)
		if strings.Contains(fmt.Sprint(err), "Hid") || strings.Contains(fmt.Sprint(err), `"H"`) {
			t.Errorf("%s: expected a mistake without the secret, got %v", line, err)
		}
	}
}

// No secret is in a comment, a note or a mistake.
func TestSecretsAreNotInComments(t *testing.T) {
	const secret = "very-Secret-0123"
	d, err := importText("tls default {\nCertificateKeyPassword "+secret+"\n}\nclient a {\ntype tls\nPSKkey "+secret+"\nsecret "+secret+"\n}\nclient b {\ntype udp\nsecret "+secret+"\n}\nLogKey "+secret+"\n"+
		"rewrite r {\naddAttribute 69:"+secret+"\naddVendorAttribute 9:1:"+secret+":x\nmodifyAttribute 1:/a/"+secret+"/\nsupplementAttribute "+secret+"\n"+
		"supplementVendorAttribute 9:"+secret+"\nremoveVendorAttribute 9:2\nwhitelistAttribute 5\n}\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range strings.Split(importertest.Text(t, d), "\n") {
		if strings.HasPrefix(l, "#") && strings.Contains(l, secret) && !strings.HasPrefix(l, "# secret = ") {
			t.Errorf("a comment has the secret: %s", l)
		}
	}
	for _, n := range d.Notes() {
		if strings.Contains(n.Text, secret) {
			t.Errorf("a note has the secret: %v", n)
		}
	}
	const options = "(addAttribute 69:…, addVendorAttribute 9:1:…, modifyAttribute 1:…, supplementAttribute …, supplementVendorAttribute 9:…, removeVendorAttribute 9:2, whitelistAttribute 5)"
	if !slices.ContainsFunc(d.Notes(), func(n importer.Note) bool { return strings.HasSuffix(n.Text, options) }) {
		t.Errorf("expected a note that ends with %s, got %v", options, d.Notes())
	}
}

// Any file is imported or refused, and what comes out is TOML.
func FuzzImport(f *testing.F) {
	for _, name := range []string{"idp/radsecproxy.conf", "idp/clients.d/20-campus.conf", "roaming/radsecproxy.conf", "order/radsecproxy.conf", "rewriting/radsecproxy.conf"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "client x {\ntype tls\nsecret %00%ff\n}")
	}
	f.Add("include *\n", "include radsecproxy.conf")
	f.Fuzz(func(t *testing.T, text, other string) {
		d, err := importText(text, map[string]string{"other.conf": other})
		importertest.CheckImported(t, d, err)
		if err == nil {
			checkRules(t, d)
		}
	})
}
