package gateway

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/logs"
	"radsec-gw/tlsfront"
)

// testGateway is a whole gateway, with RadSec for clients, a UDP server of layeh.com/radius, and
// metrics over HTTP.
type testGateway struct {
	t     *testing.T
	gw    *Gateway
	ca    *certs.CA
	pairs map[string]*certs.Pair // clients' certificates of the gateway's CA
	log   *process.Output
}

// planOf reads a configuration that must have no mistakes, as serve does.
func planOf(t *testing.T, file string) *Plan {
	t.Helper()
	p, err := Load(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// startGateway starts the gateway with its file as serve would. ports are the
// UDP server's for access, accounting and CoA.
func startGateway(t *testing.T, ports [3]int) *testGateway {
	leaks := goleak.IgnoreCurrent()
	g := &testGateway{t: t, pairs: map[string]*certs.Pair{}, log: new(process.Output)}
	dir := t.TempDir()
	var err error
	if g.ca, err = certs.NewCA("the gateway's CA"); err != nil {
		t.Fatal(err)
	}
	server, err := g.ca.Server(certs.DevelopmentHosts())
	if err != nil {
		t.Fatal(err)
	}
	key, err := server.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plain", "strict", "access", "unlisted", "faraway"} {
		if g.pairs[name], err = g.ca.Client(name); err != nil {
			t.Fatal(err)
		}
	}
	text := fmt.Sprintf(testConfig, g.fingerprint("plain"), g.fingerprint("strict"), g.fingerprint("access"), g.fingerprint("faraway"),
		ports[0], ports[1], ports[2], gatewaytest.Secret)
	for name, b := range map[string][]byte{"server.pem": server.CertPEM(), "server.key": key, "ca.pem": g.ca.Pair.CertPEM(), "gw.toml": []byte(text)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := planOf(t, filepath.Join(dir, "gw.toml"))
	ctx, cancel := context.WithCancel(context.Background())
	g.gw, err = Start(ctx, p, Options{Log: slog.New(slog.NewTextHandler(g.log, nil))})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := g.gw.Wait(); err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
		if strings.Contains(g.log.String(), gatewaytest.Secret) {
			t.Error("the log holds the server's secret")
		}
		goleak.VerifyNone(t, leaks)
	})
	return g
}

// startUnwatched is like startGateway, but the gateway does not poll its files.
func startUnwatched(t *testing.T) *testGateway {
	t.Helper()
	g := startGateway(t, answering(t))
	g.rewrite("packet_timeout", "reload_interval = \"0s\"\npacket_timeout")
	g.reload()
	return g
}

// runPlan starts a gateway that ends with the test.
func runPlan(t *testing.T, p *Plan) *Gateway {
	t.Helper()
	g, _ := runLogged(t, p)
	return g
}

// runLogged is runPlan with what the gateway logs.
func runLogged(t *testing.T, p *Plan) (*Gateway, *process.Output) {
	t.Helper()
	out := new(process.Output)
	lines := logs.New(out, p.LogConfig())
	t.Cleanup(lines.Close)
	return runWith(t, p, slog.New(lines)), out
}

// runWritten is runLogged, but each line has been written when the call that logs it returns.
func runWritten(t *testing.T, p *Plan) (*Gateway, *process.Output) {
	t.Helper()
	out := new(process.Output)
	return runWith(t, p, slog.New(slog.NewTextHandler(out, nil))), out
}

func runWith(t *testing.T, p *Plan, log *slog.Logger) *Gateway {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	g, err := Start(ctx, p, Options{Log: log})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
	return g
}

const testConfig = `
[listen]
address = ["127.0.0.1:0"]
certificate = "server.pem"
private_key = "server.key"
client_ca = "ca.pem"
radius_versions = ["1.0", "1.1"]
handshake_timeout = "5s"
packet_timeout = "300ms"
write_timeout = "500ms"

[[client]]
name = "plain"
networks = ["127.0.0.1/32"]
fingerprints = [%q]

[[client]]
name = "strict"
networks = ["127.0.0.1/32"]
fingerprints = [%q]
require_message_authenticator = "all"

[[client]]
name = "access"
networks = ["127.0.0.1/32"]
fingerprints = [%q]
packets = ["access"]

[[client]]
name = "faraway"
networks = ["192.0.2.0/24", "127.0.0.3/32"]
fingerprints = [%q]

[[server]]
name = "udp"
address = "127.0.0.1"
auth_port = %d
acct_port = %d
coa_port = %d
secret = %q
health = "none"
retransmit_initial = "20s"
retransmit_max = "20s"
retransmit_count = 0
retransmit_duration = "30s"

[[route]]
realms = ["example.org"]
packets = ["access", "accounting", "coa", "disconnect"]
servers = ["udp"]

[metrics]
address = "127.0.0.1:0"
`

func (g *testGateway) fingerprint(name string) string {
	return certs.FormatFingerprint(sha256.Sum256(g.pairs[name].Certificate.Raw))
}

// answering is a UDP server of layeh.com/radius on three ports. It accepts
// everything, with a Message-Authenticator in replies to Access-Request.
func answering(t *testing.T) [3]int {
	var ports [3]int
	for i := range ports {
		ports[i] = gatewaytest.Serve(t, gatewaytest.Accept)
	}
	return ports
}

// awaitLog waits for a line.
func (g *testGateway) awaitLog(text string) {
	g.t.Helper()
	g.await("logged", func(map[string]float64) string {
		if strings.Contains(g.log.String(), text) {
			return "logged"
		}
		return "no log line with " + text
	})
}

func (g *testGateway) awaitReloads(result string, want int) {
	g.t.Helper()
	g.await(strconv.Itoa(want), func(now map[string]float64) string {
		return strconv.Itoa(int(now[`radsec_gw_reloads_total{result="`+result+`"}`]))
	})
}

// lines counts log lines that hold all of the texts.
func (g *testGateway) lines(texts ...string) (n int) {
	for line := range strings.Lines(g.log.String()) {
		all := true
		for _, text := range texts {
			all = all && strings.Contains(line, text)
		}
		if all {
			n++
		}
	}
	return n
}

// listen returns the server of [listen].
func (g *Gateway) listen() *tlsfront.Server { return g.current.Load().fronts[0].tls }
