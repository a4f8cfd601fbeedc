package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
)

// loseCase is a reload and the line about what it removes.
type loseCase struct {
	name           string
	previous, next *material
	want           string // how the line begins; "": no line
}

// loseCases lists reloads of materials with a CA, another of the same name, and their
// lists.
func loseCases(t *testing.T) []loseCase {
	t.Helper()
	now := time.Now()
	list := func(ca *certs.CA, at time.Time) *x509.RevocationList {
		return need(x509.ParseRevocationList(need(certstest.CRL(ca, at, at.Add(time.Hour)))))
	}
	nameless := func(l *x509.RevocationList) *x509.RevocationList { // as openssl makes them without crl_extensions
		c := *l
		c.AuthorityKeyId = nil
		return &c
	}
	ca, twin := need(certs.NewCA("CA")), need(certs.NewCA("CA"))
	first, second, twins := list(ca, now), list(ca, now.Add(time.Minute)), list(twin, now)
	one, both := [][]*x509.Certificate{{ca.Certificate}}, []*x509.Certificate{ca.Certificate, twin.Certificate}
	of := func(lists ...*x509.RevocationList) *material {
		return &material{fronts: withCAs(ca.Certificate), crls: lists}
	}
	return []loseCase{
		{"newer", of(first), of(second), ""},
		{"older", of(second), of(first), "a revocation list is older"},
		{"older beside the newer", of(second), of(first, second), ""},
		{"one of two of an issuer", of(first, second), of(second), ""},
		{"gone", of(first), of(), "a revocation list is gone"},
		{"gone with its CA", of(first), &material{}, "a CA is gone"},
		{"the same", of(first), of(first), ""},
		{"that of one of two CAs of one name", &material{fronts: withCAs(both...), crls: []*x509.RevocationList{nameless(first), nameless(twins)}}, &material{fronts: withCAs(both...), crls: []*x509.RevocationList{nameless(twins)}}, "a revocation list is gone"},
		{"a client's CA", &material{ownCAs: one}, &material{}, "a CA is gone"},
		{"a client's CA that is the client CA", &material{fronts: withCAs(one[0]...), ownCAs: one}, &material{}, "a CA is gone"},
		{"an intermediate", &material{fronts: []*frontMaterial{{intermediates: one[0]}}}, &material{}, "a CA is gone"},
		{"the list of a client's CA", &material{ownCAs: one, crls: []*x509.RevocationList{first}}, &material{ownCAs: one}, "a revocation list is gone"},
		{"shorter chain", &material{own: []*ownCertificate{{pair: tls.Certificate{Certificate: make([][]byte, 2)}}}}, &material{own: []*ownCertificate{{pair: tls.Certificate{Certificate: make([][]byte, 1)}}}}, "the certificate's chain is shorter"},
	}
}

// withCAs returns one front with a client CA.
func withCAs(list ...*x509.Certificate) []*frontMaterial {
	return []*frontMaterial{{clientCAs: list}}
}

// Lists are compared by issuer, key and scope, the newest with the newest.
func TestLosses(t *testing.T) {
	for _, x := range loseCases(t) {
		got := losses(x.previous, x.next)
		if x.want == "" && len(got) > 0 || x.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0].text, x.want)) {
			t.Errorf("%s: expected one line %q, got %v", x.name, x.want, got)
		}
	}
}
