package identity

import (
	"crypto/x509"
	"fmt"
	"strings"
	"testing"
	"time"
)

// With crl_stale = "refuse" the certificates of an issuer without a list are refused while a
// configured URL has not delivered one; those of an issuer with a list are not. With "accept"
// nobody is refused.
//
// Rules: TR9
func TestAwaitedLists(t *testing.T) {
	var none *authority
	with, without := none.issue("with", nil, true), none.issue("without", nil, true)
	cfg := Config{ClientCA: certsOf(with, without), CRLs: []*x509.RevocationList{with.list(time.Now().Add(time.Hour))}, Clients: Clients{{Name: "one"}}}
	for _, row := range []struct {
		refuse, awaited bool
		with, without   bool // are accepted
	}{{true, true, true, false}, {true, false, true, true}, {false, true, true, true}} {
		cfg.RefuseStaleCRL, cfg.Fetched.Awaited = row.refuse, row.awaited
		v := must(NewVerifier(&cfg, nil))
		for ca, want := range map[*authority]bool{with: row.with, without: row.without} {
			_, r := clientOf(v, ca.issue("leaf", nil, false))
			if (r == nil) != want || r != nil && (r.Reason != ListStale || !strings.Contains(r.Text, "the revocation list of CN=without has not been fetched yet")) {
				t.Errorf("refuse %t, awaited %t: expected a certificate of %s to be accepted to be %t, got %+v", row.refuse, row.awaited, ca.cert.Subject, want, r)
			}
		}
		names := "[]"
		if !row.without {
			names = "[CN=without]"
		}
		if got := fmt.Sprint(v.AwaitedIssuers()); got != names {
			t.Errorf("refuse %t, awaited %t: expected the awaited issuers %s, got %s", row.refuse, row.awaited, names, got)
		}
		ages := map[string]bool{}
		for _, a := range v.ListAges(time.Now()) {
			ages[fmt.Sprint(a.Issuer, !a.ThisUpdate.IsZero())] = a.Refused
		}
		if got, listed := ages["CN=withoutfalse"]; got == row.without || listed == row.without || ages["CN=withtrue"] {
			t.Errorf("refuse %t, awaited %t: expected the issuers in ListAges as they are refused, got %v", row.refuse, row.awaited, ages)
		}
		if v.RefusesAll(time.Now()) {
			t.Error("expected the clients of one CA to be accepted")
		}
	}
	cfg = Config{ClientCA: certsOf(without), RefuseStaleCRL: true, Clients: Clients{{Name: "one"}}, Fetched: Fetched{Awaited: true}}
	if !must(NewVerifier(&cfg, nil)).RefusesAll(time.Now()) {
		t.Error("expected no client to be accepted while the list of the only CA is awaited")
	}
	self := none.issue("self", nil, false)
	cfg.ClientCA = certsOf(without, self)
	v := must(NewVerifier(&cfg, nil))
	if _, r := clientOf(v, self); r != nil || v.RefusesAll(time.Now()) {
		t.Errorf("expected a certificate that is trusted for itself to be accepted, got %+v", r)
	}
}

// The distribution points of a certificate that has verified are handed over, those of one that
// has not are not, nor those of certificates that it sent beside. With crl_stale = "refuse" a
// certificate is refused until the list that it names is there.
//
// Rules: TR9
func TestDistributionPoints(t *testing.T) {
	var none *authority
	at := func(urls ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.CRLDistributionPoints = urls }
	}
	ca, stranger := none.issue("ca", nil, true), none.issue("stranger", nil, true)
	sub := ca.issueWith("sub", nil, true, at("http://ca/sub"))
	leaf := sub.issueWith("leaf", nil, false, at("ldap://sub/x", "http://sub/a", "https://sub/a", "http://sub/b", "http://sub/c", "http://sub/d", "http://sub/e"))
	foreign := stranger.issueWith("foreign", nil, false, at("http://stranger/"))
	var got []string
	cfg := Config{ClientCA: certsOf(ca), Clients: Clients{{Name: "one"}}, Fetched: Fetched{Points: func(urls []string) { got = append(got, urls...) }}}
	v := must(NewVerifier(&cfg, nil))
	for range 2 { // the second time from the cache
		got = nil
		if _, r := clientOf(v, leaf, sub, foreign); r != nil {
			t.Fatal(r.Text)
		}
		if want := "[http://sub/a http://sub/b http://sub/c http://sub/d http://ca/sub]"; fmt.Sprint(got) != want {
			t.Errorf("expected the URLs %s, got %s", want, got)
		}
	}
	got = nil
	if _, r := clientOf(v, foreign); r == nil || got != nil {
		t.Errorf("expected nothing of a certificate that does not verify, got %s", got)
	}

	cfg.RefuseStaleCRL = true
	v = must(NewVerifier(&cfg, nil))
	if _, r := clientOf(v, leaf, sub); r == nil || r.Reason != ListStale || len(got) == 0 {
		t.Errorf("expected a refusal until the list is there, and the URLs %s", got)
	}
	cfg.CRLs = []*x509.RevocationList{ca.list(time.Now().Add(time.Hour)), sub.list(time.Now().Add(time.Hour))}
	cfg.Intermediates = certsOf(sub)
	v = must(NewVerifier(&cfg, nil))
	if _, r := clientOf(v, leaf, sub); r != nil {
		t.Errorf("expected the client to be accepted with the lists, got %s", r.Text)
	}
	cfg.CRLs, cfg.Fetched.Points = nil, nil
	v = must(NewVerifier(&cfg, nil))
	if _, r := clientOf(v, leaf, sub); r != nil {
		t.Errorf("expected distribution points to mean nothing where they are not used, got %s", r.Text)
	}
	if n := len(v.AwaitedIssuers()); n != 0 {
		t.Errorf("expected no issuer to be awaited, got %d", n)
	}
}
