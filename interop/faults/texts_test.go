package faults

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
)

// A client that does not trust the gateway, and says so in clear within TLS 1.3, as OpenSSL does, is
// reported by its alert.
//
// Fault F3.
func TestAnAlertInClearIsReportedByItsName(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	g := b.serve()
	raw := need(net.Dial("tcp", g.radsec))
	defer raw.Close()
	config := b.tlsOf(b.client)
	config.RootCAs = certs.Pool(need(certs.NewCA("another CA")).Certificate)
	if err := tls.Client(&clearAlert{Conn: raw}, config).Handshake(); err == nil {
		t.Fatal("a client that does not know the CA does the handshake")
	}
	g.Says("RadSec connection refused", "result=peer_alert", "unknown_ca", "does not trust this gateway's certificate", "CN=the CA")
}

// clearAlert is a client's connection that sends the alert unknown_ca in clear in the place of its
// own alert, encrypted or not.
type clearAlert struct{ net.Conn }

func (c *clearAlert) Write(b []byte) (int, error) {
	const head, alert, applicationData = 5, 21, 23 // encrypted records call themselves data (RFC 8446 §5.2)
	for at := 0; at+head <= len(b); at += head + int(binary.BigEndian.Uint16(b[at+3:])) {
		if b[at] == alert || b[at] == applicationData {
			_, err := c.Conn.Write(append(b[:at:at], alert, 3, 3, 0, 2, 2, 48))
			return len(b), err
		}
	}
	return c.Conn.Write(b)
}

// A refusal says which certificate is the reason, what was received, and what to do.
//
// Fault F8.
func TestARefusalSaysWhichCertificateAndWhatToDo(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	root := newRoot("the root")
	between, old := below(root, "the intermediate"), below(root, "the old intermediate", expired)
	b.write("ca.pem", root.CertPEM())
	g := b.serve()
	name := func(n string) certs.Change {
		return func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: n} }
	}
	critical := pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 7}, Critical: true, Value: []byte{5, 0}}
	odd := need(root.Client("client.example", name("odd")))
	for _, c := range []struct {
		name  string
		chain []*certs.Pair
		says  []string
	}{
		{"an expired intermediate", []*certs.Pair{need(old.Client("client.example", name("below"), certstest.Valid(time.Hour))), &old.Pair},
			[]string{"result=expired_certificate", "CN=below", "the intermediate certificate of CN=the old intermediate", "expired on", "the peer's own certificate is not the reason"}},
		{"an intermediate that is not sent", []*certs.Pair{need(between.Client("client.example", name("forgetful")))},
			[]string{"CN=forgetful", "its issuer CN=the intermediate", "was not sent", "configure the peer to send its intermediates"}},
		{"a certificate for servers", []*certs.Pair{need(root.Client("client.example", name("server"), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }))},
			[]string{"the certificate of CN=server has extendedKeyUsage serverAuth only", "expected clientAuth"}},
		{"a critical extension", []*certs.Pair{need(root.Client("client.example", name("special"), func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{critical} }))},
			[]string{"the certificate of CN=special has the critical extension 1.3.6.1.4.1.99999.7"}},
		{"a certificate that cannot be read", []*certs.Pair{damaged(odd)},
			[]string{"certificate 1 of the 1 that the peer sent, of CN=odd", "have it issued again"}},
	} {
		config := b.tlsOf(c.chain...)
		config.MaxVersion = tls.VersionTLS12 // 1.3 hides a certificate that cannot be read
		if err := g.admitsWith("127.0.0.1", config); err == nil {
			t.Errorf("%s is admitted", c.name)
			continue
		}
		g.Says(append([]string{"RadSec connection refused"}, c.says...)...)
	}
}

// damaged returns a certificate that crypto/x509 does not parse: its dNSName is not ASCII.
func damaged(p *certs.Pair) *certs.Pair {
	c := *p.Certificate
	c.Raw = []byte(strings.Replace(string(c.Raw), "client.example", "client\xffexample", 1))
	return &certs.Pair{Certificate: &c}
}

// What a client offers and the gateway refuses is reported by name; what is not TLS by what it resembles.
//
// Fault F8.
func TestRefusedOffersAreReportedByName(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.listen = `cipher_suites = ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]`
	g := b.serve()
	old := b.tlsOf(b.client)
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	other := b.tlsOf(b.client)
	other.MaxVersion, other.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
	for says, config := range map[string]*tls.Config{"TLS 1.1": old, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": other} {
		if err := g.admitsWith("127.0.0.1", config); err == nil {
			t.Errorf("a client that offers only %s is admitted", says)
		}
		g.Says("RadSec connection refused", "the peer offers", says)
	}
	for says, sent := range map[string]string{
		"a PROXY header":                      "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
		"an HTTP request":                     "GET / HTTP/1.1\r\n\r\n",
		"RADIUS in clear (Code 1, Length 49)": string(request(accessRequest, 1, userName("bob@e.org"))),
	} {
		sendRaw(t, g, sent)
		g.Says("result=not_tls", "expected a TLS ClientHello, got "+says)
	}
}

// sendRaw sends octets as they are and waits for the connection's end.
func sendRaw(t *testing.T, g *gateway, text string) {
	t.Helper()
	conn := need(net.Dial("tcp", g.radsec))
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience)) // the read reports it
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Fatalf("the gateway does not close what is not TLS: %v", err)
	}
}

// An alert that has nothing to do with certificates brings no advice about certificates.
//
// Fault F8.
func TestAdviceFitsTheAlert(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	g := b.serve()
	for alert, c := range map[byte]struct{ name, says string }{
		80: {"internal_error", "the peer aborted by itself"},
		40: {"handshake_failure", "cipher suite"},
		48: {"unknown_ca", "does not trust this gateway's certificate"},
	} {
		g.helloAnd([]byte{21, 3, 3, 0, 2, 2, alert})
		text := fmt.Sprintf("the peer sent the alert %s: ", c.name)
		g.Says("result=peer_alert", text, c.says)
		if n := g.Output().Count(text, "give it the CA"); (n > 0) != (alert == 48) {
			t.Errorf("%d lines about the alert %s have advice about the CA", n, c.name)
		}
	}
}

// The log has the names of TLS, not those that Go's source has for them.
//
// Fault F8.
func TestTheLogHasTheNamesOfTLS(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	g := b.serve()
	g.helloAnd([]byte{22, 3, 3, 0, 4, 14, 0, 0, 0})
	g.Says("RadSec connection refused", "unexpected handshake message of type ServerHelloDone")
	if n := g.Output().Count("tls.server"); n > 0 {
		t.Error("the log has a type of Go's crypto/tls")
	}
}

// helloAnd sends a ClientHello of TLS 1.2, and a record right after it.
func (g *gateway) helloAnd(record []byte) {
	g.T.Helper()
	raw := need(net.Dial("tcp", g.radsec))
	defer raw.Close()
	_ = raw.SetDeadline(time.Now().Add(patience)) // the log is checked
	config := g.bed.tlsOf(g.bed.client)
	config.MaxVersion = tls.VersionTLS12
	_ = tls.Client(&afterHello{Conn: raw, record: record}, config).Handshake() // fails: the record is the test's own
}

// afterHello is a client's connection that sends a record right after the ClientHello, and nothing
// that follows.
type afterHello struct {
	net.Conn
	record []byte
	sent   bool
}

func (c *afterHello) Write(b []byte) (int, error) {
	if c.sent {
		return len(b), nil
	}
	c.sent = true
	_, err := c.Conn.Write(append(b[:len(b):len(b)], c.record...))
	return len(b), err
}
