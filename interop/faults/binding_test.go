package faults

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"testing"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
)

// A client that is bound to a CA cannot be imitated by another CA that gives an intermediate the same
// name: ca compares the certificate, and check warns of issuer, which compares the name.
//
// Fault T1.
func TestAClientIsBoundToACAByItsKey(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	name := pkix.Name{CommonName: "tenant A"}
	tenant := newRoot("tenant A", func(c *x509.Certificate) { c.Subject = name })
	other := newRoot("tenant B")
	forged := below(other, "tenant A", func(c *x509.Certificate) { c.Subject = name })
	b.write("ca.pem", append(tenant.CertPEM(), other.CertPEM()...))
	b.write("tenant.pem", tenant.CertPEM())

	b.clients = "[[client]]\nname = \"campus\"\nissuer = [\"CN=tenant A\"]\n"
	b.checkSays(0, `client "campus" is bound to a CA by its name alone`, `give ca = "FILE"`)

	b.clients += "ca = \"tenant.pem\"\n"
	g := b.serve()
	if err := g.admits(need(tenant.Client("true.example"))); err != nil {
		t.Errorf("the client of tenant A is refused: %v", err)
	}
	if err := g.admits(need(forged.Client("false.example")), &forged.Pair); err == nil {
		t.Error("a client of tenant B, which calls itself tenant A, is admitted")
	}
	g.Says("CN=false.example", "the certificate was not issued below its ca")
}

// A client that is recognized by its networks alone causes a warning: any certificate of client_ca
// passes for it there. The source as a condition on the certificate mends that.
//
// Fault T4.
func TestAClientWithNetworksOnlyIsWarnedOf(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.clients = "[[client]]\nname = \"campus\"\nnetworks = [\"127.0.0.0/8\"]\n"
	const warning = `any peer with a certificate of client_ca and an address there is taken for it; san_ip = [`
	b.checkSays(0, `client "campus" has networks and no condition on its certificate: `+warning)
	b.serve().Says("level=WARN", "has networks and no condition on its certificate")

	b.clients += "san_ip = [\"source\"]\n"
	if _, text := b.check(); process.CountLines(text, "no condition on its certificate") > 0 {
		t.Error("check warns though san_ip binds the certificate to the source")
	}
	g := b.serve()
	if err := g.admits(b.client); err == nil {
		t.Error("a certificate without the source's address is admitted")
	}
	if err := g.admits(need(b.ca.Client("at.example", func(c *x509.Certificate) { c.IPAddresses = loopback }))); err != nil {
		t.Errorf("a certificate with the source's address is refused: %v", err)
	}
}

// With more CAs than fit into a handshake the gateway omits their names, so that clients can
// connect; check reports it.
//
// Fault F10.
func TestManyCAsLetClientsIn(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	text := b.ca.CertPEM()
	for i := range 1200 {
		text = append(text, need(certs.NewCA(fmt.Sprintf("the CA of tenant %d", i))).CertPEM()...)
	}
	b.write("ca.pem", text)
	b.checkSays(0, "listen.client_ca: the names of the 1201 CAs take ")
	g := b.serve()
	if err := g.admits(b.client); err != nil {
		t.Errorf("with 1201 CAs a client of one of them is refused: %v", err)
	}
}
