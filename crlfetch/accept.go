package crlfetch

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"maps"
	"time"

	"radsec-gw/certs"
	"radsec-gw/identity"
	"radsec-gw/metrics"
)

const (
	maxLists = 64        // of one URL: CAs, and scopes of each
	maxAhead = time.Hour // by which the clock of a CA may be ahead of this machine's
)

// listKey identifies what a list is about: its issuer's name and key, and its scope (RFC 5280
// §5.2.5, §6.3.3 (f)). A newer list replaces one with the same key.
type listKey [32]byte

func keyOf(l *x509.RevocationList, signer *x509.Certificate) listKey {
	h := sha256.New()
	for _, part := range [][]byte{l.RawIssuer, signer.RawSubjectPublicKeyInfo, []byte(certs.Scope(l))} {
		sum := sha256.Sum256(part)
		h.Write(sum[:])
	}
	return listKey(h.Sum(nil))
}

// parse parses the body of an answer.
func (f *Fetcher) parse(url string, body []byte) (lists []*x509.RevocationList, failed *failure) {
	f.parsing <- struct{}{}
	defer func() {
		if recover() != nil { // as files.Snapshot.Parse
			lists, failed = nil, failf(metrics.FetchMalformed, "the answer makes the parser fail; please report this as a bug")
		}
		<-f.parsing
	}()
	lists, err := certs.ParseCRLs("the answer", body)
	switch {
	case err != nil:
		return nil, failf(metrics.FetchMalformed, "%s", clip(err.Error()))
	case len(lists) > maxLists:
		return nil, failf(metrics.FetchMalformed, "the answer has %d lists: expected at most %d", len(lists), maxLists)
	}
	return lists, nil
}

// decide returns the lists that are in use after got was received while have was in use, or
// why got is refused: as a whole, because a part of it would hide what is wrong with the
// rest. A list of have that got does not replace stays.
func decide(have map[listKey]*x509.RevocationList, got []*x509.RevocationList, issuers []*x509.Certificate, now time.Time) (map[listKey]*x509.RevocationList, metrics.Fetch, *failure) {
	next := maps.Clone(have)
	if next == nil {
		next = map[listKey]*x509.RevocationList{}
	}
	result := metrics.FetchUnchanged
	for _, l := range got {
		signer, err := identity.SignerOf(l, issuers)
		if err != nil {
			return nil, result, failf(metrics.FetchForeign, "%v", err)
		}
		if l.ThisUpdate.After(now.Add(maxAhead)) {
			return nil, result, failf(metrics.FetchFuture, "the list of %s was made at %s, and it is %s here", logName(l), dateOf(l.ThisUpdate), dateOf(now))
		}
		key := keyOf(l, signer)
		switch old := next[key]; {
		case old != nil && bytes.Equal(old.Raw, l.Raw):
		case old != nil && replays(l, old, now):
			return nil, result, failf(metrics.FetchOlder, "the list of %s is from %s (number %v), and the one in use from %s (number %v)", logName(l), dateOf(l.ThisUpdate), l.Number, dateOf(old.ThisUpdate), old.Number)
		default:
			next[key], result = l, metrics.FetchOK
		}
	}
	if len(next) > maxLists {
		return nil, result, failf(metrics.FetchMalformed, "the URL has had %d lists of different CAs and scopes: expected at most %d", len(next), maxLists)
	}
	return next, result, nil
}

// replays reports whether a list is older than the one in use. A CA that numbers its lists
// anew is believed once the old list is out of date.
func replays(l, old *x509.RevocationList, now time.Time) bool {
	if !certs.Older(l, old) {
		return false
	}
	over := !old.NextUpdate.IsZero() && now.After(old.NextUpdate)
	return !over || !l.ThisUpdate.After(old.ThisUpdate)
}

// staleness returns the failure that a list in use is out of date although it was fetched just
// now; nil if none is.
func staleness(lists map[listKey]*x509.RevocationList, now time.Time) *failure {
	for _, l := range lists {
		if !l.NextUpdate.IsZero() && now.After(l.NextUpdate) {
			return failf(metrics.FetchStale, "the newest list of %s at this URL has been out of date since %s", logName(l), dateOf(l.NextUpdate))
		}
	}
	return nil
}

func dateOf(t time.Time) string { return t.UTC().Format(time.DateTime) + " UTC" }
