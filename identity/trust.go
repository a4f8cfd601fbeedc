package identity

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"slices"
)

// trust holds the configured certificates that paths are built from. It is immutable.
//
// A path ends at an anchor: a certificate of the client CA, or of some client's own
// CA. Whether an anchor is one of the client's is checked afterwards, by Client.suits.
// Configured intermediates complete paths and verify revocation lists; they are used
// only if their signatures lead to an anchor.
type trust struct {
	roots         *x509.CertPool // the anchors; never nil, which would mean those of the system
	intermediates *x509.CertPool // certificates allowed between a leaf and an anchor

	anchors     []*x509.Certificate            // without duplicates; those of the client CA first
	numClientCA int                            // number of those
	issuers     map[string][]*x509.Certificate // anchors and usable intermediates, by the DER form of the subject
	unused      []*x509.Certificate            // intermediates whose signatures do not lead to an anchor
}

// newTrust returns a trust with the certificates of the client CA and the clients' own
// CAs as anchors.
func newTrust(clientCA, clientsOwn, intermediates []*x509.Certificate) *trust {
	t := &trust{roots: x509.NewCertPool(), intermediates: x509.NewCertPool(), issuers: map[string][]*x509.Certificate{}}
	for i, list := range [][]*x509.Certificate{clientCA, clientsOwn} {
		for _, c := range list {
			if t.contains(c) {
				continue
			}
			t.anchors = append(t.anchors, c)
			t.roots.AddCert(c)
			t.addIssuer(c)
			if !selfIssued(c) {
				t.intermediates.AddCert(c) // it may be part of a path to an anchor above
			}
		}
		if i == 0 {
			t.numClientCA = len(t.anchors)
		}
	}
	for _, c := range t.verifiable(intermediates) {
		if !t.contains(c) {
			t.addIssuer(c)
			t.intermediates.AddCert(c)
		}
	}
	for _, c := range intermediates {
		if !t.contains(c) {
			t.unused = append(t.unused, c)
		}
	}
	return t
}

func (t *trust) addIssuer(c *x509.Certificate) {
	t.issuers[string(c.RawSubject)] = append(t.issuers[string(c.RawSubject)], c)
}

// contains reports whether c itself is configured: an anchor or a usable intermediate.
func (t *trust) contains(c *x509.Certificate) bool {
	return slices.ContainsFunc(t.issuers[string(c.RawSubject)], c.Equal)
}

// anchor returns c's copy among the anchors, and whether it belongs to the client CA; nil
// if c is not an anchor.
func (t *trust) anchor(c *x509.Certificate) (a *x509.Certificate, ofClientCA bool) {
	i := slices.IndexFunc(t.anchors, c.Equal)
	if i < 0 {
		return nil, false
	}
	return t.anchors[i], i < t.numClientCA
}

// all returns the anchors, then the usable intermediates in a fixed order.
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

// same reports whether paths that verified under o also verify under t.
func (t *trust) same(o *trust) bool {
	return t.numClientCA == o.numClientCA && len(t.anchors) == len(o.anchors) && slices.EqualFunc(t.all(), o.all(), (*x509.Certificate).Equal)
}

// issuerOf returns the configured certificate whose key signed c; nil if there is none
// except those with c's own key.
func (t *trust) issuerOf(c *x509.Certificate) *x509.Certificate {
	for _, issuer := range t.issuers[string(c.RawIssuer)] {
		if !issuer.Equal(c) && keyOf(issuer) != keyOf(c) && c.CheckSignatureFrom(issuer) == nil {
			return issuer
		}
	}
	return nil
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

// issuerKey identifies an issuer by its name and its key: two CAs may have the same
// name, and a CA may have several certificates for one key (RFC 5280 §6.3.3 (f)).
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

// maxNamesSent bounds the names of CAs that are sent to clients in the handshake, in
// bytes. The message CertificateRequest must fit one record of 2^14 bytes for peers
// that do not reassemble messages, such as mbedTLS with its default buffer. The rest of
// it takes less than 384 bytes: a header of 4, the types of certificates and the lengths
// of lists 10, some 20 signature algorithms of 2 in two lists. The list is a hint for
// peers that have several certificates, and is optional (RFC 5246 §7.4.4, RFC 8446
// §4.2.4); crypto/tls fails every handshake if it has 2^16 bytes.
const maxNamesSent = 16<<10 - 384

// names returns one anchor for each different subject, and how many bytes the list of
// their names takes in the handshake.
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
