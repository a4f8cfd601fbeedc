package identity

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"slices"
)

// trust is what the certificates that a peer sends are measured by. It is
// immutable.
//
// A path ends at an anchor: a certificate of the client CA, or of some client's own
// CA. Which of the clients may rely on which anchor is looked at afterwards, by
// Client.goodUntil. What is known besides helps to build paths and proves lists of
// revoked certificates; it is trusted as far as an anchor vouches for it.
type trust struct {
	roots   *x509.CertPool // the anchors; our own list, even when empty: nil would mean the system's
	between *x509.CertPool // certificates that may stand between a peer's and an anchor

	anchors []*x509.Certificate            // each once: those of the client CA first
	nClient int                            // how many of them are the client CA's
	issuers map[string][]*x509.Certificate // anchors, and what they vouch for, by the DER form of the subject
	useless []*x509.Certificate            // configured as intermediates, and no anchor vouches for them
}

// newTrust trusts exactly the certificates of the client CA and, for the clients
// that have them, the others. The intermediates are known.
func newTrust(clientCA, others, intermediates []*x509.Certificate) *trust {
	t := &trust{roots: x509.NewCertPool(), between: x509.NewCertPool(), issuers: map[string][]*x509.Certificate{}}
	for i, list := range [][]*x509.Certificate{clientCA, others} {
		for _, c := range list {
			if t.has(c) {
				continue
			}
			t.anchors = append(t.anchors, c)
			t.roots.AddCert(c)
			t.addIssuer(c)
			if !selfIssued(c) {
				t.between.AddCert(c) // a path may go on, to an anchor above
			}
		}
		if i == 0 {
			t.nClient = len(t.anchors)
		}
	}
	vouched := t.vouchedFor(intermediates)
	for _, c := range vouched {
		if !t.has(c) {
			t.addIssuer(c)
			t.between.AddCert(c)
		}
	}
	for _, c := range intermediates {
		if !t.has(c) {
			t.useless = append(t.useless, c)
		}
	}
	return t
}

func (t *trust) addIssuer(c *x509.Certificate) {
	t.issuers[string(c.RawSubject)] = append(t.issuers[string(c.RawSubject)], c)
}

// has reports whether c itself is configured: an anchor, or known and vouched for.
func (t *trust) has(c *x509.Certificate) bool {
	return slices.ContainsFunc(t.issuers[string(c.RawSubject)], c.Equal)
}

// anchor returns the anchor that c is, and whether it is one of the client CA.
func (t *trust) anchor(c *x509.Certificate) (a *x509.Certificate, ofClientCA bool) {
	i := slices.IndexFunc(t.anchors, c.Equal)
	if i < 0 {
		return nil, false
	}
	return t.anchors[i], i < t.nClient
}

// all returns the certificates that may have issued others: the anchors, then what
// is known besides.
func (t *trust) all() []*x509.Certificate {
	list := slices.Clone(t.anchors)
	for _, same := range t.issuers {
		for _, c := range same {
			if a, _ := t.anchor(c); a == nil {
				list = append(list, c)
			}
		}
	}
	rest := list[len(t.anchors):]
	slices.SortFunc(rest, func(a, b *x509.Certificate) int { return bytes.Compare(a.Raw, b.Raw) })
	return list
}

// same reports whether paths that o has verified are those of t.
func (t *trust) same(o *trust) bool {
	return t.nClient == o.nClient && len(t.anchors) == len(o.anchors) && slices.EqualFunc(t.all(), o.all(), (*x509.Certificate).Equal)
}

// issuerOf returns the configured certificate whose key has signed c; nil when
// there is none but c's own.
func (t *trust) issuerOf(c *x509.Certificate) *x509.Certificate {
	for _, issuer := range t.issuers[string(c.RawIssuer)] {
		if !issuer.Equal(c) && keyOf(issuer) != keyOf(c) && c.CheckSignatureFrom(issuer) == nil {
			return issuer
		}
	}
	return nil
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

// issuerKey names an issuer by its name and its key: two CAs may bear one name, and
// a CA may have several certificates of one key (RFC 5280 §6.3.3 (f)).
type issuerKey [32]byte

func keyOf(c *x509.Certificate) (k issuerKey) {
	h := sha256.New()
	for _, part := range [][]byte{c.RawSubject, c.RawSubjectPublicKeyInfo} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write(part)
	}
	h.Sum(k[:0])
	return k
}

// maxNamesSent bounds the names of CAs that a client is told in the handshake, in
// bytes. The message CertificateRequest must fit one record of 2^14 bytes for peers
// that do not put messages together, such as mbedTLS with its usual buffer; all
// else in it takes less than 384 bytes: a header of 4, the types of certificates and
// the lengths of lists 10, some 20 signature algorithms of 2 in two lists. The list
// is advice to peers that have several certificates, and may be left out (RFC 5246
// §7.4.4, RFC 8446 §4.2.4); crypto/tls fails every handshake when it has 2^16 bytes.
const maxNamesSent = 16<<10 - 384

// names returns the subjects of the anchors, each once, and how many bytes the list
// of them takes in the handshake.
func (t *trust) names() (list []*x509.Certificate, size int) {
	seen := map[string]bool{}
	for _, c := range t.anchors {
		if !seen[string(c.RawSubject)] {
			seen[string(c.RawSubject)] = true
			list = append(list, c)
			size += 2 + len(c.RawSubject)
		}
	}
	return list, size
}
