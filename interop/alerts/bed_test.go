//go:build linux

package alerts

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/interop/testbed"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// gateway is one of the gateways, with a directory of its own.
type gateway struct {
	*testbed.Gateway // nil until it is started
	t                *testing.T
	dir              string
	radsec, http     string // addresses
}

// bed has the gateways: busy has clients and servers with faults, files has faults in its
// files, short lacks what it needs, later is not running at first.
type bed struct {
	t                         *testing.T
	ca                        *certs.CA
	busy, files, short, later *gateway
	servers                   map[string]*server
	coa                       string      // where busy listens for CoA
	log                       *stalledLog // of short
}

func newBed(t *testing.T) *bed {
	t.Helper()
	ca, err := certs.NewCA("the alerts' CA")
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{t: t, ca: ca, log: newStalledLog(t), servers: map[string]*server{}, coa: gatewaytest.UnusedAddress(t)}
	for _, g := range []**gateway{&b.busy, &b.files, &b.short, &b.later} {
		*g = &gateway{t: t, dir: t.TempDir(), radsec: gatewaytest.UnusedAddress(t), http: gatewaytest.UnusedAddress(t)}
	}
	for name, s := range map[string]struct {
		mode  mode
		delay time.Duration
	}{
		"good": {works, 0}, "dead": {dead, 0}, "hangs": {hangs, 0}, "unsigned": {unsigned, 0}, "only": {dead, 0},
		"slow": {works, 500 * time.Millisecond}, "late": {works, time.Second}, "later": {works, 3 * time.Second},
	} {
		b.servers[name] = startServer(t, s.mode, s.delay)
	}
	return b
}

// server returns a [[server]] with short timers, and route a [[route]] for the realm NAME.test.
func (b *bed) server(name, more string) string {
	return fmt.Sprintf("[[server]]\nname = %q\naddress = \"127.0.0.1\"\nauth_port = %d\nacct_port = 0\ncoa_port = 0\nsecret = %q\nprobe_interval = \"300ms\"\ndown_after = 2\nup_after = 1\nsuspect_after = 1\nfailing_after = 2\n%s\n",
		name, b.servers[name].port, gatewaytest.Secret, more)
}

func route(name, servers, more string) string {
	return fmt.Sprintf("[[route]]\nrealms = [\"%s.test\"]\npackets = [\"access\"]\nservers = [%s]\n%s\n", name, servers, more)
}

// client is a [[client]] for one source address.
func client(name, address, more string) string {
	return fmt.Sprintf("[[client]]\nname = %q\nnetworks = [\"%s/32\"]\n%s\n", name, address, more)
}

// pair writes the gateway's own certificate, valid for d from now.
func (b *bed) pair(g *gateway, d time.Duration) {
	b.t.Helper()
	server, err := b.ca.Server(certs.DevelopmentHosts(), certstest.Valid(d))
	if d < 0 {
		server, err = b.ca.Server(certs.DevelopmentHosts(), expired)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	key, err := server.KeyPEM()
	if err != nil {
		b.t.Fatal(err)
	}
	gatewaytest.Replace(b.t, filepath.Join(g.dir, "server.key"), key)
	gatewaytest.Replace(b.t, filepath.Join(g.dir, "server.pem"), server.CertPEM())
}

// clientPair is a client's certificate.
func (b *bed) clientPair(d time.Duration) tls.Certificate {
	b.t.Helper()
	pair, err := b.ca.Client("campus", certstest.Valid(d))
	if err != nil {
		b.t.Fatal(err)
	}
	return pair.TLS()
}

// list writes a revocation list that is valid from and until some time from now.
func (b *bed) list(g *gateway, from, until time.Duration) {
	b.t.Helper()
	der, err := certstest.CRL(b.ca, time.Now().Add(from), time.Now().Add(until))
	if err != nil {
		b.t.Fatal(err)
	}
	gatewaytest.Replace(b.t, filepath.Join(g.dir, "crl.pem"), pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
}

// configure writes the configuration: listen has more keys of [listen], rest what follows.
func (b *bed) configure(g *gateway, listen, rest string) {
	b.t.Helper()
	gatewaytest.Replace(b.t, filepath.Join(g.dir, "ca.pem"), b.ca.CertPEM())
	gatewaytest.Replace(b.t, filepath.Join(g.dir, "radsec-gw.toml"), fmt.Appendf(nil, `[listen]
address = [%q]
certificate = "server.pem"
private_key = "server.key"
client_ca = "ca.pem"
reload_interval = "200ms"
%s
[metrics]
address = %q
[tap]
socket = ""
%s
`, g.radsec, listen, g.http, rest))
}

// start runs a gateway. With prlimit its descriptors are limited, and its log is read by
// nobody.
func (b *bed) start(g *gateway, limits ...string) {
	b.t.Helper()
	args := append(limits, testbed.Program(), "serve", "-config", filepath.Join(g.dir, "radsec-gw.toml"))
	cmd := exec.Command(args[0], args[1:]...)
	if len(limits) > 0 {
		cmd.Stderr = b.log.write
	}
	p, err := process.Start(cmd)
	if err != nil {
		b.t.Fatal(err)
	}
	g.Gateway = testbed.NewGateway(b.t, p)
	g.Address = g.http
	b.until(g, "answers", func() bool { status, _, _ := g.Get("/healthz", time.Second); return status == 200 })
}

// until waits for something.
func (b *bed) until(g *gateway, what string, ok func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(testbed.Patience); !ok(); time.Sleep(50 * time.Millisecond) {
		if err := g.Alive(); err != nil {
			b.t.Fatal(err)
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("the gateway at %s: expected that it %s", g.http, what)
		}
	}
}

// reload sends SIGHUP.
func (g *gateway) reload() { g.Signal(syscall.SIGHUP) }

func quoted(names ...string) string { return `"` + strings.Join(names, `", "`) + `"` }
