package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
)

// change follows one document about a change to the gateway: each of its shell lines is run.
type change struct {
	t       *testing.T
	dir     string
	address string            // where RadSec clients connect, before and after
	replace map[string]string // in the lines, for this test
	stop    map[string]func() // what "systemctl stop" and "restart" of a service do
	log     []string          // lines that were run
}

// shellLines returns the lines of the shell blocks of a document.
func shellLines(t *testing.T, document string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../docs", document))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for _, l := range strings.Split(block[1], "\n") {
			if l = strings.TrimSpace(l); l != "" {
				lines = append(lines, l)
			}
		}
	}
	return lines
}

// follow runs the lines of a document. They must begin with a program that this test knows.
func (c *change) follow(document string) {
	c.t.Helper()
	for _, l := range shellLines(c.t, document) {
		original := l
		for from, to := range c.replace {
			l = strings.ReplaceAll(l, from, to)
		}
		words := strings.Fields(l)
		switch {
		case words[0] == "systemctl" && words[1] == "start" && words[2] == "radsec-gw":
			c.serve()
		case words[0] == "systemctl":
			c.stop[words[1]+" "+words[2]]()
		default:
			r := run(patience, "", "sh", "-c", "cd "+c.dir+" && "+strings.Replace(l, "radsec-gw ", testbed.Program()+" ", 1))
			if r.Status != 0 {
				c.t.Fatalf("%s: %s (%s): status %d\n%s", document, original, l, r.Status, r.Output)
			}
			c.complete()
		}
		c.log = append(c.log, l)
	}
}

// complete does what the document leaves to the operator: the certificates go where the
// configuration names them.
func (c *change) complete() {
	file := filepath.Join(c.dir, "radsec-gw.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		c.t.Fatal(err)
	}
	changed := string(text)
	for from, to := range map[string]string{"/etc/radsec-gw/client-ca.pem": "ca.pem", "/etc/radsec-gw/server.pem": "server.pem", "/etc/radsec-gw/server.key": "server.key"} {
		changed = strings.ReplaceAll(changed, from, shared.path("certs/"+to))
	}
	if !strings.Contains(changed, "\naddress = [") {
		changed = strings.Replace(changed, "[listen]\n", "[listen]\naddress = [\""+c.address+"\"]\n", 1)
	}
	if !strings.Contains(changed, "[metrics]") {
		changed += "\n[metrics]\naddress = \"127.0.0.1:0\"\n[tap]\nsocket = \"\"\n"
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// serve starts the gateway with the file that was put in place.
func (c *change) serve() {
	c.t.Helper()
	p, err := start(nil, testbed.Program(), "serve", "-config", filepath.Join(c.dir, "etc.toml"))
	stopAtEnd(c.t, p)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := p.Await("serving", patience); err != nil {
		c.t.Fatalf("%v\n%s", err, p.Printed())
	}
}

// logins asks as a RadSec client, and returns what it was told of each user.
func (c *change) logins(users ...string) (told []string) {
	c.t.Helper()
	for _, user := range users {
		name, password, _ := strings.Cut(user, "/")
		r := run(patience, "", testbed.Program(), "probe", "access", "-radius-version", "1.0", "-address", c.address, "-user", name, "-password", password,
			"-ca", shared.path("certs/ca.pem"), "-cert", shared.path("certs/client.pem"), "-key", shared.path("certs/client.key"))
		result := fmt.Sprintf("%s: status %d", user, r.Status)
		_, received, _ := strings.Cut(r.Output, "received ")
		code, attributes, _ := strings.Cut(received, ",")
		result += " " + code
		for _, l := range strings.Split(attributes, "\n") {
			if strings.HasPrefix(l, "    ") && strings.Contains(l, " = ") && !strings.Contains(name, "blocked") {
				result += "; " + strings.TrimSpace(l) // what the proxy itself says to a blocked user is its own
			}
		}
		told = append(told, result)
	}
	return told
}

// radsecproxyServer is a radsecproxy that the gateway replaces.
const radsecproxyServer = `ListenTLS 127.0.0.1:%d
LogLevel 4
tls default {
	CACertificateFile %[2]s/ca.pem
	CertificateFile %[2]s/server.pem
	CertificateKeyFile %[2]s/server.key
}
client 127.0.0.0/8 {
	type tls
}
server freeradius {
	host 127.0.0.1
	port %[3]d
	type udp
	secret %[4]s
	StatusServer on
}
server freeradius-acct {
	host 127.0.0.1
	port %[5]d
	type udp
	secret %[4]s
}
realm /@.*\.blocked\.example$/ {
	ReplyMessage "not here"
}
realm * {
	server freeradius
	accountingServer freeradius-acct
}
`

// The document about the change from radsecproxy is followed line by line: the same client
// gets the same answers from radsecproxy, and from the gateway with what import made of the
// file.
func TestChangeFromRadsecproxy(t *testing.T) {
	var p bedPorts
	if err := p.choose(); err != nil {
		t.Fatal(err)
	}
	c := &change{t: t, dir: t.TempDir(), address: fmt.Sprintf("127.0.0.1:%d", p.radsec)}
	file := filepath.Join(c.dir, "radsecproxy.conf")
	text := fmt.Sprintf(radsecproxyServer, p.radsec, shared.path("certs"), shared.ports.auth, udpSecret, shared.ports.acct)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy, err := start(nil, "radsecproxy", "-f", "-c", file)
	stopAtEnd(t, proxy)
	if err != nil {
		t.Fatal(err)
	}
	await(t, proxy, "listening for")
	users := []string{"bob/" + userPassword, "bob/" + wrongPassword, "bob@a.blocked.example/" + userPassword}
	before := c.logins(users...)
	if !strings.Contains(before[0], "status 0") || !strings.Contains(before[1], "Access-Reject") || !strings.Contains(before[2], "Access-Reject") {
		t.Fatalf("radsecproxy does not relay: %q", before)
	}
	c.replace = map[string]string{"/etc/radsecproxy.conf": file, "-g radsec-gw ": "", "/etc/radsec-gw/radsec-gw.toml": filepath.Join(c.dir, "etc.toml")}
	c.stop = map[string]func(){"stop radsecproxy": func() { _ = proxy.Stop(patience) }}
	c.follow("from-radsecproxy.md")
	if after := c.logins(users...); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Errorf("the gateway answers otherwise.\nradsecproxy: %q\nthe gateway: %q\nlines: %q", before, after, c.log)
	}
}

// The document about FreeRADIUS is followed line by line, with the FreeRADIUS of this
// package: the gateway in front of it serves its users, with the secret that import found.
func TestChangeFromFreeRADIUS(t *testing.T) {
	var p bedPorts
	if err := p.choose(); err != nil {
		t.Fatal(err)
	}
	c := &change{t: t, dir: t.TempDir(), address: fmt.Sprintf("127.0.0.1:%d", p.radsec)}
	for name, port := range map[string]int{"AUTH_PORT": shared.ports.auth, "ACCT_PORT": shared.ports.acct, "COA_PORT": shared.ports.coa,
		"STATUS_PORT": shared.ports.status, "COA_CLIENT_PORT": shared.ports.coaClient} {
		t.Setenv(name, fmt.Sprint(port))
	}
	t.Setenv("RADDB", shared.path("freeradius"))
	c.replace = map[string]string{"/etc/freeradius/3.0": shared.path("freeradius"), "-g radsec-gw ": "", "/etc/radsec-gw/radsec-gw.toml": filepath.Join(c.dir, "etc.toml")}
	c.stop = map[string]func(){"restart freeradius": func() {
		_ = shared.freeradius.Stop(patience)
		if err := shared.startFreeRADIUS(); err != nil {
			t.Fatal(err)
		}
	}}
	c.follow("from-freeradius.md")
	told := c.logins("bob/"+userPassword, "bob/"+wrongPassword)
	if !strings.Contains(told[0], "status 0") || !strings.Contains(told[1], "Access-Reject") {
		t.Errorf("expected bob to be accepted with his password only, got %q", told)
	}
}

// What Debian installs is imported: the gateway finds nothing wrong with it but what is
// missing there.
func TestImportOfDebiansDefaults(t *testing.T) {
	for _, x := range []struct {
		args []string
		want []string // mistakes, all
	}{
		{[]string{"/etc/radsecproxy.conf"}, []string{"client: missing", "server: missing", "/etc/radsec-gw/server.pem", "/etc/radsec-gw/server.key", "/etc/radsec-gw/client-ca.pem"}},
		{[]string{"-freeradius", "/etc/freeradius/3.0"}, []string{"/etc/radsec-gw/server.pem", "/etc/radsec-gw/server.key", "/etc/radsec-gw/client-ca.pem"}},
	} {
		file := filepath.Join(t.TempDir(), "new.toml")
		args := append([]string{"import", "-o", file}, x.args...)
		expect(t, runAsReader(x.args[len(x.args)-1], args), 0, "Next: radsec-gw check -config "+file)
		check := run(patience, "", testbed.Program(), "check", "-config", file)
		expect(t, check, 1, append(x.want, fmt.Sprintf("%d mistakes", len(x.want)))...)
	}
}

// runAsReader runs the gateway's program, as root where only that may read a directory.
func runAsReader(path string, args []string) testbed.Result {
	if _, err := os.Stat(filepath.Join(path, "radiusd.conf")); os.IsPermission(err) {
		r := run(patience, "", "sudo", append([]string{"-n", testbed.Program()}, args...)...)
		run(patience, "", "sudo", "-n", "chown", fmt.Sprint(os.Getuid()), args[2])
		return r
	}
	return run(patience, "", testbed.Program(), args...)
}

// await waits for a line of a program.
func await(t *testing.T, p *process.Process, text string) {
	t.Helper()
	if err := p.Await(text, patience); err != nil {
		t.Fatalf("%v\n%s", err, p.Printed())
	}
}
