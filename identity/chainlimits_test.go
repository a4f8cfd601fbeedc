package identity

import (
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// The number of certificates that a peer sends, and the size of their keys, are limited.
func TestLimitsOnSentCertificates(t *testing.T) {
	p := newPKI(t)
	root := p.ca.Certificate
	f := newForger()
	big8192 := must(x509.ParseCertificate(f.certificate(pkix.Name{CommonName: "big root"}, pkix.Name{CommonName: "big root"}, rsaKey(8192, 65537))))
	trust := newTrust([]*x509.Certificate{root, big8192}, nil, nil)
	named := func(name string, key any) *x509.Certificate {
		return must(x509.ParseCertificate(f.certificate(pkix.Name{CommonName: name}, root.Subject, key)))
	}
	several := func(n int) (list []*x509.Certificate) {
		for i := range n {
			list = append(list, named(fmt.Sprint(i), nil))
		}
		return list
	}
	for _, c := range []struct {
		name string
		sent []*x509.Certificate
		want string // empty: nothing is excessive
	}{
		{"a leaf", several(1), ""},
		{"ten", several(10), ""},
		{"eleven", several(11), "the peer sent 11 certificates; expected its own and its intermediates, at most 10"},
		{"two of a name", append(several(2), named("1", nil)), ""},
		{"three of a name", append(several(2), named("1", nil), named("1", nil)), "more than 2 certificates of one name, CN=1"},
		{"4096 bits", append(several(1), named("a", rsaKey(4096, 65537))), ""},
		{"4097 bits", append(several(1), named("a", rsaKey(4097, 65537))), "certificate 2 of the 2 that the peer sent, CN=a: expected an RSA key of at most 4096 bits, got 4097 bits"},
		{"an exponent of 65537", append(several(1), named("a", rsaKey(2048, 65537))), ""},
		{"a larger one", append(several(1), named("a", rsaKey(2048, 65539))), "with an exponent of at most 65537, got 65539"},
		{"a leaf of 8192 bits", []*x509.Certificate{named("a", rsaKey(8192, 65537))}, "certificate 1 of the 1"},
		{"a root of 8192 bits that is configured", append(several(1), big8192), ""},
		{"a large key after it", append(several(1), big8192, named("a", rsaKey(4097, 65537))), "certificate 3 of the 3 that the peer sent, CN=a"},
		{"the same as a leaf", []*x509.Certificate{big8192}, "got 8192 bits"},
		{"a DSA key", []*x509.Certificate{{RawSubject: []byte{1}, PublicKey: struct{}{}, PublicKeyAlgorithm: x509.DSA}}, "expected a key for RSA, ECDSA or Ed25519, got DSA"},
		{"no key at all", []*x509.Certificate{{RawSubject: []byte{1}}}, "expected a key for RSA"},
	} {
		err := trust.checkSent(c.sent)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	// The Verifier checks the limits before it verifies anything.
	v := must(NewVerifier(&Config{ClientCA: []*x509.Certificate{p.ca.Certificate}}, nil))
	if r := v.Verify(several(11), time.Now()); r == nil || r.Reason != CertificateExcessive {
		t.Errorf("eleven certificates get %v, want a refusal as excessive", r)
	}
	if r := v.Verify(several(10), time.Now()); r == nil || r.Reason != CertificateUntrusted {
		t.Errorf("ten forged certificates get %v, want a refusal as untrusted", r)
	}
}

// Intermediates are used if their signatures lead to the client CA, in any order, also if
// two of them have the same name; others are not, and no signature is verified with
// their keys.
func TestIntermediatesLeadToTheClientCA(t *testing.T) {
	var none *authority
	root := none.issue("root", nil, true)
	high := root.issue("high", nil, true)
	low := high.issue("low", nil, true)
	lowAgain := root.issue("low", nil, true) // of the same name, another key and issuer
	leaf := low.issue("leaf", nil, false)
	stranger := none.issue("root", nil, true) // another CA of the same name
	forgedHigh := stranger.issue("high", nil, true)
	forgedLow := forgedHigh.issue("low", nil, true)
	aside := root.issue("aside", nil, true) // genuine, but not above the leaf
	trust := newTrust(certsOf(root), nil, nil)
	for _, c := range []struct {
		name       string
		sent, want []*authority
	}{
		{"the leaf alone", []*authority{leaf}, nil},
		{"in order", []*authority{leaf, low, high, root}, []*authority{low, high}},
		{"out of order", []*authority{leaf, root, high, low}, []*authority{low, high}},
		{"two of a name", []*authority{leaf, lowAgain, low, high}, []*authority{low, lowAgain, high}},
		{"two of a name, the wrong one verified first", []*authority{leaf, low, lowAgain, high}, []*authority{low, lowAgain, high}},
		{"one is missing", []*authority{leaf, low}, nil},
		{"forged ones", []*authority{leaf, forgedLow, forgedHigh, stranger}, nil},
		{"forged ones beside genuine ones", []*authority{leaf, forgedLow, low, forgedHigh, high}, []*authority{low, high}},
		{"one of no use", []*authority{leaf, aside, low, high}, []*authority{low, high}},
	} {
		got := trust.genuineIntermediates(certsOf(c.sent...))
		for _, w := range c.want {
			if !slices.Contains(got, w.cert) {
				t.Errorf("%s: %v is not used", c.name, w.cert.Subject)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %d certificates are used, want %d", c.name, len(got), len(c.want))
		}
	}
	for _, c := range []struct {
		name string
		sent []*authority
		want bool
	}{
		{"the leaf alone", []*authority{leaf}, false},
		{"the whole line", []*authority{leaf, low, high}, true},
		{"a line with a gap", []*authority{leaf, high}, false},
		{"a root as a leaf", []*authority{root}, true},
		{"certificates beside the line", []*authority{leaf, aside}, false},
		{"forged ones of the right names", []*authority{leaf, forgedLow, forgedHigh}, true},
	} {
		if got := trust.reaches(certsOf(c.sent...)); got != c.want {
			t.Errorf("%s: the names lead to the client CA: %v, want %v", c.name, got, c.want)
		}
	}
}

// For random certificates within the limits, the result is that of crypto/x509 with all
// of them.
func TestPathsAgreeWithX509(t *testing.T) {
	seed := mathrand.Uint64()
	t.Logf("seed %d", seed)
	random := mathrand.New(mathrand.NewPCG(seed, 1))
	var none *authority
	all := []*authority{none.issue("a", nil, true), none.issue("a", nil, true), none.issue("b", nil, true)}
	trust := newTrust(certsOf(all[0], all[2]), nil, nil)
	for i := range 40 {
		issuer := all[random.IntN(len(all))]
		var key *ecdsa.PrivateKey
		if random.IntN(3) == 0 { // a cross-certificate: the key of another
			key = all[random.IntN(len(all))].key
		}
		all = append(all, issuer.issue(string(rune('a'+random.IntN(6))), key, i%7 != 0))
	}
	accepted := 0
	for range 3000 {
		var sent []*x509.Certificate
		for range 1 + random.IntN(8) {
			sent = append(sent, all[random.IntN(len(all))].cert)
		}
		if trust.checkSent(sent) != nil {
			continue
		}
		verify := func(certs []*x509.Certificate) error {
			pool := x509.NewCertPool()
			for _, c := range certs {
				pool.AddCert(c)
			}
			_, err := sent[0].Verify(x509.VerifyOptions{Roots: trust.roots, Intermediates: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
			return err
		}
		want := verify(sent[1:])
		got := errors.New("names do not lead to the client CA")
		if trust.reaches(sent) {
			got = verify(trust.genuineIntermediates(sent))
		}
		if (got == nil) != (want == nil) {
			t.Fatalf("of %d certificates: got %v, x509 says %v", len(sent), got, want)
		}
		if got == nil {
			accepted++
		}
	}
	if accepted < 100 {
		t.Errorf("only %d chains were accepted: the test shows little", accepted)
	}
}
