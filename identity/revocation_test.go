package identity

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
)

// A list counts only when a CA has signed it, whatever its issuer is called.
func TestListsOfStrangers(t *testing.T) {
	p := newPKI(t)
	now := time.Now()
	lists := must(certs.ParseCRLs("ca.crl", must(p.ca.CRL(now, now.Add(time.Hour), p.client))))
	stranger := must(certs.NewCA("test CA"))
	if _, err := SignerOf(lists[0], []*x509.Certificate{stranger.Certificate}); err == nil {
		t.Error("a list of another CA of the same name is taken")
	}
	if _, err := NewVerifier(&Config{ClientCA: []*x509.Certificate{stranger.Certificate}, CRLs: lists}, nil); err == nil {
		t.Error("a Verifier takes a list that its CA has not signed")
	}
}

// listFrom makes a's list of the part of its certificates that scope names, made and
// replaced at these times; without a scope it is of all.
func (a *authority) listFrom(this, next time.Time, scope byte, revoked ...int64) *x509.RevocationList {
	serial++
	t := &x509.RevocationList{Number: big.NewInt(serial), ThisUpdate: this, NextUpdate: next}
	if scope > 0 { // onlyContainsUserCerts, onlyContainsCACerts
		t.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}}, {Id: oidScope, Critical: true, Value: []byte{0x30, 3, 0x80 + scope, 1, 0xff}}}
	}
	for _, n := range revoked {
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(n), RevocationTime: this})
	}
	return must(x509.ParseRevocationList(must(x509.CreateRevocationList(rand.Reader, t, a.cert, a.key))))
}

// Of one issuer's lists the newest counts for its age, whatever order they come in; each
// part of its certificates has its own, and what any of them names is revoked.
//
// Rules: TR4, P109
func TestTheNewestListOfEachPartCounts(t *testing.T) {
	var none *authority
	a := none.issue("CA", nil, true)
	now := time.Now().Truncate(time.Second)
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	old, current := a.listFrom(at(-3), at(-1), 0, 1), a.listFrom(at(-2), at(5), 0, 2)
	sameTime := a.listFrom(at(-2), at(6), 0, 3)
	users, cas := a.listFrom(at(-2), at(2), 1, 4), a.listFrom(at(-1), at(4), 2, 5)
	for _, c := range []struct {
		says       string
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
			t.Errorf("%s: expected the age %v to %v of CN=CA, got %v to %v of %s", c.says, c.this, c.next, age.ThisUpdate, age.NextUpdate, age.Issuer)
		}
		if len(r.serials) != c.revoked {
			t.Errorf("%s: expected %d certificates revoked, got %d", c.says, c.revoked, len(r.serials))
		}
	}
	if got := oidScope.String() + " " + oidSubjectAltName.String(); got != "2.5.29.28 2.5.29.17" { // RFC 5280 §5.2.5, §4.2.1.6
		t.Errorf("issuingDistributionPoint and subjectAltName are %s", got)
	}
	// A list need not say when the next one comes.
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

// Issuers whose lists are out of date are named in order, from the moment after their
// end on; with crl_stale = "refuse" their certificates are good until then.
//
// Rules: P109
func TestListsThatAreOutOfDate(t *testing.T) {
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
	// A list without an end is never out of date.
	v := must(NewVerifier(&Config{ClientCA: certsOf(a), RefuseStaleCRL: true}, nil))
	v.lists = revocations{keyOf(a.cert): {name: "a", newest: map[string]ListAge{"": {ThisUpdate: now}}, serials: map[string]struct{}{}}}
	if got, r := v.StaleLists(now.AddDate(9, 0, 0)), v.Verify(leaf, now); len(got) != 0 || r != nil {
		t.Errorf("with a list without an end %q are out of date, and the certificate gets %v", got, r)
	}
	if got := must(newRevocations(nil, nil)); got != nil {
		t.Errorf("without lists there are %v", got)
	}
}

// Of several CAs of one name the one counts whose key signed the list.
func TestSignerOfAList(t *testing.T) {
	var none *authority
	one, two, other := none.issue("CA", nil, true), none.issue("CA", nil, true), none.issue("other", nil, true)
	l := two.listFrom(time.Now(), time.Now().Add(time.Hour), 0)
	if got, err := SignerOf(l, certsOf(other, one, two)); got != two.cert || err != nil {
		t.Errorf("expected the second CA of the name, got %v and %v", got, err)
	}
}
