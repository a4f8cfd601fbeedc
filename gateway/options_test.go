package gateway

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/config"
)

// Each option of the RadSec side does from outside what it says.
//
// Rules: P102, P113, P115, P5
func TestOptionsFromOutside(t *testing.T) {
	const listen = "client_ca = \"ca.pem\"\n"
	t.Run("the floor of TLS", func(t *testing.T) {
		g := startGateway(t, answering(t))
		old := g.tls("plain")
		old.MaxVersion = tls.VersionTLS12
		c, err := tls.Dial("tcp", g.gw.Addr().String(), old)
		if err != nil {
			t.Fatalf("TLS 1.2 is refused by default: %v", err)
		}
		c.Close()
		g.set(listen, "min_tls = \"1.3\"\n")
		if c, err := tls.Dial("tcp", g.gw.Addr().String(), old); err == nil {
			c.Close()
			t.Error("TLS 1.2 is accepted below the floor")
		}
		g.connect("plain").good()
	})
	t.Run("packets of one connection", func(t *testing.T) {
		g := startGateway(t, answering(t))
		g.set(listen, "max_packets_per_connection = 3\n")
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
	})
	t.Run("idle", func(t *testing.T) {
		g := startGateway(t, answering(t))
		g.set(listen, "idle_timeout = \"300ms\"\n")
		c := g.connect("plain")
		c.good()
		start := time.Now()
		c.write(rawRequest(12, 1, emptyMAC)) // a watchdog is no traffic
		if c.read() == nil || c.read() != nil {
			t.Error("a connection without a request is not closed after its answer")
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("it is closed after %v", d)
		}
	})
	t.Run("fingerprints as people write them", func(t *testing.T) {
		g := startGateway(t, answering(t))
		sum := g.pairs["unlisted"].Fingerprint()
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
				t.Errorf("after %q was taken away its connection goes on", spelling)
			}
		}
	})
	t.Run("a connection is not read for ever", func(t *testing.T) {
		g := startGateway(t, answering(t)) // packet_timeout is 300 ms there
		c := g.connect("plain")
		c.write(rawRequest(1, 1, emptyMAC)[:30])
		if c.read() != nil {
			t.Error("half a packet keeps the connection")
		}
	})
}

// Clients without certificate are for laboratories: each start warns.
func TestClientsWithoutCertificateAreWarnedAbout(t *testing.T) {
	for _, auth := range []string{"optional", "none"} {
		g := startGateway(t, answering(t))
		g.rewrite("client_ca = \"ca.pem\"\n", "client_ca = \"ca.pem\"\nclient_auth = \""+auth+"\"\n")
		g.rewrite("[[server]]", "[[client]]\nname = \"lab\"\nnetworks = [\"127.0.0.0/8\"]\n\n[[server]]")
		g.reload()
		cfg, err := config.Load(g.gw.current.Load().Config.Path)
		if err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(cfg.Warnings(), "\n"); !strings.Contains(all, "lets clients in without a certificate") {
			t.Errorf("%s: no warning among %q", auth, all)
		}
		if !strings.Contains(g.log.String(), "lets clients in without a certificate") {
			t.Errorf("%s: a reload does not warn", auth)
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
