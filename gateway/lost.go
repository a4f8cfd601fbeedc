package gateway

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"radsec-gw/certs"
	"radsec-gw/identity"
)

// loss is something that a reload removes, as a log line.
type loss struct {
	text  string
	attrs []any
}

// losses lists what previous has and next does not have: CAs, including those of single
// clients and intermediates, certificates of the gateway's own chain, and revocation lists;
// and the lists that are older in next. Each may be intended, or the result of a file that
// was truncated or restored from a backup.
func losses(previous, next *material) (list []loss) {
	had, has := previous.issuers(), next.issuers()
	for i, ca := range had {
		same := func(c *x509.Certificate) bool { // a renewed CA has signed the same clients' certificates
			return bytes.Equal(c.RawSubject, ca.RawSubject) && bytes.Equal(c.RawSubjectPublicKeyInfo, ca.RawSubjectPublicKeyInfo)
		}
		if !slices.ContainsFunc(has, same) && !slices.ContainsFunc(had[:i], same) {
			list = append(list, loss{"a CA is gone with this reload: the clients whose certificates it has signed are refused",
				[]any{"ca", ca.Subject.String(), "serial", ca.SerialNumber.String()}})
		}
	}
	for _, c := range previous.own {
		n := next.ownAt(c.key)
		if n == nil {
			continue
		}
		if before, now := len(c.pair.Certificate), len(n.pair.Certificate); now < before {
			list = append(list, loss{"the certificate's chain is shorter than before this reload: clients that do not have the intermediates refuse it",
				[]any{"certificates", fmt.Sprint(now), "before", fmt.Sprint(before), "key", c.key}})
		}
	}
	newest := newestLists(next.crls, has)
	for key, l := range newestLists(previous.crls, had) {
		found := newest[key]
		attrs := []any{"issuer", l.Issuer.String(), "from", l.ThisUpdate.Format(time.DateTime)}
		switch {
		case found == nil && slices.ContainsFunc(has, func(c *x509.Certificate) bool { return l.CheckSignatureFrom(c) == nil }):
			list = append(list, loss{"a revocation list is gone with this reload: the certificates that it revoked are accepted", attrs})
		case found != nil && certs.Older(found, l):
			list = append(list, loss{"a revocation list is older than the one before this reload: certificates that were revoked since are accepted",
				append(attrs, "now_from", found.ThisUpdate.Format(time.DateTime))})
		}
	}
	slices.SortStableFunc(list, func(a, b loss) int {
		return cmp.Or(cmp.Compare(a.text, b.text), cmp.Compare(a.attrs[1].(string), b.attrs[1].(string)))
	})
	return list
}

// newestLists returns the newest list of each issuer, key and scope (RFC 5280 §5.2.5,
// §6.3.3 (f)). The key is that of the issuer that has signed the list: two CAs may have
// the same name, and not every list has an authority key identifier.
func newestLists(lists []*x509.RevocationList, issuers []*x509.Certificate) map[string]*x509.RevocationList {
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
		if all[key] == nil || certs.Older(all[key], l) {
			all[key] = l
		}
	}
	return all
}
