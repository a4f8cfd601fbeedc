package faults

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/interop/testbed"
)

// A revocation list in the file of client_ca, where FreeRADIUS and pfSense put it, counts.
//
// Fault T3.
func TestAListBesideTheCACounts(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.write("ca.pem", append(b.ca.CertPEM(), listOf(b.ca, time.Now().Add(time.Hour), b.client)...))
	g := b.serve()
	if err := g.admits(b.client); err == nil {
		t.Error("the revoked client is admitted")
	}
	g.Says("RadSec connection refused", "result=revoked_certificate")
	if err := g.admits(need(b.ca.Client("client.example"))); err != nil {
		t.Errorf("a client that is not revoked is refused: %v", err)
	}
}

// Of two CAs of one name each has its own list: that of one neither revokes what the other has
// issued, nor hides the list of the other (RFC 5280 §6.3.3 f).
//
// Fault F4.
func TestCAsOfOneNameHaveListsOfTheirOwn(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	twin := need(certs.NewCA("the CA"))
	b.write("ca.pem", append(b.ca.CertPEM(), twin.CertPEM()...))
	good, revoked := need(b.ca.Client("client.example", numbered(101))), need(b.ca.Client("client.example", numbered(102)))
	twins := need(twin.Client("client.example", numbered(101)))
	now := time.Now()
	b.listen = `crl = ["ca.crl", "twin.crl"]`
	b.write("ca.crl", listOf(b.ca, now.Add(time.Hour), revoked))
	b.write("twin.crl", listOf(twin, now.Add(2*time.Hour), twins)) // the newer one
	g := b.serve()
	if err := g.admits(good); err != nil {
		t.Errorf("the other CA's list refuses a certificate that its own CA has not revoked: %v", err)
	}
	for name, pair := range map[string]*certs.Pair{"the first": revoked, "the second": twins} {
		if err := g.admits(pair); err == nil {
			t.Errorf("a client that %s of two CAs has revoked is admitted", name)
		}
	}
}

// check names each issuer without a list, whose clients are not checked. What proves the list of an
// intermediate is [listen].intermediates, which trusts it no further; the text says so.
//
// Fault F5.
func TestListsOfIntermediatesCount(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	root := newRoot("the root")
	between := below(root, "the intermediate")
	good, revoked := need(between.Client("client.example")), need(between.Client("client.example"))
	now := time.Now()
	b.write("root.crl", listOf(root, now.Add(time.Hour)))
	b.write("between.crl", listOf(between, now.Add(time.Hour), revoked))
	b.write("between.pem", between.CertPEM())

	b.listen = `crl = ["root.crl"]`
	b.write("ca.pem", append(root.CertPEM(), b.ca.CertPEM()...))
	b.checkSays(0, "listen.crl: there is no revocation list of CN=the CA")
	b.write("ca.pem", root.CertPEM())

	b.listen = `crl = ["root.crl", "between.crl"]`
	b.checkSays(1, "listen.crl[1]: ", "put its certificate into [listen].intermediates")

	b.listen = "crl = [\"root.crl\"]\nintermediates = [\"between.pem\"]"
	b.checkSays(0, "listen.crl: there is no revocation list of CN=the intermediate")

	b.listen = "crl = [\"root.crl\", \"between.crl\"]\nintermediates = [\"between.pem\"]"
	if _, said := b.check(); process.CountLines(said, "there is no revocation list") > 0 {
		t.Errorf("check misses a list though there is one of each issuer:\n%s", said)
	}
	g := b.serve()
	if err := g.admits(good); err != nil {
		t.Errorf("a client that does not send its intermediate is refused: %v", err)
	}
	if err := g.admits(revoked, &between.Pair); err == nil {
		t.Error("a client that its intermediate has revoked is admitted")
	}
	b.write("ca.pem", b.ca.CertPEM())
	b.listen = `intermediates = ["between.pem"]`
	if err := b.serve().admits(good); err == nil {
		t.Error("an intermediate without its root is trusted by itself")
	}
}

// With crl_stale = "refuse" and a list that is out of date clients are refused for that, not as
// revoked, and the gateway is not ready.
//
// Fault T9.
func TestAListOutOfDateIsItsOwnReason(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.listen = "crl = [\"ca.crl\"]\ncrl_stale = \"refuse\""
	b.write("ca.crl", listOf(b.ca, time.Now().Add(-time.Minute)))
	g := b.serve()
	if err := g.admits(b.client); err == nil {
		t.Error("the client is admitted though crl_stale refuses it")
	}
	g.Says("RadSec connection refused", "result=crl_stale")
	if got := g.metric("radsec_gw_tls_handshakes_total", `result="revoked_certificate"`); got != 0 {
		t.Errorf("%v handshakes are counted as revoked, expected none", got)
	}
	if status, text := g.page("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(text, "the CA") {
		t.Errorf("/readyz answers %d %q, expected 503 and the list's CA", status, text)
	}
}

// A CA with a negative serial number, as old programs made them, does not stop the start.
//
// Fault T8.
func TestANegativeSerialNumberDoesNotStopTheStart(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	odd := need(certs.NewCA("the odd CA", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(0x55) }))
	// crypto/x509 makes none: the number is changed in place, and so is the signature,
	// which is not verified in a CA's own certificate.
	der := odd.Certificate.Raw
	der[strings.Index(string(der), "\x02\x01\x55")+2] = 0x85
	b.write("ca.pem", append(b.ca.CertPEM(), pemOf("CERTIFICATE", der)...))
	b.checkSays(0)
	g := b.serve()
	for name, pair := range map[string]*certs.Pair{"the odd CA": need(odd.Client("client.example")), "the other CA": b.client} {
		if err := g.admits(pair); err != nil {
			t.Errorf("a client of %s is refused: %v", name, err)
		}
	}
}

// A client whose CA was removed is closed as untrusted, not as revoked.
//
// Fault T8.
func TestAClientOfARemovedCAIsNotCalledRevoked(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	g := b.serve()
	c := g.dial(b.client)
	if err := c.status(); err != nil {
		t.Fatal(err)
	}
	b.write("ca.pem", need(certs.NewCA("the next CA")).CertPEM())
	g.Reload()
	if _, err := c.tryRead(); err == nil {
		t.Error("the connection of a client whose CA was removed stays open")
	}
	g.Says("client=campus", "reason=certificate_untrusted")
	closed := func() float64 {
		return g.metric("radsec_gw_tls_client_connections_closed_total", `reason="certificate_untrusted"`)
	}
	if !testbed.Eventually(patience, func() bool { return closed() == 1 }) {
		t.Errorf("%v connections are counted as closed because their CA was removed, expected 1", closed())
	}
	if got := g.metric("radsec_gw_tls_client_connections_closed_total", `reason="certificate_revoked"`); got != 0 {
		t.Errorf("%v connections are counted as closed because of a revocation, expected none", got)
	}
}

// The probe shows its certificate also to a gateway that names other CAs: the log says which one it
// was, and not that there was none.
//
// Fault T8.
func TestTheProbeShowsACertificateOfAnotherCA(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	stranger := need(need(certs.NewCA("another CA")).Client("stranger.example", func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "stranger"} }))
	b.write("stranger.pem", stranger.CertPEM())
	b.write("stranger.key", need(stranger.KeyPEM()))
	g := b.serve()
	if status, said := b.command("probe", "status", "-address", g.radsec, "-ca", "ca.pem", "-cert", "stranger.pem", "-key", "stranger.key", "-server-name", "radsec-server"); status == 0 {
		t.Errorf("the probe with a certificate of another CA succeeds:\n%s", said)
	}
	g.Says("RadSec connection refused", "result=untrusted_certificate", "CN=stranger")
}
