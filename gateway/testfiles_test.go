package gateway

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
)

// set puts lines into a table of the configuration and reloads.
func (g *testGateway) set(after, lines string) {
	g.t.Helper()
	g.rewrite(after, after+lines)
	g.reload()
}

// rewrite changes the configuration file, without reloading it.
func (g *testGateway) rewrite(from, to string) {
	g.t.Helper()
	path := g.gw.current.Load().Config.Path
	text, err := os.ReadFile(path)
	if err != nil {
		g.t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		g.t.Fatalf("the configuration lacks %q", from)
	}
	g.put(filepath.Base(path), []byte(strings.Replace(string(text), from, to, 1)))
}

// resendSoon changes the configuration so that what the server does not answer is sent again at once,
// and not when a slow machine has long had its answer.
func (g *testGateway) resendSoon() {
	g.t.Helper()
	g.rewrite("initial = \"20s\"", "initial = \"200ms\"")
	g.rewrite("max = \"20s\"", "max = \"400ms\"")
}

// put replaces a file in the directory of the configuration.
func (g *testGateway) put(name string, b []byte) {
	g.t.Helper()
	path := filepath.Join(filepath.Dir(g.gw.current.Load().Config.Path), name)
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		g.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		g.t.Fatal(err)
	}
}

func (g *testGateway) reload() {
	g.t.Helper()
	if err := g.gw.Reload(); err != nil {
		g.t.Fatal(err)
	}
}

// issueServer puts a certificate of the gateway's name, with its key, where the
// gateway's is.
func (g *testGateway) issueServer(changes ...certs.Change) *certs.Pair {
	g.t.Helper()
	pair, err := g.ca.Server(certs.DevelopmentHosts(), changes...)
	if err != nil {
		g.t.Fatal(err)
	}
	key, err := pair.KeyPEM()
	if err != nil {
		g.t.Fatal(err)
	}
	g.put("server.key", key) // before its certificate: a poll between the two finds that they do not belong together
	g.put("server.pem", pair.CertPEM())
	return pair
}

// newServerCertificate replaces certificate and key.
func (g *testGateway) newServerCertificate() {
	g.t.Helper()
	pair, err := g.ca.Server(certs.DevelopmentHosts())
	if err != nil {
		g.t.Fatal(err)
	}
	key, err := pair.KeyPEM()
	if err != nil {
		g.t.Fatal(err)
	}
	g.put("server.pem", pair.CertPEM())
	g.put("server.key", key)
}

// list is a revocation list of the gateway's CA in PEM, made so long ago.
func (g *testGateway) list(ago time.Duration, revoked ...*certs.Pair) []byte {
	g.t.Helper()
	made := time.Now().Add(-ago)
	der, err := certstest.CRL(g.ca, made, made.Add(240*time.Hour), revoked...)
	if err != nil {
		g.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

func listOf(t *testing.T, ca *certs.CA) []byte {
	t.Helper()
	der, err := certstest.CRL(ca, time.Now(), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// pemOf writes blocks of one type.
func pemOf(kind string, ders ...[]byte) (text []byte) {
	for _, der := range ders {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	}
	return text
}

func need[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
