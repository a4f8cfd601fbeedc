package identity

import "crypto/x509"

// Reason is why a peer is refused: a closed list.
type Reason uint8

// The reasons.
const (
	CertificateMissing   Reason = iota // the peer has shown no certificate, and one is required
	CertificateOwn                     // it shows the gateway's own
	CertificateExcessive               // it sent more, or larger keys, than is looked at
	CertificateUntrusted               // no path to a configured CA
	CertificateUnsuited                // a path, but not for this use: extendedKeyUsage, an unknown critical extension, constraints
	CertificateExpired                 // a certificate of the path is valid no more
	CertificateEarly                   // a certificate of the path is not valid yet
	CertificateRevoked                 // a revocation list names a certificate of the path
	ListStale                          // a revocation list is out of date, and that refuses
	ClientUnknown                      // no configured client's conditions all hold
	NumReasons
)

var reasonNames = [NumReasons]string{
	CertificateMissing:   "no certificate",
	CertificateOwn:       "own certificate",
	CertificateExcessive: "excessive certificates",
	CertificateUntrusted: "untrusted certificate",
	CertificateUnsuited:  "unsuited certificate",
	CertificateExpired:   "expired certificate",
	CertificateEarly:     "certificate not valid yet",
	CertificateRevoked:   "revoked certificate",
	ListStale:            "stale revocation list",
	ClientUnknown:        "unknown client",
}

func (r Reason) String() string { return reasonNames[r] }

// Refusal is why a peer is refused, for a counter and for a log line.
type Refusal struct {
	Reason Reason
	Text   string            // which certificate, what was expected and got, what to do
	Leaf   *x509.Certificate // the peer's own; nil when it has shown none
}

func (r *Refusal) Error() string { return r.Text }
