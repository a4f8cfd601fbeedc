package identity

import "crypto/x509"

// Reason is a reason for refusing a peer. The list is closed.
type Reason uint8

// The reasons.
const (
	CertificateMissing   Reason = iota // the peer presented no certificate, and one is required
	CertificateOwn                     // the peer presented the gateway's own
	CertificateExcessive               // the peer sent too many certificates, or too large keys
	CertificateUntrusted               // no path to a configured CA
	CertificateUnsuited                // a path, but not for this use: extendedKeyUsage, an unknown critical extension, constraints
	CertificateExpired                 // a certificate of the path has expired
	CertificateEarly                   // a certificate of the path is not valid yet
	CertificateRevoked                 // a revocation list names a certificate of the path
	ListStale                          // a revocation list is out of date, and crl_stale is "refuse"
	ClientUnknown                      // the peer does not meet all conditions of any client
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

// Refusal is the error of a peer that is refused: Reason is for a counter, Text for a
// log line.
type Refusal struct {
	Reason Reason
	Text   string            // which certificate, what was expected and got, what to do
	Leaf   *x509.Certificate // the peer's own; nil if it presented none
}

func (r *Refusal) Error() string { return r.Text }
