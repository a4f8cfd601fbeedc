package certstest

import (
	"crypto/x509"
	"time"

	"radsec-gw/certs"
)

// Valid returns a Change that makes a certificate valid for d from now.
func Valid(d time.Duration) certs.Change {
	return func(t *x509.Certificate) { t.NotAfter = time.Now().Add(d) }
}
