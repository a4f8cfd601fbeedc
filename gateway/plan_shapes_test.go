package gateway

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/gateway/gatewaytest"
)

// shapesConfig names a different file in each place that can name one.
const shapesConfig = `[listen]
certificate = "chain.pem"
private_key = "chain.key"
client_ca = "cas.pem"
crl = ["ca.crl"]
session_ticket_keys = "tickets"
intermediates = ["between.pem"]
[[client]]
name = "campus"
secret_file = "client.secret"
ca = "own.pem"
[[client]]
name = "lab"
ca = ["other.pem", "more.pem"]
[[server]]
name = "a"
address = "127.0.0.1"
secret_file = "server.secret"
health = "access-request"
health_user = "probe"
health_password_file = "health.password"
[[route]]
realms = ["*"]
servers = ["a"]
[routing]
loop_marker_secret_file = "marker.secret"
[metrics]
certificate = "metrics.pem"
private_key = "metrics.key"
token_file = "metrics.token"
[log]
hash_salt_file = "salt"
`

// shapePlace is such a place: where the file's mistakes are reported, what kind of file it is,
// and the content of a good one.
type shapePlace struct {
	file, at, kind string
	good           string
}

// shapePlaces makes the good files of shapesConfig.
func shapePlaces(t *testing.T) []shapePlace {
	t.Helper()
	ca, err := certs.NewCA("CA")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Server([]string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	private, err := pair.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	der, err := certstest.CRL(ca, time.Now(), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	list := string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
	chain, key := string(pair.CertPEM()), string(private)
	const secret = "0123456789abcdef0\n"
	return []shapePlace{
		{"chain.pem", "2: listen.certificate", "chain", chain},
		{"chain.key", "3: listen.private_key", "key", key},
		{"cas.pem", "4: listen.client_ca", "cas", string(ca.CertPEM())},
		{"ca.crl", "5: listen.crl[0]", "list", list},
		{"tickets", "6: listen.session_ticket_keys", "tickets", "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b" + "\n"},
		{"between.pem", "7: listen.intermediates[0]", "between", string(ca.CertPEM())},
		{"client.secret", "10: client[0].secret_file", "secret", secret},
		{"own.pem", "11: client[0].ca", "cas", string(ca.CertPEM())},
		{"other.pem", "14: client[1].ca[0]", "cas", string(ca.CertPEM())},
		{"more.pem", "14: client[1].ca[1]", "cas", string(ca.CertPEM())},
		{"server.secret", "18: server[0].secret_file", "secret", secret},
		{"health.password", "21: server[0].health_password_file", "secret", secret},
		{"marker.secret", "26: routing.loop_marker_secret_file", "secret", secret},
		{"metrics.pem", "28: metrics.certificate", "chain", chain},
		{"metrics.key", "29: metrics.private_key", "key", key},
		{"metrics.token", "30: metrics.token_file", "secret", secret},
		{"salt", "32: log.hash_salt_file", "secret", secret},
	}
}

// wide is text in UTF-16 with its mark.
func wide(text string, bigEndian bool) string {
	out := []byte{0xff, 0xfe}
	if bigEndian {
		out = []byte{0xfe, 0xff}
	}
	for _, c := range []byte(text) {
		pair := []byte{c, 0}
		if bigEndian {
			pair = []byte{0, c}
		}
		out = append(out, pair...)
	}
	return string(out)
}

// shape is a change of a good file, and what check says about it at each kind of place: "" is
// accepted, "warned: " accepted with a warning that has what follows, "TEXT" or "LINE: TEXT"
// the whole mistake after the file's name. LAST means the number of the good file's last
// line, NEXT that of the one after; KIND the kind of block that is expected, NAME the name of
// the file.
type shape struct {
	name   string
	change func(good string) string
	want   map[string]string
}

// pemShape has the same words for all files of PEM.
func pemShape(name string, change func(string) string, pem, tickets, secret string) shape {
	return shape{name, change, map[string]string{"chain": pem, "key": pem, "cas": pem, "between": pem, "list": pem, "tickets": tickets, "secret": secret}}
}

const (
	sixtyFour = `expected 64 hex digits, as "openssl rand -hex 32" prints, got `
	blocks    = " outside of the blocks: expected only blocks; `sed -n '/^-----BEGIN/,/^-----END/p' FILE` prints the blocks alone"
	markPEM   = `expected "-----BEGIN"; save the file as ASCII or as UTF-8 without a mark`
)

func shapes() []shape {
	replace := func(from, to string) func(string) string {
		return func(s string) string { return strings.ReplaceAll(s, from, to) }
	}
	always := func(text string) func(string) string { return func(string) string { return text } }
	after := func(text string) func(string) string { return func(s string) string { return s + text } }
	before := func(text string) func(string) string { return func(s string) string { return text + s } }
	mark := func(name string) (pem, tickets, secret string) {
		return "1: a byte order mark (" + name + ") begins the file: " + markPEM,
			"1: a byte order mark (" + name + ") begins the file: save it as ASCII or as UTF-8 without a mark",
			"1: expected a secret, got one that begins with a byte order mark (" + name + "): save it without one"
	}
	utf8p, utf8t, utf8s := mark("UTF-8")
	lep, let, les := mark("UTF-16, little endian")
	bep, bet, bes := mark("UTF-16, big endian")
	return append(wholeShapes(), []shape{
		pemShape("as it should be", after(""), "", "", ""),
		pemShape("CRLF", replace("\n", "\r\n"), "", "", ""),
		pemShape("without a last newline", func(s string) string { return strings.TrimSuffix(s, "\n") }, "", "", ""),
		pemShape("blanks at the ends of lines", replace("\n", " \n"), "", "", "warned: the secret ends with blanks (1)"),
		pemShape("UTF-8 byte order mark", before("\xef\xbb\xbf"), utf8p, utf8t, utf8s),
		pemShape("UTF-16LE", func(s string) string { return wide(s, false) }, lep, let, les),
		pemShape("UTF-16BE", func(s string) string { return wide(s, true) }, bep, bet, bes),
		pemShape("empty", always(""), `expected PEM with "BEGIN KIND", got an empty file`, "expected 1 to 16 keys, got an empty file", "expected a secret, got an empty one (RFC 2865 §3)"),
		pemShape("an empty line", always("\n"), `expected PEM with "BEGIN KIND", got only blanks and empty lines`, "expected 1 to 16 keys, got an empty file", "expected a secret, got an empty one (RFC 2865 §3)"),
		pemShape("blanks", always("  \n \n"), `expected PEM with "BEGIN KIND", got only blanks and empty lines`, "expected 1 to 16 keys, got an empty file", "expected a secret, got only blanks and empty lines"),
		pemShape("an empty line behind", after("\n"), "", "", "2: expected a secret, got more than one end of line after it: expected at most one"),
		pemShape("text behind", after("and more\n"), "NEXT: text"+blocks, "2: "+sixtyFour+"8 characters that are not all hex digits", "2: expected a secret, got a second line: expected one"),
		pemShape("a comment before", before("# ours\n"), "1: a comment"+blocks, "", "2: expected a secret, got a second line: expected one"),
		pemShape("NULs behind", after("\x00\x00"), "NEXT: NUL bytes: expected text; the file is damaged, or was not completely written",
			"2: "+sixtyFour+"NUL bytes: the file is damaged, or was not completely written", "2: expected a secret, got one with a NUL byte: the file is damaged, or is not text"),
		pemShape("indented", func(s string) string {
			return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ") + "\n"
		},
			"1: the line is indented: expected no blanks before the blocks", "", "warned: the secret begins with blanks (2)"),
		pemShape("in quotes", func(s string) string { return `"` + strings.TrimSuffix(s, "\n") + "\"\n" },
			`1: a damaged line of a block's beginning or end: expected it to begin with five hyphens, as "-----BEGIN KIND-----"`,
			"1: "+sixtyFour+"66 characters that are not all hex digits", "warned: the secret is in quotes"),
		pemShape("carriage returns alone", replace("\n", "\r"), "1: carriage returns without line feeds: expected lines that end with LF or CRLF", "",
			"1: expected a secret, got one with a carriage return at its end: expected LF or CRLF there"),
		pemShape("gzip", always("\x1f\x8b\x08\x00"), `expected PEM with "BEGIN KIND", got a gzip file: unpack it`, "1: "+sixtyFour+"NUL bytes: the file is damaged, or was not completely written", "1: expected a secret, got one with a NUL byte: the file is damaged, or is not text"),
	}...)
}

// wholeShapes are those where the kinds of PEM files differ.
func wholeShapes() []shape {
	cut := func(s string) string { return s[:len(s)-len(s)/4] }
	twice := func(s string) string { return s + s }
	cat := func(s string) string { return strings.TrimSuffix(s, "\n") + s }
	const shared = `LAST: "END" and "BEGIN" are on the same line: files were concatenated, and the first ends without a newline; break the line between them`
	const short = `1: "BEGIN KIND" has no END: the file is cut short`
	return []shape{
		pemShape("cut short", cut, short, "1: "+sixtyFour+"49: is the line cut short, or are two joined?", ""),
		pemShape("cat without a last newline", cat, shared, "1: "+sixtyFour+"128: is the line cut short, or are two joined?", ""),
		{"twice", twice, map[string]string{
			"chain":   "NEXT: the certificate of CN=localhost,O=radsec-gw development is listed twice: it is already on line 1; expected each certificate of the chain once",
			"key":     "NEXT: a second private key: expected one, which is on line 1",
			"cas":     "warned: NAME:NEXT: the certificate of CN=CA,O=radsec-gw development is listed twice: it is already on line 1",
			"between": "warned: NAME:NEXT: the certificate of CN=CA,O=radsec-gw development is listed twice: it is already on line 1",
			"list":    "",
			"tickets": "2: the key is listed twice: it is already on line 1; expected different keys",
			"secret":  "2: expected a secret, got a second line: expected one",
		}},
	}
}

// strays are whole files of one place that were put in another, or appended to its own.
func strays(places []shapePlace) (list []shape) {
	file := map[string]string{}
	for _, p := range places {
		file[p.kind] = p.good
	}
	got := func(kind, advice string) string {
		return `expected PEM with "BEGIN KIND", got "` + kind + `": ` + advice
	}
	own := "a private key belongs in a file of its own that only its user can read"
	for _, x := range []struct {
		name, text string
		want       map[string]string
	}{
		{"a private key", file["key"], map[string]string{
			"chain": got("PRIVATE KEY", own), "cas": got("PRIVATE KEY", own), "between": got("PRIVATE KEY", own),
			"list": got("PRIVATE KEY", "a private key does not belong here")}},
		{"a revocation list", file["list"], map[string]string{
			"chain": got("X509 CRL", "a revocation list belongs in crl or client_ca"), "key": got("X509 CRL", "a revocation list belongs in crl or client_ca")}},
		{"a CA", file["cas"], map[string]string{
			"key": got("CERTIFICATE", "a certificate belongs in a file of its own"), "list": got("CERTIFICATE", "a CA belongs in client_ca")}},
		{"a server's certificate", file["chain"], map[string]string{
			"cas":     "CN=localhost,O=radsec-gw development is not a CA (basicConstraints), but was signed by CN=CA,O=radsec-gw development: expected the CA that signs the clients' certificates",
			"between": "CN=localhost,O=radsec-gw development is not a CA (basicConstraints): expected a CA between the clients' certificates and client_ca"}},
	} {
		for kind, want := range x.want {
			list = append(list,
				shape{x.name + " for it", func(string) string { return x.text }, map[string]string{kind: "1: " + want}},
				shape{x.name + " behind it", func(s string) string { return s + x.text }, map[string]string{kind: "NEXT: " + want}})
		}
	}
	list = append(list,
		shape{"a list behind it", func(s string) string { return s + file["list"] }, map[string]string{"cas": "", "between": ""}},
		shape{"the CA behind it", func(s string) string { return s + file["cas"] }, map[string]string{"chain": ""}},
		shape{"lists alone", func(string) string { return file["list"] }, map[string]string{"cas": "expected a CA, got revocation lists only", "between": "expected a CA, got revocation lists only"}},
		shape{"a private key for it", func(string) string { return file["key"] }, map[string]string{"tickets": "1: " + sixtyFour + "a line of PEM", "secret": "2: expected a secret, got a second line: expected one"}})
	return list
}

// Each shape of a file in each place that can name a file: check accepts it, or says what is
// wrong with the file and the line, and exits with 1. No output shows a key or a secret.
//
// Rules: P104
func TestShapesOfFiles(t *testing.T) {
	dir := t.TempDir()
	places := shapePlaces(t)
	file := filepath.Join(dir, "c.toml")
	gatewaytest.WriteFile(t, file, []byte(shapesConfig))
	for _, p := range places {
		gatewaytest.WriteFile(t, filepath.Join(dir, p.file), []byte(p.good))
	}
	wantNamed(t, file, places)
	cells := 0
	for _, s := range append(shapes(), strays(places)...) {
		for _, p := range places {
			want, ok := s.want[p.kind]
			if !ok {
				continue
			}
			cells++
			path := filepath.Join(dir, p.file)
			gatewaytest.WriteFile(t, path, []byte(s.change(p.good)))
			checkShape(t, dir, s.name+" at "+p.at, p, want)
			gatewaytest.WriteFile(t, path, []byte(p.good))
		}
	}
	if cells < 350 {
		t.Errorf("expected 350 shapes at places and more, got %d", cells)
	}
	if err := os.Remove(filepath.Join(dir, "cas.pem")); err != nil {
		t.Fatal(err)
	}
	if err := mistakesOf(t, file); !strings.Contains(err.Error(), `c.toml:4: listen.client_ca: expected a readable file, got "cas.pem"`) {
		t.Errorf("a missing file: expected its mistake, got %v", err)
	}
}

// wantNamed fails the test unless check reports on the files of places, the configuration, and
// no others.
func wantNamed(t *testing.T, file string, places []shapePlace) {
	t.Helper()
	p, err := Load(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, n := range p.Files() {
		named[filepath.Base(n.Path)] = true
	}
	for _, p := range places {
		if !named[p.file] {
			t.Errorf("check does not look at the owner and mode of %s (%s)", p.file, p.at)
		}
	}
	if len(named) != len(places)+1 {
		t.Errorf("expected the %d files of the places and the configuration, got %d", len(places), len(named))
	}
}

// checkShape runs check, whose output must be want.
func checkShape(t *testing.T, dir, name string, p shapePlace, want string) {
	t.Helper()
	last := strings.Count(p.good, "\n")
	kind := map[string]string{"chain": "CERTIFICATE", "cas": "CERTIFICATE", "between": "CERTIFICATE", "key": "PRIVATE KEY", "list": "X509 CRL"}[p.kind]
	want = strings.NewReplacer("LAST: ", fmt.Sprint(last, ": "), "NEXT: ", fmt.Sprint(last+1, ": "), "NAME:", p.file+":", "BEGIN KIND", "BEGIN "+kind).Replace(want)
	out, errs := "", ""
	file := filepath.Join(dir, "c.toml")
	if _, err := Load(t.Context(), file); err != nil {
		errs = strings.ReplaceAll(err.Error(), dir+"/", "")
	} else {
		out = strings.ReplaceAll(warningsOf(t, file), dir+"/", "")
	}
	warning, warned := strings.CutPrefix(want, "warned: ")
	switch {
	case warned || want == "":
		if errs != "" || !strings.Contains(out, warning) {
			t.Errorf("%s: expected it to be accepted with a warning %q, got %s", name, warning, errs)
		}
		if !warned && strings.Contains(out, p.at+":") && p.file != "cas.pem" {
			t.Errorf("%s: expected no warning, got\n%s", name, out)
		}
	default:
		line := "c.toml:" + p.at + ": " + p.file + ": " + want
		if want[0] >= '0' && want[0] <= '9' {
			line = "c.toml:" + p.at + ": " + p.file + ":" + want
		}
		if errs != line {
			t.Errorf("%s: expected\n%s\ngot\n%s", name, line, errs)
		}
	}
	if hidden := "0123456789abcdef"; strings.Contains(out+errs, hidden) || p.kind == "key" && strings.Contains(errs, p.good[40:60]) {
		t.Errorf("%s: a secret is shown in\n%s%s", name, out, errs)
	}
}
