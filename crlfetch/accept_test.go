package crlfetch

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// made makes a list with a number and a scope.
func made(ca *certs.CA, number int64, from, next time.Time, scope string) *x509.RevocationList {
	l := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: from, NextUpdate: next}
	if scope != "" {
		l.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte(scope)}}
	}
	return need(x509.ParseRevocationList(need(x509.CreateRevocationList(rand.Reader, l, ca.Certificate, ca.Key))))
}

// A list is taken if a configured CA has signed it, it is not from the future and not older,
// by number and then by date, than the one in use of the same CA and scope.
//
// Rules: TR9
func TestDecide(t *testing.T) {
	ca, other, stranger := need(certs.NewCA("one")), need(certs.NewCA("two")), need(certs.NewCA("one"))
	issuers := []*x509.Certificate{ca.Certificate, other.Certificate}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(h int) time.Time { return now.Add(time.Duration(h) * time.Hour) }
	inUse := made(ca, 5, at(-10), at(10), "")
	expired := made(ca, 5, at(-10), at(-1), "")
	for _, row := range []struct {
		what string
		have *x509.RevocationList
		got  []*x509.RevocationList
		want metrics.Fetch
		in   int // lists in use afterwards, if it is taken
	}{
		{"the first", nil, []*x509.RevocationList{inUse}, metrics.FetchOK, 1},
		{"the same", inUse, []*x509.RevocationList{inUse}, metrics.FetchUnchanged, 1},
		{"a higher number", inUse, []*x509.RevocationList{made(ca, 6, at(-1), at(10), "")}, metrics.FetchOK, 1},
		{"a higher number, made earlier", inUse, []*x509.RevocationList{made(ca, 6, at(-11), at(10), "")}, metrics.FetchOK, 1},
		{"the number of before, made later", inUse, []*x509.RevocationList{made(ca, 5, at(-9), at(10), "")}, metrics.FetchOK, 1},
		{"the number of before, made earlier", inUse, []*x509.RevocationList{made(ca, 5, at(-11), at(10), "")}, metrics.FetchOlder, 0},
		{"a lower number", inUse, []*x509.RevocationList{made(ca, 4, at(-1), at(10), "")}, metrics.FetchOlder, 0},
		{"numbered anew once the old one is out of date", expired, []*x509.RevocationList{made(ca, 1, at(-1), at(10), "")}, metrics.FetchOK, 1},
		{"an older one, and the old one is out of date", expired, []*x509.RevocationList{made(ca, 4, at(-11), at(10), "")}, metrics.FetchOlder, 0},
		{"out of date, and newer", expired, []*x509.RevocationList{made(ca, 6, at(-5), at(-2), "")}, metrics.FetchOK, 1},
		{"another scope", inUse, []*x509.RevocationList{made(ca, 1, at(-11), at(10), "\x30\x00")}, metrics.FetchOK, 2},
		{"another CA", inUse, []*x509.RevocationList{made(other, 1, at(-11), at(10), "")}, metrics.FetchOK, 2},
		{"a CA that is not configured", inUse, []*x509.RevocationList{made(need(certs.NewCA("three")), 6, at(-1), at(10), "")}, metrics.FetchForeign, 0},
		{"a CA of the same name", inUse, []*x509.RevocationList{made(stranger, 6, at(-1), at(10), "")}, metrics.FetchForeign, 0},
		{"a clock that is ahead", inUse, []*x509.RevocationList{made(ca, 6, at(1), at(10), "")}, metrics.FetchOK, 1},
		{"the future", inUse, []*x509.RevocationList{made(ca, 6, at(2), at(10), "")}, metrics.FetchFuture, 0},
		{"a newer one and an older one", inUse, []*x509.RevocationList{made(other, 6, at(-1), at(10), ""), made(ca, 4, at(-11), at(10), "")}, metrics.FetchOlder, 0},
		{"both of one CA, the older first", nil, []*x509.RevocationList{made(ca, 1, at(-11), at(10), ""), inUse}, metrics.FetchOK, 1},
	} {
		var have map[listKey]*x509.RevocationList
		if row.have != nil {
			have = map[listKey]*x509.RevocationList{keyOf(row.have, need(identity.SignerOf(row.have, issuers))): row.have}
		}
		before := len(have)
		next, result, failed := decide(have, row.got, issuers, now)
		if failed != nil {
			result = failed.result
		}
		if result != row.want || failed == nil && len(next) != row.in || failed != nil && next != nil {
			t.Errorf("%s: expected %s with %d lists in use, got %s with %d: %v", row.what, row.want, row.in, result, len(next), failed)
		}
		if len(have) != before {
			t.Errorf("%s: expected what was in use to stay as it is", row.what)
		}
	}
}

// A list that was fetched just now and is out of date is a failure of the CA: it is in use, and
// fetched again soon.
//
// Rules: TR9
func TestStaleness(t *testing.T) {
	ca := need(certs.NewCA("one"))
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for what, row := range map[string]struct {
		next time.Time
		want bool
	}{"good": {now.Add(time.Second), false}, "out of date": {now.Add(-time.Second), true}} {
		l := made(ca, 1, now.Add(-time.Hour), row.next, "")
		if got := staleness(map[listKey]*x509.RevocationList{{}: l}, now); (got != nil) != row.want || got != nil && got.result != metrics.FetchStale {
			t.Errorf("%s: expected it to be stale to be %t, got %v", what, row.want, got)
		}
	}
	l := made(ca, 1, now.Add(-time.Hour), now, "")
	l.NextUpdate = time.Time{}
	if got := staleness(map[listKey]*x509.RevocationList{{}: l}, now); got != nil {
		t.Errorf("expected a list without next update never to be stale, got %v", got)
	}
}

// What a server sends is read as a list or refused with a text for a log line, and never makes
// the gateway fail.
func FuzzParse(f *testing.F) {
	ca := need(certs.NewCA("one"))
	l := made(ca, 1, time.Unix(0, 0), time.Unix(1, 0), "\x30\x00")
	for _, seed := range [][]byte{nil, l.Raw, pemOf(l.Raw), pemOf(l.Raw, l.Raw), l.Raw[:20], []byte("<html>"), ca.Certificate.Raw} {
		f.Add(seed)
	}
	fetcher := New(Config{})
	f.Fuzz(func(t *testing.T, body []byte) {
		lists, failed := fetcher.parse("http://crl/", bytes.Clone(body))
		if (failed == nil) != (len(lists) > 0) {
			t.Fatalf("expected lists or a failure, got %d lists and %v", len(lists), failed)
		}
		if failed != nil {
			if failed.result != metrics.FetchMalformed || strings.ContainsAny(failed.text, "\n\x1b") {
				t.Fatalf("expected a text for a log line, got %q", failed.text)
			}
			return
		}
		if _, _, failed := decide(nil, lists, []*x509.Certificate{ca.Certificate}, time.Unix(1, 0)); failed == nil && !bytes.Equal(lists[0].Raw, l.Raw) {
			t.Fatal("a list that the CA has not signed was taken")
		}
	})
}
