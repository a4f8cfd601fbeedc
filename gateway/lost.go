package gateway

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"radsec-gw/identity"
)

// loss is something that a reload takes away, as a log line.
type loss struct {
	text  string
	attrs []any
}

// lost lists the CAs, those of single clients and intermediates among them, the
// gateway's own intermediates and the revocation lists that are in before and not in
// after, and the lists that are older in after. Each may be meant, and each is what a
// file that was cut between two blocks, or put back from a backup, looks like.
func lost(before, after *material) (list []loss) {
	had, has := before.issuers(), after.issuers()
	for i, ca := range had {
		same := func(c *x509.Certificate) bool { // a renewed one vouches for the same clients
			return bytes.Equal(c.RawSubject, ca.RawSubject) && bytes.Equal(c.RawSubjectPublicKeyInfo, ca.RawSubjectPublicKeyInfo)
		}
		if !slices.ContainsFunc(has, same) && !slices.ContainsFunc(had[:i], same) {
			list = append(list, loss{"a CA is gone with this reload: the clients that it has signed are refused",
				[]any{"ca", ca.Subject.String(), "serial", ca.SerialNumber.String()}})
		}
	}
	if was, is := len(before.pair.Certificate), len(after.pair.Certificate); is < was {
		list = append(list, loss{"the certificate's chain is shorter than before this reload: clients that do not know the intermediates refuse it",
			[]any{"certificates", fmt.Sprint(is), "before", fmt.Sprint(was)}})
	}
	now := newest(after.crls, has)
	for key, l := range newest(before.crls, had) {
		next := now[key]
		attrs := []any{"issuer", l.Issuer.String(), "from", l.ThisUpdate.Format(time.DateTime)}
		switch {
		case next == nil && slices.ContainsFunc(has, func(c *x509.Certificate) bool { return l.CheckSignatureFrom(c) == nil }):
			list = append(list, loss{"a revocation list is gone with this reload: the certificates that it revoked are accepted", attrs})
		case next != nil && older(next, l):
			list = append(list, loss{"a revocation list is older than the one before this reload: what was revoked since is accepted",
				append(attrs, "now_from", next.ThisUpdate.Format(time.DateTime))})
		}
	}
	slices.SortStableFunc(list, func(a, b loss) int {
		return cmp.Or(cmp.Compare(a.text, b.text), cmp.Compare(a.attrs[1].(string), b.attrs[1].(string)))
	})
	return list
}

// newest returns the newest list of each issuer, key and scope (RFC 5280 §5.2.5,
// §6.3.3 (f)). The key is that of the one of the issuers that has signed the list: two
// CAs may bear one name, and not each list says whose it is.
func newest(lists []*x509.RevocationList, issuers []*x509.Certificate) map[string]*x509.RevocationList {
	all := map[string]*x509.RevocationList{}
	for _, l := range lists {
		key := string(l.RawIssuer)
		if signer, err := identity.SignerOf(l, issuers); err == nil {
			key += string(signer.RawSubjectPublicKeyInfo)
		}
		for _, e := range l.Extensions {
			if e.Id.String() == "2.5.29.28" { // issuingDistributionPoint
				key += string(e.Value)
			}
		}
		if all[key] == nil || older(all[key], l) {
			all[key] = l
		}
	}
	return all
}

// older reports whether a was made before b (RFC 5280 §5.2.3: numbers grow).
func older(a, b *x509.RevocationList) bool {
	if a.Number != nil && b.Number != nil && a.Number.Cmp(b.Number) != 0 {
		return a.Number.Cmp(b.Number) < 0
	}
	return a.ThisUpdate.Before(b.ThisUpdate)
}
