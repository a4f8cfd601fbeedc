package identity

import (
	"crypto/x509"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
)

// A list is accepted only if a CA signed it, whatever the name of its issuer.
func TestListsOfUnknownSigners(t *testing.T) {
	p := newPKI(t)
	now := time.Now()
	lists := must(certs.ParseCRLs("ca.crl", must(certstest.CRL(p.ca, now, now.Add(time.Hour), p.client))))
	stranger := must(certs.NewCA("test CA"))
	if _, err := SignerOf(lists[0], []*x509.Certificate{stranger.Certificate}); err == nil {
		t.Error("a list of another CA of the same name is accepted")
	}
	if _, err := NewVerifier(&Config{ClientCA: []*x509.Certificate{stranger.Certificate}, CRLs: lists}, nil); err == nil {
		t.Error("a Verifier accepts a list that its CA did not sign")
	}
}

// The newest list of an issuer determines the age, whatever their order; each scope has
// its own newest list, and the certificates of all lists are revoked.
//
// Rules: TR4, P109
func TestNewestListOfEachScope(t *testing.T) {
	var none *authority
	a := none.issue("CA", nil, true)
	now := time.Now().Truncate(time.Second)
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	old, current := a.listFrom(at(-3), at(-1), 0, 1), a.listFrom(at(-2), at(5), 0, 2)
	sameTime := a.listFrom(at(-2), at(6), 0, 3)
	users, cas := a.listFrom(at(-2), at(2), 1, 4), a.listFrom(at(-1), at(4), 2, 5)
	for _, c := range []struct {
		name       string
		lists      []*x509.RevocationList
		this, next time.Time
		revoked    int
	}{
		{"one", []*x509.RevocationList{current}, at(-2), at(5), 1},
		{"an older one first", []*x509.RevocationList{old, current}, at(-2), at(5), 2},
		{"an older one behind it", []*x509.RevocationList{current, old}, at(-2), at(5), 2},
		{"two of one time", []*x509.RevocationList{current, sameTime}, at(-2), at(6), 2},
		{"two of one time, in the other order", []*x509.RevocationList{sameTime, current}, at(-2), at(5), 2},
		{"two parts", []*x509.RevocationList{users, cas}, at(-2), at(2), 2},
		{"two parts, in the other order", []*x509.RevocationList{cas, users}, at(-2), at(2), 2},
		{"a part and the whole", []*x509.RevocationList{current, cas}, at(-1), at(4), 2},
	} {
		all := must(newRevocations(c.lists, []*x509.Certificate{a.cert}))
		r := all[keyOf(a.cert)]
		if age := r.age(); len(all) != 1 || !age.ThisUpdate.Equal(c.this) || !age.NextUpdate.Equal(c.next) || age.Issuer != "CN=CA" {
			t.Errorf("%s: expected the age %v to %v of CN=CA, got %v to %v of %s", c.name, c.this, c.next, age.ThisUpdate, age.NextUpdate, age.Issuer)
		}
		if len(r.serials) != c.revoked {
			t.Errorf("%s: expected %d certificates revoked, got %d", c.name, c.revoked, len(r.serials))
		}
	}
	if got := oidSubjectAltName.String(); got != "2.5.29.17" { // RFC 5280 §4.2.1.6
		t.Errorf("subjectAltName is %s", got)
	}
	// nextUpdate is optional.
	open := ListAge{ThisUpdate: at(-2)}
	first, second := ListAge{ThisUpdate: at(-3), NextUpdate: at(3)}, ListAge{ThisUpdate: at(-3), NextUpdate: at(2)}
	for range 20 { // a map has no order
		if got := (&revoked{newest: map[string]ListAge{"a": open, "b": first}}).age(); !got.NextUpdate.Equal(at(3)) {
			t.Fatalf("beside a part without an end the age is until %v, expected %v", got.NextUpdate, at(3))
		}
		if got := (&revoked{newest: map[string]ListAge{"a": first, "b": second}}).age(); !got.NextUpdate.Equal(at(2)) {
			t.Fatalf("of two parts the age is until %v, expected %v", got.NextUpdate, at(2))
		}
	}
	if got := (&revoked{newest: map[string]ListAge{"a": open}}).age(); !got.NextUpdate.IsZero() || !got.ThisUpdate.Equal(at(-2)) {
		t.Errorf("a list without an end has the age %v", got)
	}
}

// StaleLists returns issuers in order, from the moment after nextUpdate on; with
// crl_stale = "refuse" their certificates are valid until then.
//
// Rules: P109
func TestStaleLists(t *testing.T) {
	var none *authority
	now := time.Now().Truncate(time.Second)
	end := now.Add(10 * time.Minute)
	a, b, c := none.issue("a", nil, true), none.issue("b", nil, true), none.issue("c", nil, true)
	lists := []*x509.RevocationList{c.listFrom(now, end, 0), b.listFrom(now, end.Add(time.Hour), 0), a.listFrom(now, end, 0)}
	leaf := []*x509.Certificate{a.issue("x", nil, false).cert}
	for _, refuse := range []bool{true, false} {
		v := must(NewVerifier(&Config{ClientCA: certsOf(a, b, c), CRLs: lists, RefuseStaleCRL: refuse, Clients: Clients{{Name: "x"}}}, nil))
		if got := v.StaleLists(end); len(got) != 0 {
			t.Errorf("at their end the lists of %q are out of date", got)
		}
		next := end.UTC()
		if got := v.StaleLists(end.Add(time.Nanosecond)); !slices.Equal(got, []StaleList{{"CN=a", next, refuse}, {"CN=c", next, refuse}}) {
			t.Errorf("refuse is %v: after their end the lists of %v are out of date, expected CN=a and CN=c since %v", refuse, got, next)
		}
		if got := v.ListAges(time.Now()); len(got) != 3 {
			t.Errorf("expected the ages of 3 lists, got %v", got)
		}
		want := a.cert.NotAfter // the earlier of the two, or the same
		if refuse {
			want = end
		}
		if _, until, r := v.Assess(NewPeer(netip.Addr{}, leaf), leaf, end); r != nil || !until.Equal(want) {
			t.Errorf("refuse is %v: at the end of the list the certificate is good until %v (%v), expected %v", refuse, until, r, want)
		}
		r := v.Verify(leaf, end.Add(time.Nanosecond))
		if (r != nil) != refuse {
			t.Errorf("refuse is %v: after the end of the list the certificate gets %v", refuse, r)
		}
		if refuse && (r.Reason != ListStale || !strings.HasPrefix(r.Text, "the revocation list of CN=a has been out of date since "+end.UTC().Format(time.RFC3339)+", and crl_stale is \"refuse\"")) {
			t.Errorf("the refusal is %v: %s", r.Reason, r.Text)
		}
	}
	// A list without nextUpdate is never out of date.
	v := must(NewVerifier(&Config{ClientCA: certsOf(a), RefuseStaleCRL: true}, nil))
	v.lists = revocations{keyOf(a.cert): {name: "a", newest: map[string]ListAge{"": {ThisUpdate: now}}, serials: map[string]struct{}{}}}
	if got, r := v.StaleLists(now.AddDate(9, 0, 0)), v.Verify(leaf, now); len(got) != 0 || r != nil {
		t.Errorf("with a list without an end %q are out of date, and the certificate gets %v", got, r)
	}
	if got := must(newRevocations(nil, nil)); got != nil {
		t.Errorf("without lists there are %v", got)
	}
}

// Of several CAs of the same name, SignerOf returns the one whose key signed the list.
func TestSignerOfAList(t *testing.T) {
	var none *authority
	one, two, other := none.issue("CA", nil, true), none.issue("CA", nil, true), none.issue("other", nil, true)
	l := two.listFrom(time.Now(), time.Now().Add(time.Hour), 0)
	if got, err := SignerOf(l, certsOf(other, one, two)); got != two.cert || err != nil {
		t.Errorf("expected the second CA of the name, got %v and %v", got, err)
	}
}

// RFC 5280 §6.3.3 (f): a revocation list belongs to the certificate whose key signed it.
// Two CAs of the same name each have their own; one that is out of date is not hidden by
// that of the other.
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
		name  string
		lists []*x509.RevocationList
		ca    []*x509.Certificate
		known []*x509.Certificate
		sent  []*authority
		want  Reason // NumReasons: it is accepted
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
		v := must(NewVerifier(&Config{ClientCA: c.ca, Intermediates: c.known, CRLs: c.lists, RefuseStaleCRL: true, Clients: Clients{{Name: "c"}}}, nil))
		for range 2 { // the second time with the cached path
			_, r := clientOf(v, c.sent...)
			switch {
			case r == nil && c.want != NumReasons:
				t.Errorf("%s: it is accepted, want a refusal: %v", c.name, c.want)
			case r != nil && r.Reason != c.want:
				t.Errorf("%s: %v, %v; want %v", c.name, r.Reason, r, c.want)
			}
		}
	}
	v := must(NewVerifier(&Config{ClientCA: certsOf(one, two), CRLs: []*x509.RevocationList{one.list(now.Add(-time.Minute)), two.list(now.Add(time.Hour))}}, nil))
	if ages := v.ListAges(now); len(ages) != 2 || ages[0].Issuer == ages[1].Issuer {
		t.Errorf("the lists of two CAs of one name are called %v, want two different names", ages)
	}
	if stale := v.StaleLists(now); len(stale) != 1 {
		t.Errorf("%q are out of date, want one", stale)
	}
}

// A list that no configured key signed is refused, with advice.
//
// Rules: TR4, P109
func TestListsWithoutSigner(t *testing.T) {
	var none *authority
	now := time.Now()
	one, two := none.issue("CA", nil, true), none.issue("CA", nil, true)
	sub := one.issue("sub", nil, true)
	for name, c := range map[string]struct {
		list *x509.RevocationList
		want string
	}{
		"an intermediate's list":                    {sub.list(now.Add(time.Hour)), "got none: if it is an intermediate, put its certificate into [listen].intermediates"},
		"a list of another CA of a configured name": {two.list(now.Add(time.Hour)), "was signed by another key than that of the configured certificate of this name"},
	} {
		_, err := NewVerifier(&Config{ClientCA: certsOf(one), CRLs: []*x509.RevocationList{c.list}}, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "[listen].intermediates") {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
}

// A certificate renewed with its key shares the list of the old one while both are
// configured: what the list revokes is revoked on either path (RFC 5280 §6.3.3 (f)).
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
			if _, r := clientOf(v, revoked); r == nil || r.Reason != CertificateRevoked {
				t.Errorf("the revoked certificate gets %v, expected a refusal as revoked", r)
			}
			if _, r := clientOf(v, good); r != nil {
				t.Errorf("the other certificate gets %v, expected it accepted", r)
			}
		}
	}
}

// Each list of a path is checked, also above one without nextUpdate.
//
// Rules: TR4
func TestStaleListAboveOneWithoutEnd(t *testing.T) {
	var none *authority
	root := none.issue("root", nil, true)
	sub := root.issue("sub", nil, true)
	now := time.Now()
	endless := sub.list(now.Add(time.Hour))
	endless.NextUpdate = time.Time{}
	v := must(NewVerifier(&Config{ClientCA: certsOf(root), Intermediates: certsOf(sub), RefuseStaleCRL: true,
		CRLs: []*x509.RevocationList{endless, root.list(now.Add(-time.Minute))}}, nil))
	leaf := sub.issue("x", nil, false)
	if r := v.Verify(certsOf(leaf), now); r == nil || r.Reason != ListStale || !strings.Contains(r.Text, "root") {
		t.Errorf("with root's list out of date the certificate gets %v, expected a refusal that names it", r)
	}
}

// An intermediate that is an anchor itself is checked against the list of the CA that
// signed it, not that of another CA of the same name.
//
// Rules: TR4
func TestAnchorBelowOneOfTwoCAsOfOneName(t *testing.T) {
	var none *authority
	other, root := none.issue("root", nil, true), none.issue("root", nil, true)
	sub := root.issue("sub", nil, true)
	now := time.Now()
	v := must(NewVerifier(&Config{ClientCA: certsOf(other, root, sub),
		CRLs: []*x509.RevocationList{other.list(now.Add(time.Hour)), root.list(now.Add(time.Hour), sub)}}, nil))
	if r := v.Verify(certsOf(sub.issue("x", nil, false)), now); r == nil || r.Reason != CertificateRevoked {
		t.Errorf("below a revoked intermediate the certificate gets %v, expected a refusal as revoked", r)
	}
	for _, l := range v.ListAges(time.Now()) {
		if !regexp.MustCompile(`^CN=root \(key [0-9A-F]{8}\)$`).MatchString(l.Issuer) {
			t.Errorf("a list of one of two CAs is called %q, expected the name and four bytes of the key", l.Issuer)
		}
	}
}
