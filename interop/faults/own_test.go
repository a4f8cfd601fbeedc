package faults

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
)

// refusals are certificates that every client refuses, with part of the reason.
var refusals = []struct {
	name   string
	change certs.Change
	says   string
}{
	{"expired", expired, "expired on"},
	{"not valid yet", func(c *x509.Certificate) { c.NotBefore = time.Now().Add(24 * time.Hour) }, "is not valid before"},
	{"for clients only", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, "is not for servers"},
}

// serverWith makes a certificate for the gateway.
func (b *bed) serverWith(changes ...certs.Change) *certs.Pair {
	return need(b.ca.Server([]string{"radsec-server"}, changes...))
}

// shown is the certificate that the gateway shows.
func (g *gateway) shown() *x509.Certificate {
	g.T.Helper()
	config := g.bed.tlsOf(g.bed.client)
	config.InsecureSkipVerify = true // a client would refuse what the test needs to see
	c, err := g.tryDial("127.0.0.1", config)
	if err != nil {
		g.T.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0]
}

// A certificate of the gateway's own that clients refuse shows in the log, on /readyz and on the
// status page.
//
// Fault T6.
func TestAnOwnCertificateThatClientsRefuseShows(t *testing.T) {
	t.Parallel()
	for _, c := range refusals {
		b := newBed(t)
		b.writeServer(b.serverWith(c.change))
		g := b.serve()
		g.Says("level=ERROR", "own certificate", c.says)
		if status, text := g.page("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(text, c.says) {
			t.Errorf("%s: /readyz answers %d %q, expected 503 and %q", c.name, status, text, c.says)
		}
		if _, text := g.page("/"); !strings.Contains(text, c.says) {
			t.Errorf("%s: the status page does not say %q", c.name, c.says)
		}
	}
}

// A certificate that clients refuse does not replace a good one because its file has changed.
//
// Fault T6.
func TestAWorseCertificateDoesNotReplaceAGoodOneUnasked(t *testing.T) {
	t.Parallel()
	for _, c := range refusals {
		b := newBed(t)
		b.listen = `reload_interval = "100ms"`
		g := b.serve()
		good := g.shown()
		b.writeServer(b.serverWith(c.change))
		if !g.Output().Await(patience, func(text string) bool { return process.CountLines(text, "reloaded", "what=certificates") > 0 }) {
			t.Errorf("%s: the log does not report the changed files", c.name)
		}
		if !g.shown().Equal(good) {
			t.Errorf("%s: the worse certificate has replaced the good one", c.name)
		}
		if status, _ := g.page("/readyz"); status != http.StatusOK {
			t.Errorf("%s: /readyz answers %d though the good certificate stays, expected 200", c.name, status)
		}
	}
}

// check covers the whole chain that the gateway sends, and so does the metric of its expiry.
//
// Fault F7.
func TestTheWholeChainIsChecked(t *testing.T) {
	t.Parallel()
	root := newRoot("the root")
	between, old := below(root, "the intermediate"), below(root, "the expired intermediate", expired)
	lower, stranger := below(between, "the lower intermediate"), need(certs.NewCA("a stranger"))
	serverOf := func(ca *certs.CA) *certs.Pair { return need(ca.Server([]string{"radsec-server"})) }
	for _, c := range []struct {
		name   string
		server *certs.Pair
		chain  []*certs.Pair
		says   string // "": nothing of the chain
	}{
		{"whole", serverOf(between), []*certs.Pair{&between.Pair}, ""},
		{"expired", serverOf(old), []*certs.Pair{&old.Pair}, "the certificate of CN=the expired intermediate,O=radsec-gw development expired on "},
		{"missing", serverOf(between), nil, "the intermediate CN=the intermediate,O=radsec-gw development, which signed the certificate of CN=radsec-server,O=radsec-gw development, is not sent"},
		{"unrelated", serverOf(between), []*certs.Pair{&between.Pair, &stranger.Pair}, "certificate 3 of the chain, of CN=a stranger,O=radsec-gw development, signed none of those before it"},
		{"out of order", serverOf(lower), []*certs.Pair{&between.Pair, &lower.Pair}, "the chain is out of order"},
	} {
		b := newBed(t)
		b.write("ca.pem", append(root.CertPEM(), between.CertPEM()...))
		b.writeServer(c.server, c.chain...)
		status, said := b.check()
		_, warnings, _ := strings.Cut(said, "\nWarnings:\n")
		if warned := process.CountLines(warnings, "listen.certificate: "); status != 0 || !strings.Contains(warnings, c.says) || (warned > 0) != (c.says != "") {
			t.Errorf("an intermediate that is %s: check exits %d, expected 0 and the warning %q:\n%s", c.name, status, c.says, said)
		}
	}
	b := newBed(t)
	b.writeServerKey(need(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)))
	b.checkSays(0, "the key of CN=radsec-server is on the curve P-224")

	soon := below(root, "the intermediate that ends soon", certstest.Valid(36*time.Hour))
	b.writeServer(need(soon.Server([]string{"radsec-server"}, certstest.Valid(1000*time.Hour))), &soon.Pair)
	if got, want := b.serve().metric("radsec_gw_certificate_expiry_timestamp_seconds", `certificate="server"`), float64(soon.Certificate.NotAfter.Unix()); got != want {
		t.Errorf("the chain ends at %v by the metric, expected %v, when its intermediate does", got, want)
	}
}
