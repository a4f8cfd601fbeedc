package faults

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
)

// newRoot makes a CA that may have others below it.
func newRoot(name string, changes ...certs.Change) *certs.CA {
	return need(certs.NewCA(name, append([]certs.Change{func(c *x509.Certificate) { c.MaxPathLenZero, c.MaxPathLen = false, -1 }}, changes...)...))
}

// below makes an intermediate CA.
func below(ca *certs.CA, name string, changes ...certs.Change) *certs.CA {
	asCA := func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.MaxPathLen = true, true, -1
		c.KeyUsage, c.ExtKeyUsage, c.DNSNames = x509.KeyUsageCertSign|x509.KeyUsageCRLSign, nil, nil
	}
	return &certs.CA{Pair: *need(ca.Client(name, append([]certs.Change{asCA}, changes...)...))}
}

// expired is the Change that lets a certificate end yesterday.
func expired(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
}

// numbered is the Change that gives a certificate a serial number.
func numbered(serial int64) certs.Change {
	return func(c *x509.Certificate) { c.SerialNumber = big.NewInt(serial) }
}

// listOf is a CA's revocation list in PEM, made two hours before its end.
func listOf(ca *certs.CA, until time.Time, revoked ...*certs.Pair) []byte {
	return pemOf("X509 CRL", need(certstest.CRL(ca, until.Add(-2*time.Hour), until, revoked...)))
}

// writeServerKey gives the gateway a certificate for a key that certs does not make.
func (b *bed) writeServerKey(key crypto.Signer) {
	b.t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "radsec-server"}, DNSNames: []string{"radsec-server"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der := need(x509.CreateCertificate(rand.Reader, template, b.ca.Certificate, key.Public(), b.ca.Key))
	b.write("server.key", pemOf("PRIVATE KEY", need(x509.MarshalPKCS8PrivateKey(key))))
	b.write("server.pem", pemOf("CERTIFICATE", der))
}

// loopback is what tests connect from.
var loopback = []net.IP{net.IPv4(127, 0, 0, 1)}
