package identity

import (
	"crypto/x509"
	"testing"
	"time"
)

// Because of a list that is out of date the certificates of its issuer are refused, and
// all clients only if no CA remains whose certificates are accepted.
//
// Rules: TR4
func TestClientsRefusedByStaleLists(t *testing.T) {
	var none *authority
	a, b := none.issue("a", nil, true), none.issue("b", nil, true)
	sub, stray := a.issue("sub", nil, true), none.issue("other", nil, true).issue("stray", nil, true)
	self := none.issue("self", nil, false)
	now := time.Now()
	expired := none.issueWith("expired", nil, true, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) })
	stale := func(list ...*authority) (lists []*x509.RevocationList) {
		for _, one := range list {
			lists = append(lists, one.list(now.Add(-time.Minute)))
		}
		return lists
	}
	one := Clients{{Name: "one"}}
	for _, c := range []struct {
		name         string
		cfg          Config
		refused, all bool
	}{
		{"the only CA", Config{ClientCA: certsOf(a), CRLs: stale(a), Clients: one}, true, true},
		{"the only CA, with its certificate twice", Config{ClientCA: certsOf(a, none.issue("a", a.key, true)), CRLs: stale(a), Clients: one}, true, true},
		{"one CA of two", Config{ClientCA: certsOf(a, b), CRLs: stale(a), Clients: one}, true, false},
		{"both CAs", Config{ClientCA: certsOf(a, b), CRLs: stale(a, b), Clients: one}, true, true},
		{"one CA, and the other has expired", Config{ClientCA: certsOf(a, expired), CRLs: stale(a), Clients: one}, true, true},
		{"an intermediate", Config{ClientCA: certsOf(a), Intermediates: certsOf(sub), CRLs: stale(sub), Clients: one}, true, false},
		{"an intermediate that is the trusted CA", Config{ClientCA: certsOf(sub), CRLs: stale(sub), Clients: one}, true, true},
		{"the CA above the trusted one", Config{ClientCA: certsOf(sub), Clients: Clients{{Name: "one"}, {Name: "other", CA: certsOf(a)}}, CRLs: stale(a)}, true, true},
		{"an intermediate that no CA signed", Config{ClientCA: certsOf(a), Intermediates: certsOf(stray), CRLs: stale(stray), Clients: one}, false, false},
		{"the CA of one client of two", Config{ClientCA: certsOf(a), Clients: Clients{{Name: "one"}, {Name: "two", CA: certsOf(b)}}, CRLs: stale(b)}, true, false},
		{"the client CA, while a client has its own", Config{ClientCA: certsOf(a), Clients: Clients{{Name: "one"}, {Name: "two", CA: certsOf(b)}}, CRLs: stale(a)}, true, false},
		{"the client CA, while every client has its own", Config{ClientCA: certsOf(a), Clients: Clients{{Name: "two", CA: certsOf(b)}}, CRLs: stale(b)}, true, true},
		{"the only CA beside a certificate that is trusted for itself", Config{ClientCA: certsOf(a, self), CRLs: stale(a), Clients: one}, true, false},
		{"the only CA, and a client needs no certificate", Config{Auth: OptionalCertificate, ClientCA: certsOf(a), CRLs: stale(a), Clients: one}, true, false},
		{"the only CA, and each client needs a certificate", Config{Auth: OptionalCertificate, ClientCA: certsOf(a), CRLs: stale(a), Clients: Clients{{Name: "one", CommonNames: []string{"x"}}}}, true, true},
		{"no certificate is requested", Config{Auth: NoCertificate, ClientCA: certsOf(a), CRLs: stale(a), Clients: one}, false, false},
	} {
		c.cfg.RefuseStaleCRL = true
		v := must(NewVerifier(&c.cfg, nil))
		list := v.StaleLists(now)
		if len(list) == 0 || list[0].Refused != c.refused {
			t.Errorf("%s: the lists out of date are %+v, expected Refused %v", c.name, list, c.refused)
		}
		if got := v.RefusesAll(now); got != c.all {
			t.Errorf("%s: RefusesAll is %v, expected %v", c.name, got, c.all)
		}
		if v.RefusesAll(now.Add(-2 * time.Minute)) {
			t.Errorf("%s: RefusesAll before the lists are out of date", c.name)
		}
		c.cfg.RefuseStaleCRL = false
		v = must(NewVerifier(&c.cfg, nil))
		if list := v.StaleLists(now); v.RefusesAll(now) || len(list) == 0 || list[0].Refused {
			t.Errorf("%s, with crl_stale accept: the lists out of date are %+v, and RefusesAll is %v", c.name, list, v.RefusesAll(now))
		}
	}
}

// RefusesAll agrees with Verify for a certificate of each CA.
func TestRefusesAllAgreesWithVerify(t *testing.T) {
	var none *authority
	a, b := none.issue("a", nil, true), none.issue("b", nil, true)
	now := time.Now()
	for _, lists := range [][]*x509.RevocationList{{a.list(now.Add(-time.Minute))}, {a.list(now.Add(-time.Minute)), b.list(now.Add(-time.Minute))}} {
		v := must(NewVerifier(&Config{ClientCA: certsOf(a, b), CRLs: lists, RefuseStaleCRL: true, Clients: Clients{{Name: "one"}}}, nil))
		accepted := 0
		for _, ca := range []*authority{a, b} {
			if v.Verify(certsOf(ca.issue("x", nil, false)), now) == nil {
				accepted++
			}
		}
		if v.RefusesAll(now) != (accepted == 0) {
			t.Errorf("with %d lists out of date %d of 2 certificates are accepted, and RefusesAll is %v", len(lists), accepted, v.RefusesAll(now))
		}
	}
}
