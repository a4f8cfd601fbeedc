package identity

import (
	"bytes"
	"cmp"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
)

// The gateway's own chain is checked the way clients of each kind check it.
//
// Rules: P105
func TestOwnChain(t *testing.T) {
	p := newOwnPKI()
	for _, c := range slices.Concat(p.structureCases(), p.leafCases(), p.issuerCases(), p.algorithmCases()) {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			if len(c.chain) > 0 {
				fatal := len(c.want) > 0 && strings.HasPrefix(c.want[0], "2 ")
				if why := cmp.Or(Refused(c.chain[0].cert, ownTime), Damage(linked(c.chain), linked(c.known))); (why != "") != fatal || fatal && !strings.HasPrefix("2 "+why, c.want[0]) {
					t.Errorf("every client refuses it because %q, expected %v", why, fatal)
				}
			}
			for _, f := range OwnChain(linked(c.chain), linked(c.known), ownTime) {
				got = append(got, fmt.Sprint(f.Severity, " ", f.Text))
			}
			for i := range max(len(got), len(c.want)) {
				if i >= len(got) || i >= len(c.want) || !strings.HasPrefix(got[i], c.want[i]) {
					t.Fatalf("found %q\nexpected %q", got, c.want)
				}
			}
			now, later := OwnChain(linked(c.chain), linked(c.known), ownTime.Add(time.Second)), OwnChain(linked(c.chain), linked(c.known), ownTime.Add(time.Minute))
			if !slices.Equal(now, later) {
				t.Errorf("a minute later the texts differ, and would be reported as new: %q", later)
			}
		})
	}
}

// signedBy compares names, key identifiers if both certificates have them, and verifies
// the signature.
func TestSignedBy(t *testing.T) {
	root, namesake, other := (*signer)(nil).under("root", nil, ofCA), (*signer)(nil).under("root", nil, ofCA), (*signer)(nil).under("other", nil, ofCA)
	leaf := root.under("gw", nil, ofServer)
	for _, c := range []struct {
		name                 string
		issuer               *signer
		authorityID, subject []byte
		want                 bool
	}{
		{"the issuer", root, []byte{1}, []byte{1}, true},
		{"without identifiers", root, nil, nil, true},
		{"an identifier in the issuer alone", root, nil, []byte{1}, true},
		{"an identifier in the certificate alone", root, []byte{1}, nil, true},
		{"identifiers that differ", root, []byte{1}, []byte{2}, false},
		{"another key of the name", namesake, nil, nil, false},
		{"another name", other, nil, nil, false},
	} {
		cert, issuer := *leaf.cert, *c.issuer.cert
		cert.AuthorityKeyId, issuer.SubjectKeyId = c.authorityID, c.subject
		if got := signedBy(&cert, &issuer); got != c.want {
			t.Errorf("%s: expected %v, got %v", c.name, c.want, got)
		}
	}
}

// EarliestExpiry returns the expiry of the first certificate of the chain to expire.
func TestEarliestExpiry(t *testing.T) {
	at := func(days int) *x509.Certificate { return &x509.Certificate{NotAfter: ownTime.AddDate(0, 0, days)} }
	for _, c := range []struct {
		chain []*x509.Certificate
		want  time.Time
	}{
		{nil, time.Time{}},
		{[]*x509.Certificate{at(3)}, ownTime.AddDate(0, 0, 3)},
		{[]*x509.Certificate{at(3), at(-2), at(9)}, ownTime.AddDate(0, 0, -2)},
	} {
		if got := EarliestExpiry(c.chain); !got.Equal(c.want) {
			t.Errorf("the chain expires on %v, expected %v", got, c.want)
		}
	}
}

// damagedCase is a chain that may be damaged.
type damagedCase struct {
	name         string
	chain, known []*x509.Certificate
	want         bool
}

func damagedCases(t *testing.T) []damagedCase {
	p := newPKI(t)
	whole := p.server.Certificate
	der := bytes.Clone(whole.Raw)
	der[len(der)-1] ^= 1
	damaged := must(x509.ParseCertificate(der))
	ca := []*x509.Certificate{p.ca.Certificate}
	twin := must(certs.NewCA("test CA", func(c *x509.Certificate) { c.SubjectKeyId = ca[0].SubjectKeyId })).Certificate
	changed := *whole
	changed.SignatureAlgorithm = x509.UnknownSignatureAlgorithm
	unknown := &changed
	bad := func(c *x509.Certificate, change certs.Change) *x509.Certificate {
		changed := *c
		change(&changed)
		return &changed
	}
	broken := func(c *x509.Certificate) { c.Signature = bytes.Repeat([]byte{1}, len(c.Signature)) }
	signer := func(change certs.Change) []*x509.Certificate { return []*x509.Certificate{bad(ca[0], change)} }
	ofSize := func(bits uint) certs.Change {
		return func(c *x509.Certificate) {
			c.PublicKey, c.PublicKeyAlgorithm = &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1), E: 65537}, x509.RSA
		}
	}
	signedByRSA := bad(damaged, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA256WithRSA })
	return []damagedCase{
		{"whole", []*x509.Certificate{whole}, ca, false},
		{"damaged", []*x509.Certificate{damaged}, ca, true},
		{"damaged, with its CA", []*x509.Certificate{damaged, ca[0]}, nil, true},
		{"damaged, with an unknown CA", []*x509.Certificate{damaged}, nil, false},
		{"whole, beside another CA of the name and key identifier", []*x509.Certificate{whole}, []*x509.Certificate{twin, ca[0]}, false},
		{"signed with an algorithm that Go cannot verify", []*x509.Certificate{unknown}, ca, false},
		{"signed with a key that is too short for Go", []*x509.Certificate{signedByRSA}, signer(ofSize(1023)), false},
		{"signed with an exponent that is too large for Go", []*x509.Certificate{signedByRSA}, signer(func(c *x509.Certificate) {
			ofSize(2048)(c)
			c.PublicKey.(*rsa.PublicKey).E = 1<<31 + 1
		}), false},
		{"signed with a key of a kind that Go does not support", []*x509.Certificate{damaged}, signer(func(c *x509.Certificate) { c.PublicKey = nil }), false},
		{"signed with SHA-1", []*x509.Certificate{bad(damaged, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 })}, ca, false},
		{"signed with the shortest key that Go supports", []*x509.Certificate{signedByRSA}, signer(ofSize(1024)), true},
		{"damaged, beside a CA of another name", []*x509.Certificate{damaged}, signer(func(c *x509.Certificate) { c.RawSubject = []byte{1} }), false},
		{"damaged, beside another CA of its name", []*x509.Certificate{damaged}, signer(func(c *x509.Certificate) { c.SubjectKeyId = []byte{1} }), false},
		{"damaged, without a key identifier", []*x509.Certificate{bad(damaged, func(c *x509.Certificate) { c.AuthorityKeyId = nil })}, signer(func(c *x509.Certificate) { c.SubjectKeyId = nil }), false},
		{"damaged, with a key identifier of one byte", []*x509.Certificate{bad(damaged, func(c *x509.Certificate) { c.AuthorityKeyId = []byte{7} })}, signer(func(c *x509.Certificate) { c.SubjectKeyId = []byte{7} }), true},
		{"whole, with a CA whose own signature is broken", []*x509.Certificate{whole, bad(ca[0], broken)}, nil, false},
		{"whole, with such a CA that names its own key", []*x509.Certificate{whole, bad(ca[0], func(c *x509.Certificate) { broken(c); c.AuthorityKeyId = c.SubjectKeyId })}, nil, false},
	}
}

// A certificate with one changed byte is reported as damaged if the CA that it names is
// in the chain or among the other certificates.
func TestDamagedOwnCertificate(t *testing.T) {
	for _, c := range damagedCases(t) {
		reported := slices.ContainsFunc(OwnChain(c.chain, c.known, time.Now()), func(f Finding) bool {
			return f.Severity == Fatal && strings.Contains(f.Text, "one of the two is damaged")
		})
		if reported != c.want {
			t.Errorf("%s: reported as damaged: %v, expected %v", c.name, reported, c.want)
		}
		if why := Damage(c.chain, c.known); strings.Contains(why, "one of the two is damaged") != c.want || (why != "") != c.want {
			t.Errorf("%s: every client refuses it because %q, expected that it is damaged: %v", c.name, why, c.want)
		}
	}
}

// Altered distinguishes a certificate with changed bytes from a new one.
func TestAltered(t *testing.T) {
	p := newPKI(t)
	whole := p.server.Certificate
	other := must(p.ca.Server([]string{"another"})).Certificate
	with := func(change certs.Change) *x509.Certificate {
		c := *whole
		c.Raw = append(bytes.Clone(c.Raw), 0)
		change(&c)
		return &c
	}
	for _, c := range []struct {
		name string
		cert *x509.Certificate
		want bool
	}{
		{"the same", whole, false},
		{"another", other, false},
		{"other bytes", with(func(*x509.Certificate) {}), true},
		{"another issuer", with(func(c *x509.Certificate) { c.RawIssuer = nil }), true},
		{"another key of the issuer", with(func(c *x509.Certificate) { c.AuthorityKeyId = nil }), true},
		{"both", with(func(c *x509.Certificate) { c.RawIssuer, c.AuthorityKeyId = nil, nil }), false},
		{"a renewal with the key", with(func(c *x509.Certificate) { c.SerialNumber = big.NewInt(7) }), false},
		{"another key", with(func(c *x509.Certificate) { c.RawSubjectPublicKeyInfo = nil }), false},
	} {
		if got := Altered(c.cert, whole); got != c.want {
			t.Errorf("%s: expected %v, got %v", c.name, c.want, got)
		}
	}
	a, b := with(func(c *x509.Certificate) { c.RawIssuer, c.AuthorityKeyId = []byte{1}, nil }), with(func(c *x509.Certificate) { c.RawIssuer, c.AuthorityKeyId = []byte{2}, nil })
	b.Raw = append(b.Raw, 1)
	if Altered(a, b) {
		t.Error("certificates of two issuers without key identifiers count as one altered")
	}
	a.AuthorityKeyId, b.AuthorityKeyId = []byte{7}, []byte{7}
	if !Altered(a, b) {
		t.Error("one with a key identifier of one byte and another issuer counts as a new one")
	}
}
