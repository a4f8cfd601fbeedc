package faults

import (
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/certs"
	"radsec-gw/interop/testbed"
)

// udpSecret is the one shared with the UDP server.
const udpSecret = "udp-Secret-of-these-tests"

// bed is what a test runs the gateway with. Its configuration is put together when the program is
// run; a test changes the parts before that.
type bed struct {
	// static after construction
	t      testing.TB
	dir    string
	ca     *certs.CA   // client_ca, ca.pem; it has signed the gateway's certificate too
	client *certs.Pair // of the ca, for the client "campus"
	server *server     // accepts everything, until the test says otherwise

	// parts of the configuration, each some lines
	listen  string // further keys of [listen]
	clients string // the [[client]] tables
	backend string // further keys of the [[server]] "udp"
	secret  string // how that server's secret is given
	route   string // the [[route]] tables
	rest    string // further tables
	metrics string // further keys of [metrics]

	environment []string // of the program, beside the test's own
}

// newBed makes certificates and starts the server.
func newBed(t testing.TB) *bed {
	t.Helper()
	b := &bed{t: t, dir: t.TempDir(), server: startServer(t),
		secret:  fmt.Sprintf("secret = %q", udpSecret),
		clients: "[[client]]\nname = \"campus\"\nsan_dns = [\"client.example\"]\n",
		route:   "[[route]]\nrealms = [\"*\", \"\"]\npackets = [\"access\", \"accounting\", \"coa\", \"disconnect\"]\nservers = [\"udp\"]\n",
	}
	b.ca = need(certs.NewCA("the CA"))
	b.client = need(b.ca.Client("client.example"))
	b.write("ca.pem", b.ca.CertPEM())
	b.writeServer(need(b.ca.Server([]string{"radsec-server"})))
	return b
}

// need is for what cannot fail unless the test is wrong.
func need[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// writeServer gives the gateway a certificate, with others below it in its file.
func (b *bed) writeServer(pair *certs.Pair, chain ...*certs.Pair) {
	b.t.Helper()
	text := pair.CertPEM()
	for _, p := range chain {
		text = append(text, p.CertPEM()...)
	}
	b.write("server.key", need(pair.KeyPEM())) // first: a gateway that looks between the two finds that they do not fit
	b.write("server.pem", text)
}

// pemOf is one block of PEM.
func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// path is a file of the bed.
func (b *bed) path(name string) string { return filepath.Join(b.dir, name) }

// write puts a file beside the configuration, whole from one moment to the next.
func (b *bed) write(name string, text []byte) {
	b.t.Helper()
	next := b.path(name + ".new")
	err := os.WriteFile(next, text, 0o600)
	if err == nil {
		err = os.Rename(next, b.path(name))
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// configure writes the configuration of the parts; serve and check do so by themselves.
func (b *bed) configure() {
	b.t.Helper()
	b.write("gw.toml", fmt.Appendf(nil, `[listen]
address = ["127.0.0.1:0"]
certificate = "server.pem"
private_key = "server.key"
client_ca = "ca.pem"
%s
%s
[[server]]
name = "udp"
address = "127.0.0.1"
auth_port = %d
acct_port = %[3]d
coa_port = %[3]d
%s
health = "none"
%s
%s
%s
[metrics]
address = "127.0.0.1:0"
%s
[tap]
socket = ""
`, b.listen, b.clients, b.server.port(), b.secret, b.backend, b.route, b.rest, b.metrics))
}

// command runs the program to its end; its status, and standard output and error together.
func (b *bed) command(args ...string) (status int, text string) {
	b.t.Helper()
	cmd := exec.Command(testbed.Program(), args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), b.environment...)
	r := testbed.Run(patience, cmd)
	if r.Status < 0 {
		b.t.Fatalf("radsec-gw %s did not end by itself; its output:\n%s", strings.Join(args, " "), r.Output)
	}
	return r.Status, r.Output
}

// check runs radsec-gw check.
func (b *bed) check() (status int, text string) {
	b.t.Helper()
	b.configure()
	return b.command("check", "-config", "gw.toml")
}

// checkSays fails the test unless check ends with a status and says all the texts.
func (b *bed) checkSays(status int, texts ...string) {
	b.t.Helper()
	got, said := b.check()
	if got != status {
		b.t.Errorf("check exits %d, expected %d", got, status)
	}
	for _, text := range texts {
		if !strings.Contains(said, text) {
			b.t.Errorf("check does not say %q", text)
		}
	}
	if b.t.Failed() {
		b.t.Logf("check says:\n%s", said)
	}
}
