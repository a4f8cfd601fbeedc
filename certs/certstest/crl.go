package certstest

import (
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"

	"radsec-gw/certs"
)

// CRL makes a certificate revocation list of ca (RFC 5280 §5), in DER form, issued at
// thisUpdate and valid until nextUpdate. Lists made later have higher numbers.
func CRL(ca *certs.CA, thisUpdate, nextUpdate time.Time, revoked ...*certs.Pair) ([]byte, error) {
	t := &x509.RevocationList{Number: big.NewInt(thisUpdate.UnixNano()), ThisUpdate: thisUpdate, NextUpdate: nextUpdate}
	for _, p := range revoked {
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: p.Certificate.SerialNumber, RevocationTime: thisUpdate})
	}
	der, err := x509.CreateRevocationList(rand.Reader, t, ca.Certificate, ca.Key)
	if err != nil {
		return nil, fmt.Errorf("cannot sign the revocation list: %w", err)
	}
	return der, nil
}
