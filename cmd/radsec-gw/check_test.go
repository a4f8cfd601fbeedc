package main

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/config"
)

func checkCommand(args ...string) (int, string, string) {
	return runCommand(func(a []string, o, e *bytes.Buffer) int { return runCheck(a, o, e) }, args...)
}

// checkDir makes a directory with development certificates and the file c.toml.
func checkDir(t *testing.T, text string) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	if _, err := certs.WriteDir(filepath.Join(dir, "certs/dev"), certs.DirOptions{Clients: []string{"client"}}); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "c.toml")
	writeTestFile(t, file, []byte(text))
	return dir, file
}

func writeTestFile(t *testing.T, path string, octets []byte) {
	t.Helper()
	if err := os.WriteFile(path, octets, 0o600); err != nil {
		t.Fatal(err)
	}
}

const checkConfig = `[listen]
certificate = "certs/dev/server.pem"
private_key = "certs/dev/server.key"
client_ca = "certs/dev/ca.pem"
[[client]]
name = "campus"
networks = ["192.0.2.0/24", "::1"]
san_dns = ["*.campus.example"]
packets = ["access", "coa"]
[[client]]
name = "pinned"
fingerprints = ["12:34:56:78:9A:BC:DE:F0:12:34:56:78:9A:BC:DE:F0:12:34:56:78:9A:BC:DE:F0:12:34:56:78:9A:BC:DE:F0"]
[[client]]
name = "rest"
[[server]]
name = "a"
address = "127.0.0.1"
secret = "0123456789abcdef"
[[server]]
name = "b"
address = "::1"
auth_port = 11812
secret = "0123456789ab"
[[route]]
realms = ["*", "~^lab", "*.example.org"]
servers = ["a"]
[[route]]
realms = ["", "example.org", "*.b.example.org"]
packets = ["disconnect", "access", "coa"]
servers = ["a", "b"]
balance = "sticky"
on_unreachable = "silent"
`

// The report of a file that is right.
func TestCheckReport(t *testing.T) {
	_, file := checkDir(t, checkConfig)
	status, out, errs := checkCommand("-config", file)
	if status != 0 || errs != "" {
		t.Fatalf("expected 0 and no mistakes, got %d:\n%s", status, errs)
	}
	out = strings.ReplaceAll(out, file, "c.toml")
	rest := out
	for _, want := range []string{ // in this order
		"c.toml has no mistakes.\n",
		"address              0.0.0.0:2083, TLS 1.2 and newer\n",
		"for localhost, radsec-server, 127.0.0.1, ::1, until ",
		"client certificates  required\n",
		"campus  from 192.0.2.0/24 or ::1/128, named *.campus.example  access, coa\n",
		"pinned  fingerprint sha256:12:34:56:78:…                      access, accounting, coa, disconnect\n",
		"rest    any certificate of the client CA",
		"realm            packets          servers                         balance   unreachable\n",
		"(no realm)       access           a 127.0.0.1:1812, b [::1]:11812  sticky    silent\n",
		"(no realm)       coa, disconnect  a 127.0.0.1:3799, b [::1]:3799   sticky    silent\n",
		"example.org      access",
		"*.b.example.org  access",
		"*.example.org    access           a 127.0.0.1:1812                 failover  reject\n",
		"*.example.org    accounting       a 127.0.0.1:1813                 failover  silent\n",
		"~^lab            access",
		"* (default)      access",
		"An Access-Request that no route takes, or that its client may not send: reject\n",
		"An Accounting-Request likewise: silent\n",
		"In RADIUS/1.1 both get a Protocol-Error instead; CoA and Disconnect get a NAK\n",
		"The realm of a User-Name: user@realm\n",
		"Requests that a server sends back: refused, by a Proxy-State that only this process knows\n",
		"Servers: what silence leads to\n",
		"a request is sent at 0s, 2s, 6s, 14s (each wait ±10 %) and given up at 30s\n",
		"auth, acct: 3 requests, due again after 2s with no reply to anything since, make it suspect",
		"auth, acct: a suspect is probed with Status-Server each 3s; down after 3 probes without an answer (about 11s after it fell silent), up again after 3 replies\n",
		"auth, acct: 5 requests overdue, none answered since, make it failing while its probes are answered: it is there and does not do its work; new requests avoid it, a request tries it after 3s, 6s and each 12s, and three answered requests bring it back\n",
		"auth, acct: overdue is what has waited four times as long as any answer took of late; on a route whose patience is above 10s, what has waited as long as that\n",
		"auth, acct: after one silent request, and unheard for 30s, it is probed",
		"coa: never probed; 3 requests, due again after 2s with no reply to anything since, make a port down; then a request tries it after 3s, 6s and each 12s",
		"Groups: who gets a request\n",
		"route 1, to a\n",
		"there is no other server: given up, an Access-Request gets an Access-Reject, the others get no answer\n",
		"route 2, to a, b\n",
		"sticky: of those that are up the one that station and user point to",
		"State: to the server that issued it unless that is down;",
		"a request goes to the next server at once when its server is down or failing, cannot be reached",
		"nothing at all was heard from its server since it was sent: from a after 2 transmissions, 6s (5.22s to 6.82s); from b after 2 transmissions, 6s (5.22s to 6.82s)\n",
		"its server answers others or its probes, and not this request: after 10s (patience)\n",
		"with a patience below the time that users need to confirm a login they are asked twice",
		"CoA and Disconnect do not move on",
		"given up, an Access-Request gets no answer",
		"Warnings:\n",
		`c.toml:13: client[2]: client "rest" has no condition`,
		`c.toml:23: server[1].secret: server "b" has a secret of 12 octets`,
	} {
		want = strings.Join(strings.Fields(want), " ")
		i := strings.Index(strings.Join(strings.Fields(rest), " "), want)
		if i < 0 {
			t.Fatalf("expected %q after what came before, in\n%s", want, out)
		}
		rest = strings.Join(strings.Fields(rest), " ")[i+len(want):]
	}
	if strings.Contains(out, "0123456789ab") {
		t.Errorf("a secret was printed:\n%s", out)
	}
}

// The example is right once its certificates are there.
func TestCheckExample(t *testing.T) {
	text, err := os.ReadFile("../../config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	dir, file := checkDir(t, string(text))
	if err := os.Remove(filepath.Join(dir, "certs/dev/ca.key")); err != nil { // a gateway has it not
		t.Fatal(err)
	}
	status, out, errs := checkCommand("-config", file)
	if status != 0 || strings.Contains(out, "Warnings") {
		t.Errorf("expected the example to have no mistakes and no warnings, got %d:\n%s%s", status, out, errs)
	}
}

// What is wrong with the files, or with the routing table, is a mistake with
// a line like any other.
func TestCheckMistakes(t *testing.T) {
	good, err := certs.NewCA("another CA")
	if err != nil {
		t.Fatal(err)
	}
	other, err := good.Server("elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	key, err := other.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name string
		old  string
		new  string // replaces old in the file
		file string // to write octets to
		text []byte
		want []string
	}{
		{"unknown key and bad value", "balance = ", "balanse = 1\nbalance = 2 #", "", nil, []string{
			`c.toml:31: route[1].balanse: unknown key`, `c.toml:32: route[1].balance: expected a string in quotes, got the integer 2`, "2 mistakes\n"}},
		{"key of another certificate", "", "", "certs/dev/server.key", key, []string{
			"c.toml:2: listen.certificate: ", "server.key is not the key of the first certificate in ", "1 mistake\n"}},
		{"key for certificate", "", "", "certs/dev/server.pem", key, []string{`c.toml:2: listen.certificate: `, `server.pem:1: expected PEM with "BEGIN CERTIFICATE", got "PRIVATE KEY": a private key belongs in a file of its own`}},
		{"certificate for key", "", "", "certs/dev/server.key", other.CertPEM(), []string{`server.key:1: expected PEM with "BEGIN PRIVATE KEY", got "CERTIFICATE"`}},
		{"CA of nothing", "", "", "certs/dev/ca.pem", []byte("hello"), []string{`c.toml:4: listen.client_ca: `, `expected PEM with "BEGIN CERTIFICATE", got 5 bytes without`}},
		{"CA that is none", "", "", "certs/dev/ca.pem", other.CertPEM(), []string{`c.toml:4: listen.client_ca: `, `is not a CA (basicConstraints)`}},
		{"CA and key at once", "client_ca = \"certs/dev/ca.pem\"", "client_ca = \"certs/dev/client.pem\"", "certs/dev/server.key", []byte("x"), []string{"c.toml:3: listen.private_key: ", "c.toml:4: ", "2 mistakes\n"}},
		{"one realm in two forms", `"example.org", "*.b`, "\"\u00fc.example\", \"u\u0308.example\", \"*.b", "", nil, []string{`c.toml:28: route[1].realms[2]: route[1] takes disconnect packets of realm`}},
	} {
		t.Run(x.name, func(t *testing.T) {
			dir, file := checkDir(t, strings.Replace(checkConfig, x.old, x.new, 1))
			if x.file != "" {
				writeTestFile(t, filepath.Join(dir, x.file), x.text)
			}
			status, out, errs := checkCommand("-config", file)
			if status != 1 || out != "" {
				t.Errorf("expected 1 and nothing but mistakes, got %d:\n%s", status, out)
			}
			for _, want := range x.want {
				if !strings.Contains(errs, want) {
					t.Errorf("expected %q, came\n%s", want, errs)
				}
			}
		})
	}
}

// Certificates that clients will not like are worth a warning.
func TestCheckWarnsAboutCertificates(t *testing.T) {
	ca, err := certs.NewCA("CA", certs.Valid(10*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.ServerWith(nil, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
	if err != nil {
		t.Fatal(err)
	}
	m := &material{pair: pair.TLS(), cas: []*x509.Certificate{ca.Certificate},
		issuerFiles: []issuerFile{{"listen.client_ca", "ca.pem", []*x509.Certificate{ca.Certificate}}}}
	got := strings.Join(append(m.ownWarnings(&config.Config{}, time.Now()), m.warnings(&config.Config{}, time.Now())...), "\n")
	for _, want := range []string{"expired on ", "no host names or addresses", "is not for servers", "listen.client_ca: ca.pem: the certificate of CN=CA"} {
		if !strings.Contains(got, want) {
			t.Errorf("expected a warning %q, came\n%s", want, got)
		}
	}
	early := &material{pair: pair.TLS()}
	if got := strings.Join(early.ownWarnings(&config.Config{}, time.Now().Add(-48*time.Hour)), "\n"); !strings.Contains(got, "is not valid before") {
		t.Errorf("expected a warning about the time before, came\n%s", got)
	}
}

func TestCheckUsage(t *testing.T) {
	for _, x := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, 2, "expected -config FILE"},
		{[]string{"-config", "x", "y"}, 2, "expected -config FILE"},
		{[]string{"-nope"}, 2, "not defined: -nope"},
		{[]string{"-help"}, 0, "config.example.toml"},
		{[]string{"-config", "/nowhere/c.toml"}, 1, "there is no /nowhere/c.toml"},
	} {
		if status, _, errs := checkCommand(x.args...); status != x.status || !strings.Contains(errs, x.want) {
			t.Errorf("check %q: expected %d and %q, got %d: %s", x.args, x.status, x.want, status, errs)
		}
	}
}

// One run tells every mistake: of the file, inside the files that it names, and
// of the routing table, each once, by line. What follows from another mistake is
// not told.
func TestCheckReportsAllAtOnce(t *testing.T) {
	text := strings.NewReplacer(
		"[[client]]\nname = \"campus\"", "crl = [\"garbage.pem\", \"nofile\"]\nsession_ticket_keys = \"garbage.pem\"\n[[client]]\nname = \"campus\"",
		`packets = ["access", "coa"]`, `packets = ["acces"]`,
		`"example.org", "*.b`, "\"\u00fc.example\", \"u\u0308.example\", \"*.com\", \"*.b",
		`balance = "sticky"`, `balanse = "sticky"`,
	).Replace(checkConfig) + "[metrics]\ncertificate = \"garbage.pem\"\nprivate_key = \"nokey.pem\"\n"
	dir, file := checkDir(t, text)
	for _, name := range []string{"garbage.pem", "certs/dev/server.key", "certs/dev/server.pem"} {
		writeTestFile(t, filepath.Join(dir, name), []byte("garbage"))
	}
	want := []string{
		`2: listen.certificate: `, `3: listen.private_key: `, `5: listen.crl[1]: expected a readable file, got "nofile"`, `5: listen.crl[0]: `,
		`6: listen.session_ticket_keys: `, `11: client[0].packets[0]: `,
		`30: route[1].realms[3]: expected a suffix of two labels`, `30: route[1].realms[2]: route[1] takes disconnect packets`, `33: route[1].balanse: unknown key`,
		`36: metrics.certificate: `, `37: metrics.private_key: expected a readable file`, `11 mistakes`,
	}
	told := func(errs string) []string {
		return strings.Split(strings.TrimSpace(strings.ReplaceAll(errs, file+":", "")), "\n")
	}
	status, out, errs := checkCommand("-config", file)
	if status != 1 || out != "" {
		t.Errorf("expected 1 and nothing but mistakes, got %d:\n%s", status, out)
	}
	got := told(errs)
	for i, line := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], line) {
			t.Fatalf("expected %q as line %d, came\n%s", line, i+1, strings.Join(got, "\n"))
		}
	}
	if len(got) != len(want) {
		t.Errorf("expected %d lines, came\n%s", len(want), strings.Join(got, "\n"))
	}
	status, _, errs = runCommand(func(a []string, o, e *bytes.Buffer) int { return runServe(a, o, e) }, "-config", file)
	if served := told(errs); status != 78 || strings.Join(served, "\n") != strings.Join(got[:len(got)-1], "\n") {
		t.Errorf("expected serve to tell the same mistakes and exit 78, got %d:\n%s", status, errs)
	}
}

// What is new to routing is in the report, and a mistake in operators has its line.
// Rules: P31, P87, P90
func TestCheckReportsLoopsAndNASes(t *testing.T) {
	const more = `[[server]]
name = "ap-1"
address = "192.168.0.7"
secret = "0123456789abcdef"
nas = true
nas_identifier = ["ap one"]
[[server]]
name = "ap-2"
address = "192.168.0.8"
secret = "0123456789abcdef"
nas = true
[[route]]
operators = ["wbaid:*", "wbaid:EXAMPLE:US"]
packets = ["coa", "accounting"]
servers = ["ap-1", "ap-2"]
on_unreachable = "protocol-error"
[[route]]
realms = ["aps.example"]
packets = ["disconnect"]
servers = ["ap-1"]
[[route]]
realms = ["mixed.example"]
packets = ["disconnect"]
servers = ["ap-1", "a"]
[routing]
on_unroutable = "protocol-error"
realm_formats = ["suffix", "machine", "prefix"]
loop_marker_secret = "shared-by-replicas"
`
	_, file := checkDir(t, checkConfig+more)
	status, out, errs := checkCommand("-config", file)
	if status != 0 || errs != "" {
		t.Fatalf("expected 0 and no mistakes, got %d:\n%s", status, errs)
	}
	plain := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{
		"* (default) accounting a 127.0.0.1:1813 failover silent wbaid:EXAMPLE:US coa ap-1 192.168.0.7:3799, ap-2 192.168.0.8:3799 failover silent wbaid:* coa",
		"An Accounting-Request likewise: protocol-error",
		"The realm of a User-Name: user@realm, then host/name.realm, then REALM\\user",
		"by a Proxy-State that all gateways with this loop_marker_secret know",
		`a NAS: it gets the CoA and Disconnect that are for "ap one", 192.168.0.7, without Operator-Name`,
		"a NAS: it gets the CoA and Disconnect that are for 192.168.0.8, without",
		"CoA and Disconnect go to the NAS that they name; one for another NAS gets a NAK with Error-Cause 403, one that names none a NAK with 402",
		"CoA and Disconnect go to the NAS that they name; so does one that names none; one for another NAS gets a NAK with Error-Cause 403",
		"CoA and Disconnect go to the NAS that they name; all others go to a",
		"given up, an Accounting-Request gets a Protocol-Error, the others get no answer",
	} {
		if !strings.Contains(plain, want) {
			t.Errorf("expected %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "shared-by-replicas") {
		t.Error("the secret was printed")
	}
	_, file = checkDir(t, checkConfig+strings.Replace(more, "wbaid:*", "4EXAMPLE", 1)+"loop_marker = false\n")
	if status, out, errs = checkCommand("-config", file); !strings.Contains(errs, `c.toml:45: route[2].operators[0]: expected "tadig:", "e212:", "icc:" or "wbaid:"`) {
		t.Errorf("expected the mistake in operators, got %d\n%s%s", status, out, errs)
	}
	_, file = checkDir(t, checkConfig+"[routing]\nloop_marker = false\n")
	if _, out, _ = checkCommand("-config", file); !strings.Contains(out, "not looked for (loop_marker is false)") {
		t.Errorf("expected that loops are not looked for, in\n%s", out)
	}
}
