package gateway

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/gateway/gatewaytest"
)

// A revocation list in the file of the CAs counts like one of crl, for new connections and
// open ones. A reload logs which list and which CA are gone.
//
// Rules: P104, P109
func TestListsBesideTheCAs(t *testing.T) {
	g := startGateway(t, answering(t))
	other, err := certs.NewCA("another CA")
	if err != nil {
		t.Fatal(err)
	}
	plain, strict := g.connect("plain"), g.connect("strict")
	plain.good()
	fresh := g.list(time.Hour, g.pairs["strict"])
	g.put("ca.pem", append(append(bytes.Clone(g.ca.CertPEM()), fresh...), other.CertPEM()...))
	g.reload()
	if strict.read() != nil {
		t.Error("expected the connection of the revoked client closed, it is open")
	}
	plain.good()

	g.put("ca.pem", append(bytes.Clone(g.ca.CertPEM()), g.list(48*time.Hour, g.pairs["strict"])...))
	g.reload()
	g.awaitLog("a CA is gone with this reload")
	g.awaitLog("a revocation list is older than the one before this reload")
	if g.lines("level=WARN", "a CA is gone", "CN=another CA") != 1 || g.lines("level=WARN", "older than", "CN=the gateway's CA") != 1 {
		t.Errorf("expected both to be named once, got\n%s", g.log.String())
	}
	g.put("ca.pem", g.ca.CertPEM())
	g.reload()
	g.awaitLog("a revocation list is gone with this reload")
	g.reload()
	if n := g.lines("is gone with"); n != 2 {
		t.Errorf("expected 2 lines about what is gone, got %d", n)
	}
	stranger := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: listOf(t, other)})
	g.put("ca.pem", append(bytes.Clone(g.ca.CertPEM()), stranger...))
	if err := g.gw.Reload(); err == nil || !strings.Contains(err.Error(), "listen.client_ca: ") || !strings.Contains(err.Error(), "expected a certificate of that name in client_ca") {
		t.Errorf("expected a list that no CA has signed to be refused, got %v", err)
	}
	plain.good()
}

// A client that is revoked by a list in the file of the CA's certificate is refused.
//
// Rules: P109
func TestListBesideTheCARevokes(t *testing.T) {
	g, dir := startForIdentity(t, "")
	ca := need(certs.LoadSigner(filepath.Join(dir, "certs/dev/ca.pem"), filepath.Join(dir, "certs/dev/ca.key")))
	pair := need(tls.LoadX509KeyPair(filepath.Join(dir, "certs/dev/client.pem"), filepath.Join(dir, "certs/dev/client.key")))
	connect := func() error {
		// With TLS 1.2 the handshake ends after the server has checked the certificate.
		c, err := tls.Dial("tcp", g.Addr().String(), &tls.Config{RootCAs: certs.Pool(ca.Certificate), ServerName: "localhost", Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS12})
		if err == nil {
			c.Close()
		}
		return err
	}
	if err := connect(); err != nil {
		t.Fatalf("expected a connection before the client is revoked, got %v", err)
	}
	list := need(certstest.CRL(ca, time.Now(), time.Now().Add(time.Hour), &certs.Pair{Certificate: pair.Leaf}))
	gatewaytest.WriteFile(t, filepath.Join(dir, "client_ca.pem"), append(ca.CertPEM(), pemOf("X509 CRL", list)...))
	if err := g.reloadFiles(); err != nil {
		t.Fatal(err)
	}
	if err := connect(); err == nil || !strings.Contains(err.Error(), "bad certificate") {
		t.Errorf("expected the alert bad_certificate for the revoked client, got %v", err)
	}
}
