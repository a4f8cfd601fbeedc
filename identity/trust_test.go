package identity

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// list makes a's revocation list, good until then.
func (a *authority) list(until time.Time, revoked ...*authority) *x509.RevocationList {
	serial++
	t := &x509.RevocationList{Number: big.NewInt(serial), ThisUpdate: until.Add(-time.Hour), NextUpdate: until}
	for _, r := range revoked {
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: r.cert.SerialNumber, RevocationTime: t.ThisUpdate})
	}
	return must(x509.ParseRevocationList(must(x509.CreateRevocationList(rand.Reader, t, a.cert, a.key))))
}

// who says which client the certificates are one of; "" and a refusal for none.
func who(v *Verifier, sent ...*authority) (string, *Refusal) {
	certs := certsOf(sent...)
	i, _, r := v.Assess(NewPeer(netip.MustParseAddr("192.0.2.7"), certs), certs, time.Now())
	if r != nil {
		return "", r
	}
	return v.clients[i].Name, nil
}

// A client with a CA of its own is whose path passes through a certificate of it,
// compared octet by octet; that CA counts for no other client. So a sub-CA that
// bears another CA's name, or another CA of the same name, passes for nobody.
//
// Rules: TR1, P105
func TestClientsOwnCA(t *testing.T) {
	var none *authority
	common := none.issue("common", nil, true)
	a, b := none.issue("CA A", nil, true), none.issue("CA B", nil, true)
	twin := none.issue("CA A", nil, true)         // another CA of the same name
	subA := a.issue("sub A", nil, true)           // an intermediate of A
	falseA := b.issue("CA A", nil, true)          // an intermediate of B that bears A's name
	rekeyed := none.issue("CA A", a.key, true)    // A's key in another certificate
	bridge := common.issue("CA A", a.key, true)   // A, cross-certified by the common CA
	department := common.issue("dept", nil, true) // an intermediate of the common CA, a client's CA itself
	alone := none.issue("alone", nil, false)      // signed by itself
	clients := Clients{
		{Name: "a", CA: certsOf(a)},
		{Name: "b", CA: certsOf(twin, b)},
		{Name: "alone", CA: certsOf(alone)},
		{Name: "dept", CA: certsOf(department)},
		{Name: "rest"},
	}
	v := must(NewVerifier(&Config{ClientCA: certsOf(common), Clients: clients}, nil))
	for _, c := range []struct {
		says string
		sent []*authority
		want string // "": none
	}{
		{"of A", []*authority{a.issue("x", nil, false)}, "a"},
		{"of A's intermediate", []*authority{subA.issue("x", nil, false), subA}, "a"},
		{"of the other CA of A's name", []*authority{twin.issue("x", nil, false)}, "b"},
		{"of B", []*authority{b.issue("x", nil, false)}, "b"},
		{"of B's intermediate that bears A's name", []*authority{falseA.issue("x", nil, false), falseA}, "b"},
		{"of B's intermediate that bears A's name, with A sent along", []*authority{falseA.issue("x", nil, false), falseA, a}, "b"},
		{"of A's key, with another certificate of it", []*authority{a.issue("x", nil, false), rekeyed}, "a"},
		{"of A, which the common CA has certified, too", []*authority{a.issue("x", nil, false), bridge}, "a"},
		{"of the common CA", []*authority{common.issue("x", nil, false)}, "rest"},
		{"of an intermediate that is a client's CA", []*authority{department.issue("x", nil, false), department}, "dept"},
		{"of an intermediate that is a client's CA and was not sent", []*authority{department.issue("x", nil, false)}, "dept"},
		{"signed by itself", []*authority{alone}, "alone"},
	} {
		if got, r := who(v, c.sent...); got != c.want {
			t.Errorf("a certificate %s is client %q, want %q (%v)", c.says, got, c.want, r)
		}
	}

	// Without its own client, each of these is nobody, although its CA is known.
	for i, sent := range [][]*authority{{a.issue("x", nil, false)}, {b.issue("x", nil, false)}, {alone}} {
		rest := append(Clients{}, clients[:i]...)
		for _, c := range clients[i:] {
			if c.Name != clients[i].Name {
				rest = append(rest, c)
			}
		}
		// The CA stays trusted for a client that demands more.
		rest = append(rest, &Client{Name: "more", CA: clients[i].CA, SANDNS: []string{"nobody.example"}})
		v := must(NewVerifier(&Config{ClientCA: certsOf(common), Clients: rest}, nil))
		got, r := who(v, sent...)
		if got != "" || r.Reason != ClientUnknown {
			t.Errorf("a certificate of the CA of %q alone is client %q without it, want none as unknown (%v)", clients[i].Name, got, r)
		}
		if r != nil && !strings.Contains(r.Text, "rest: the certificate leads to the ca of another client, not to client_ca") {
			t.Errorf("the refusal reads %q", r.Text)
		}
	}

	// An intermediate of client_ca that is some client's CA hides no path to client_ca.
	v = must(NewVerifier(&Config{ClientCA: certsOf(common), Clients: Clients{{Name: "dept", CA: certsOf(department), SANDNS: []string{"nobody.example"}}, {Name: "rest"}}}, nil))
	if got, r := who(v, department.issue("x", nil, false), department); got != "rest" {
		t.Errorf("a certificate of a department of the common CA is client %q, want rest (%v)", got, r)
	}
}

// Until when a certificate is good is for the client's own paths to say.
//
// Rules: TR1, P109
func TestGoodUntilTheClientsPathEnds(t *testing.T) {
	var none *authority
	soon := time.Now().Add(10 * time.Minute).Truncate(time.Second)
	old := none.issueWith("CA", nil, true, func(c *x509.Certificate) { c.NotAfter = soon })
	renewed := none.issue("CA", old.key, true) // valid longer
	leaf := old.issue("x", nil, false)
	for _, c := range []struct {
		ca   *authority
		want time.Time
	}{{old, soon}, {renewed, leaf.cert.NotAfter}} {
		v := must(NewVerifier(&Config{ClientCA: certsOf(old, renewed), Clients: Clients{{Name: "c", CA: certsOf(c.ca)}}}, nil))
		_, until, r := v.Assess(NewPeer(netip.Addr{}, certsOf(leaf)), certsOf(leaf), time.Now())
		if r != nil || !until.Equal(c.want) {
			t.Errorf("the certificate is good until %v (%v), want %v", until, r, c.want)
		}
	}
}

// RFC 5280 §6.3.3 (f): a revocation list speaks for the certificate whose key signed
// it. Two CAs of one name have each its own; one that is out of date is not hidden by
// the other's.
//
// Rules: TR4, P109
func TestListsBelongToTheIssuingKey(t *testing.T) {
	var none *authority
	now := time.Now()
	one, two := none.issue("CA", nil, true), none.issue("CA", nil, true)
	// The same serial number at both.
	same := func(a *authority) *authority {
		return a.issueWith("x", nil, false, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(4711) })
	}
	x1, x2 := same(one), same(two)
	sub := one.issue("sub", nil, true)
	below := sub.issue("y", nil, false)
	renewed := none.issue("CA", one.key, true)
	for _, c := range []struct {
		says    string
		lists   []*x509.RevocationList
		ca      []*x509.Certificate
		between []*x509.Certificate
		sent    []*authority
		want    Reason // NumReasons: it is good
	}{
		{"revoked by its own CA", []*x509.RevocationList{one.list(now.Add(time.Hour), x1), two.list(now.Add(time.Hour))}, certsOf(one, two), nil, []*authority{x1}, CertificateRevoked},
		{"its serial number revoked by the other", []*x509.RevocationList{one.list(now.Add(time.Hour), x1), two.list(now.Add(time.Hour))}, certsOf(one, two), nil, []*authority{x2}, NumReasons},
		{"only the other has a list", []*x509.RevocationList{one.list(now.Add(time.Hour), x1)}, certsOf(one, two), nil, []*authority{x2}, NumReasons},
		{"its own list is out of date, the other's is not", []*x509.RevocationList{one.list(now.Add(-time.Minute)), two.list(now.Add(time.Hour))}, certsOf(one, two), nil, []*authority{x1}, ListStale},
		{"the other's list is out of date", []*x509.RevocationList{one.list(now.Add(-time.Minute)), two.list(now.Add(time.Hour))}, certsOf(one, two), nil, []*authority{x2}, NumReasons},
		{"a newer list of the same key", []*x509.RevocationList{one.list(now.Add(-time.Minute)), one.list(now.Add(time.Hour))}, certsOf(one), nil, []*authority{x1}, NumReasons},
		{"revoked, and the CA's certificate was renewed with its key", []*x509.RevocationList{one.list(now.Add(time.Hour), x1)}, certsOf(renewed), nil, []*authority{x1}, CertificateRevoked},
		{"its intermediate is revoked", []*x509.RevocationList{one.list(now.Add(time.Hour), sub)}, certsOf(one), nil, []*authority{below, sub}, CertificateRevoked},
		{"its intermediate is revoked, and a trusted CA itself", []*x509.RevocationList{one.list(now.Add(time.Hour), sub)}, certsOf(one, sub), nil, []*authority{below}, CertificateRevoked},
		{"revoked by an intermediate that is known", []*x509.RevocationList{sub.list(now.Add(time.Hour), below)}, certsOf(one), certsOf(sub), []*authority{below, sub}, CertificateRevoked},
	} {
		v := must(NewVerifier(&Config{ClientCA: c.ca, Intermediates: c.between, CRLs: c.lists, RefuseStaleCRL: true, Clients: Clients{{Name: "c"}}}, nil))
		for range 2 { // the second time by what is kept of the path
			_, r := who(v, c.sent...)
			switch {
			case r == nil && c.want != NumReasons:
				t.Errorf("%s: it is taken, want a refusal: %v", c.says, c.want)
			case r != nil && r.Reason != c.want:
				t.Errorf("%s: %v, %v; want %v", c.says, r.Reason, r, c.want)
			}
		}
	}
	v := must(NewVerifier(&Config{ClientCA: certsOf(one, two), CRLs: []*x509.RevocationList{one.list(now.Add(-time.Minute)), two.list(now.Add(time.Hour))}}, nil))
	if ages := v.ListAges(now); len(ages) != 2 || ages[0].Issuer == ages[1].Issuer {
		t.Errorf("the lists of two CAs of one name are shown as %v, want two that can be told apart", ages)
	}
	if stale := v.StaleLists(now); len(stale) != 1 {
		t.Errorf("%q are out of date, want one", stale)
	}

	// A list that cannot be attributed is refused, with what helps.
	for says, c := range map[string]struct {
		list *x509.RevocationList
		want string
	}{
		"an intermediate's list":                    {sub.list(now.Add(time.Hour)), "none has that name: if it is an intermediate, put its certificate into [listen].intermediates"},
		"a list of another CA of a configured name": {two.list(now.Add(time.Hour)), "signed by another key than that of the configured certificate of this name"},
	} {
		_, err := NewVerifier(&Config{ClientCA: certsOf(one), CRLs: []*x509.RevocationList{c.list}}, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "[listen].intermediates") {
			t.Errorf("%s: %v, want an error with %q", says, err, c.want)
		}
	}
}

// A negative serial number is another than the positive one of the same digits.
//
// Rules: TR4
func TestSerialNumbersHaveASign(t *testing.T) {
	for n, want := range map[int64]string{-5: "-\x05", 5: "\x05", 0: "", -256: "-\x01\x00", 256: "\x01\x00"} {
		if got := serialOf(big.NewInt(n)); got != want {
			t.Errorf("%d is compared as %q, expected %q", n, got, want)
		}
	}
}

// Known intermediates complete the path of a peer that forgot its own, and make
// nobody trusted.
//
// Rules: P104
func TestKnownIntermediates(t *testing.T) {
	var none *authority
	root, other := none.issue("root", nil, true), none.issue("other", nil, true)
	high := root.issue("high", nil, true)
	low := high.issue("low", nil, true)
	stray := other.issue("stray", nil, true)
	forged := none.issue("root", nil, true).issue("high", nil, true)
	for _, c := range []struct {
		says    string
		between []*authority
		sent    []*authority
		good    bool
	}{
		{"nothing is known or sent", nil, []*authority{low.issue("x", nil, false)}, false},
		{"both are known", []*authority{low, high}, []*authority{low.issue("x", nil, false)}, true},
		{"one is known, the other sent", []*authority{high}, []*authority{low.issue("x", nil, false), low}, true},
		{"the lower is known, the upper sent", []*authority{low}, []*authority{low.issue("x", nil, false), high}, false}, // nothing vouches for it at the start
		{"of another CA", []*authority{stray}, []*authority{stray.issue("x", nil, false)}, false},
		{"forged", []*authority{forged}, []*authority{forged.issue("x", nil, false)}, false},
	} {
		v := must(NewVerifier(&Config{ClientCA: certsOf(root), Intermediates: certsOf(c.between...)}, nil))
		if r := v.Verify(certsOf(c.sent...), time.Now()); (r == nil) != c.good {
			t.Errorf("%s: %v, want good: %v", c.says, r, c.good)
		}
	}
	v := must(NewVerifier(&Config{ClientCA: certsOf(root), Intermediates: certsOf(high, stray), CRLs: []*x509.RevocationList{root.list(time.Now().Add(time.Hour))}}, nil))
	review := v.Review()
	if len(review.Useless) != 1 || !strings.Contains(review.Useless[0], "CN=stray, issued by CN=other, leads to no certificate of client_ca") {
		t.Errorf("the review says %q of useless intermediates", review.Useless)
	}
	if len(review.WithoutLists) != 1 || !strings.Contains(review.WithoutLists[0], "there is no revocation list of CN=high") {
		t.Errorf("the review says %q of issuers without a list", review.WithoutLists)
	}
}

// The names of all CAs are told, each once, as long as the message that holds them
// fits a record.
//
// Rules: TR3
func TestNamesSentInTheHandshake(t *testing.T) {
	f := newForger()
	forged := func(n, length int) (list []*x509.Certificate) {
		for i := range n {
			name := pkix.Name{CommonName: fmt.Sprintf("%0*d", length, i)}
			list = append(list, must(x509.ParseCertificate(f.certificate(name, name, nil))))
		}
		return list
	}
	var none *authority
	root := none.issue("root", nil, true)
	for _, c := range []struct {
		says  string
		cas   []*x509.Certificate
		names int
	}{
		{"none beside client_ca", nil, 1},
		{"two clients' CAs, one of them with client_ca's name", certsOf(none.issue("other", nil, true), none.issue("root", nil, true)), 2},
		{"16,000 bytes", forged(270, 44), 271}, // 59 bytes each, and 19 of root
		{"eight bytes more", forged(271, 44), 0},
		{"1,200", forged(1200, 44), 0},
	} {
		v := must(NewVerifier(&Config{ClientCA: certsOf(root), Clients: Clients{{Name: "x", CA: c.cas}}}, nil))
		list, size := v.trust.names()
		pool := x509.NewCertPool()
		if c.names > 0 {
			for _, c := range list {
				pool.AddCert(c)
			}
		}
		if !v.NamesSent().Equal(pool) || c.names > 0 && len(list) != c.names {
			t.Errorf("%s: of %d names of %d bytes others are sent than the %d wanted", c.says, len(list), size, c.names)
		}
		if told := v.Review().Names; (told != "") != (c.names == 0) {
			t.Errorf("%s: the review says %q", c.says, told)
		}
	}
}

// A certificate that was renewed with its key shares the list of the one before it, while
// both are configured: what that revokes is revoked on either path (RFC 5280 §6.3.3 (f)).
//
// Rules: TR4
func TestRenewedCASharesItsList(t *testing.T) {
	var none *authority
	now := time.Now()
	old := none.issue("CA", nil, true)
	renewed := none.issue("CA", old.key, true)
	revoked, good := old.issue("x", nil, false), old.issue("y", nil, false)
	for _, ca := range [][]*x509.Certificate{{old.cert, renewed.cert}, {renewed.cert, old.cert}} {
		for _, list := range []*x509.RevocationList{old.list(now.Add(time.Hour), revoked), renewed.list(now.Add(time.Hour), revoked)} {
			v := must(NewVerifier(&Config{ClientCA: ca, CRLs: []*x509.RevocationList{list}, Clients: Clients{{Name: "c"}}}, nil))
			if _, r := who(v, revoked); r == nil || r.Reason != CertificateRevoked {
				t.Errorf("the revoked certificate gets %v, expected its refusal as revoked", r)
			}
			if _, r := who(v, good); r != nil {
				t.Errorf("the other certificate gets %v, expected it good", r)
			}
		}
	}
}

// Who signed a CA is found by name and signature, and never a certificate of its own key.
func TestIssuerOf(t *testing.T) {
	var none *authority
	a := none.issue("a", nil, true)
	renewed, namesake, sub := none.issue("a", a.key, true), none.issue("a", nil, true), a.issue("sub", nil, true)
	v := must(NewVerifier(&Config{ClientCA: certsOf(namesake, a, renewed, sub), Clients: Clients{{Name: "c"}}}, nil))
	for _, c := range []struct {
		says string
		of   *authority
		want []*authority // either
	}{
		{"a root, with its renewed certificate", a, nil},
		{"the renewed one", renewed, nil},
		{"an intermediate, beside a namesake of its issuer", sub, []*authority{a, renewed}},
	} {
		got := v.trust.issuerOf(c.of.cert)
		found := got == nil && c.want == nil
		for _, w := range c.want {
			found = found || got == w.cert
		}
		if !found {
			t.Errorf("%s: it was signed by %v", c.says, got)
		}
	}
}
