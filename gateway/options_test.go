package gateway

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/files"
)

// afterListen is a line of [listen] in testConfig, after which tests add lines.
const afterListen = "client_ca = \"ca.pem\"\n"

// min_tls refuses older versions of TLS.
// Rules: P102
func TestMinTLS(t *testing.T) {
	g := startGateway(t, answering(t))
	old := g.tls("plain")
	old.MaxVersion = tls.VersionTLS12
	c, err := tls.Dial("tcp", g.gw.Addr().String(), old)
	if err != nil {
		t.Fatalf("TLS 1.2 is refused by default: %v", err)
	}
	c.Close()
	g.set(afterListen, "min_tls = \"1.3\"\n")
	if c, err := tls.Dial("tcp", g.gw.Addr().String(), old); err == nil {
		c.Close()
		t.Error("TLS 1.2 is accepted with min_tls = \"1.3\"")
	}
	g.connect("plain").good()
}

// max_packets_per_connection ends a connection after so many packets.
// Rules: P113
func TestMaxPacketsPerConnection(t *testing.T) {
	g := startGateway(t, answering(t))
	g.set(afterListen, "max_packets_per_connection = 3\n")
	c := g.connect("plain")
	for range 2 {
		c.good()
	}
	q := rawRequest(12, 1, emptyMAC)
	c.write(q)
	c.believe(q, c.read(), 2)
	if c.read() != nil {
		t.Error("the connection goes on after the last packet")
	}
	g.connect("plain").good()
}

// idle_timeout ends a connection without requests. Status-Server is not a request.
// Rules: P113
func TestIdleTimeout(t *testing.T) {
	g := startGateway(t, answering(t))
	g.set(afterListen, "idle_timeout = \"300ms\"\n")
	c := g.connect("plain")
	c.good()
	start := time.Now()
	c.write(rawRequest(12, 1, emptyMAC)) // does not count as traffic
	if c.read() == nil || c.read() != nil {
		t.Error("a connection without a request is not closed after its answer")
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it is closed after %v", d)
	}
}

// A fingerprint may be written in any usual way. A connection ends when a reload removes
// the client.
// Rules: P115
func TestSpellingsOfFingerprints(t *testing.T) {
	g := startGateway(t, answering(t))
	sum := sha256.Sum256(g.pairs["unlisted"].Certificate.Raw)
	pairs := certs.FormatFingerprint(sum)
	for i, spelling := range []string{
		pairs, strings.TrimPrefix(pairs, "sha256:"), fmt.Sprintf("%x", sum), fmt.Sprintf("%X", sum),
		strings.ReplaceAll(strings.TrimPrefix(pairs, "sha256:"), ":", " "), "SHA256:" + fmt.Sprintf("%x", sum),
	} {
		g.rewrite("[[server]]", fmt.Sprintf("[[client]]\nname = \"spelling %d\"\nfingerprints = [%q]\n\n[[server]]", i, spelling))
		g.reload()
		c := g.connect("unlisted")
		c.good()
		g.rewrite(fmt.Sprintf("[[client]]\nname = \"spelling %d\"\nfingerprints = [%q]\n\n", i, spelling), "")
		g.reload()
		if c.read() != nil {
			t.Errorf("the connection goes on after the client with %q was removed", spelling)
		}
	}
}

// packet_timeout ends a connection that does not complete a packet.
// Rules: P5
func TestPacketTimeout(t *testing.T) {
	g := startGateway(t, answering(t)) // testConfig has a packet_timeout of 300 ms
	c := g.connect("plain")
	c.write(rawRequest(1, 1, emptyMAC)[:30])
	if c.read() != nil {
		t.Error("half a packet keeps the connection")
	}
}

// Clients without a certificate are for laboratories: check and a reload warn of them.
func TestClientsWithoutCertificateAreWarnedAbout(t *testing.T) {
	for _, auth := range []string{"optional", "none"} {
		g := startGateway(t, answering(t))
		g.rewrite("client_ca = \"ca.pem\"\n", "client_ca = \"ca.pem\"\nclient_auth = \""+auth+"\"\n")
		g.rewrite("[[server]]", "[[client]]\nname = \"lab\"\nnetworks = [\"127.0.0.0/8\"]\n\n[[server]]")
		g.reload()
		cfg, err := config.Load(g.gw.current.Load().Config.Path, files.NewReader().Snapshot(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(cfg.Warnings(), "\n"); !strings.Contains(all, "lets clients in without a certificate") {
			t.Errorf("%s: expected a warning, got %q", auth, all)
		}
		if !strings.Contains(g.log.String(), "lets clients in without a certificate") {
			t.Errorf("%s: expected a warning of the reload, got none", auth)
		}
		bare := g.tls("plain")
		bare.Certificates = nil
		c, err := tls.Dial("tcp", g.gw.Addr().String(), bare)
		if err != nil {
			t.Fatal(err)
		}
		(&testClient{t, c}).good()
		c.Close()
	}
}
