package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"net/netip"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
)

// pki is a CA with one server and one client certificate.
type pki struct {
	ca             *certs.CA
	server, client *certs.Pair
}

func newPKI(t testing.TB) *pki {
	t.Helper()
	ca := must(certs.NewCA("test CA"))
	return &pki{ca: ca, server: must(ca.Server([]string{"radsec-server"})), client: must(ca.Client("ap1"))}
}

// crl returns the CA's list of these certificates, valid for an hour.
func (p *pki) crl(revoked ...*certs.Pair) *x509.RevocationList {
	now := time.Now()
	return must(x509.ParseRevocationList(must(certstest.CRL(p.ca, now.Add(-time.Minute), now.Add(time.Hour), revoked...))))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func many(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("host%d.example", i))
	}
	return names
}

// authority is a CA or a leaf at any depth, for chains that certs does not make.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var serial int64

// issue makes an authority below a; a nil one is self-signed.
func (a *authority) issue(name string, key *ecdsa.PrivateKey, isCA bool) *authority {
	return a.issueWith(name, key, isCA, func(*x509.Certificate) {})
}

// issueWith is issue with a change of the template.
func (a *authority) issueWith(name string, key *ecdsa.PrivateKey, isCA bool, change func(*x509.Certificate)) *authority {
	if key == nil {
		key = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	}
	serial++
	t := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: isCA, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if isCA {
		t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	}
	change(t)
	issuer, signer := t, key
	if a != nil {
		issuer, signer = a.cert, a.key
	}
	return &authority{must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, t, issuer, &key.PublicKey, signer)))), key}
}

func certsOf(list ...*authority) (certs []*x509.Certificate) {
	for _, a := range list {
		certs = append(certs, a.cert)
	}
	return certs
}

// forger makes certificates that no CA signed.
type forger struct {
	key *ecdsa.PrivateKey // signs, and belongs to every leaf
}

func newForger() *forger {
	return &forger{must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
}

// certificate makes a certificate with the name of issuer, for the forger's own key if
// key is nil.
func (f *forger) certificate(subject, issuer pkix.Name, key any, changes ...certs.Change) []byte {
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: key != nil, BasicConstraintsValid: true}
	for _, change := range changes {
		change(t)
	}
	if key == nil {
		key = &f.key.PublicKey
	}
	return must(x509.CreateCertificate(rand.Reader, t, &x509.Certificate{Subject: issuer}, key, f.key))
}

// rsaKey returns a public key of this size, without a private key.
func rsaKey(bits, exponent int) *rsa.PublicKey {
	n := must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(bits-1))))
	n.SetBit(n, bits-1, 1).SetBit(n, 0, 1)
	return &rsa.PublicKey{N: n, E: exponent}
}

// list makes a's revocation list, valid until then.
func (a *authority) list(until time.Time, revoked ...*authority) *x509.RevocationList {
	serial++
	t := &x509.RevocationList{Number: big.NewInt(serial), ThisUpdate: until.Add(-time.Hour), NextUpdate: until}
	for _, r := range revoked {
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: r.cert.SerialNumber, RevocationTime: t.ThisUpdate})
	}
	return must(x509.ParseRevocationList(must(x509.CreateRevocationList(rand.Reader, t, a.cert, a.key))))
}

// clientOf returns the name of the client that the certificates belong to, or a refusal.
func clientOf(v *Verifier, sent ...*authority) (string, *Refusal) {
	certs := certsOf(sent...)
	i, _, r := v.Assess(NewPeer(netip.MustParseAddr("192.0.2.7"), certs), certs, time.Now())
	if r != nil {
		return "", r
	}
	return v.clients[i].Name, nil
}

// ofClientCA is a path to a certificate of the client CA.
var ofClientCA = []acceptedPath{{certPath: &certPath{ofClientCA: true}}}

// listFrom makes a's revocation list with a scope and these times; without a scope it
// covers all certificates.
func (a *authority) listFrom(this, next time.Time, scope byte, revoked ...int64) *x509.RevocationList {
	serial++
	t := &x509.RevocationList{Number: big.NewInt(serial), ThisUpdate: this, NextUpdate: next}
	if scope > 0 { // onlyContainsUserCerts, onlyContainsCACerts
		t.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}}, {Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 3, 0x80 + scope, 1, 0xff}}}
	}
	for _, n := range revoked {
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(n), RevocationTime: this})
	}
	return must(x509.ParseRevocationList(must(x509.CreateRevocationList(rand.Reader, t, a.cert, a.key))))
}
