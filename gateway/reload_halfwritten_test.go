package gateway

import (
	"bytes"
	"strings"
	"testing"

	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
)

// A file that is half written changes nothing: clients of a CA that is still missing stay
// connected, one line says what is wrong and where, and the file is used when it is complete.
//
// Rules: P104, P109
func TestHalfWrittenFileChangesNothing(t *testing.T) {
	g := startGateway(t, answering(t))
	other, err := certs.NewCA("another CA")
	if err != nil {
		t.Fatal(err)
	}
	whole := append(bytes.Clone(other.CertPEM()), g.ca.CertPEM()...)
	plain := g.connect("plain")
	half := len(other.CertPEM()) + len(g.ca.CertPEM())/2
	line := itoa(uint16(bytes.Count(other.CertPEM(), []byte("\n")) + 1))
	for more := range 10 { // it grows, and is polled meanwhile
		g.put("ca.pem", whole[:half+more])
		if err := g.gw.reloadFiles(); err == nil || !strings.Contains(err.Error(), "ca.pem:"+line+`: "BEGIN CERTIFICATE" has no END: the file is cut short`) {
			t.Fatalf("expected the file to be cut short on line %s, got %v", line, err)
		}
	}
	plain.good()
	g.connect("plain").good()
	g.put("ca.pem", whole)
	if err := g.gw.reloadFiles(); err != nil {
		t.Fatalf("expected the whole file to be used, got %v", err)
	}
	g.awaitLog("msg=reloaded what=certificates")
	if n := g.lines("reload refused", "cut short"); n != 1 {
		t.Errorf("expected one line about the file that is half written, got %d", n)
	}
	if n := len(g.gw.current.Load().files.fronts[0].clientCAs); n != 2 {
		t.Errorf("expected 2 CAs in use, got %d", n)
	}
	plain.good()
}

// A reload that was requested and refused because of a half-written file is retried when that
// file changes, including everything else that it should have changed.
//
// Rules: P109
func TestRefusedReloadIsRetried(t *testing.T) {
	g := startGateway(t, answering(t))
	g.put("udp.secret", []byte("\xef\xbb\xbf"+gatewaytest.Secret+"\n"))
	g.rewrite("secret = \""+gatewaytest.Secret+"\"\n", "secret_file = \"udp.secret\"\n")
	g.rewrite("name = \"access\"\n", "name = \"renamed\"\n")
	g.put("ca.pem", g.ca.CertPEM()[:200])
	if err := g.gw.Reload(); err == nil || !strings.Contains(err.Error(), "cut short") || !strings.Contains(err.Error(), "a byte order mark (UTF-8)") {
		t.Fatalf("expected the reload to be refused because of both files, got %v", err)
	}
	g.connect("plain").good()
	g.put("ca.pem", g.ca.CertPEM())
	g.put("udp.secret", []byte(gatewaytest.Secret+"\n"))
	if err := g.gw.reloadFiles(); err != nil {
		t.Fatalf("expected the reload to be retried and to succeed, got %v", err)
	}
	if name := g.gw.current.Load().Config.Clients[2].Name; name != "renamed" {
		t.Fatalf("expected the refused configuration in use, got the client %q", name)
	}
	g.connect("plain").good()

	// Not when the configuration itself has changed since: it may be half edited.
	g.put("ca.pem", g.ca.CertPEM()[:200])
	g.rewrite("name = \"renamed\"\n", "name = \"third\"\n")
	if err := g.gw.Reload(); err == nil {
		t.Fatal("expected the reload to be refused")
	}
	g.rewrite("name = \"third\"\n", "name = \"half edi\"\n")
	g.put("ca.pem", append(g.ca.CertPEM(), '\n'))
	if err := g.gw.reloadFiles(); err != nil {
		t.Fatalf("expected the CAs to be used, got %v", err)
	}
	if name := g.gw.current.Load().Config.Clients[2].Name; name != "renamed" {
		t.Errorf("expected the current configuration to stay in use, got the client %q", name)
	}
}
