package sessions

import (
	"crypto/x509"
	"fmt"

	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// Refusal is the error of a peer that gets no session, or loses it.
type Refusal struct {
	Result metrics.Handshake // what the handshake counts as
	Reason metrics.Reason    // what an open session is closed for
	Text   string
	Leaf   *x509.Certificate // the peer's; nil: none, or not known yet
	PSK    string            // the identity of the peer's pre-shared key; "": none
}

// Refusef returns the refusal of a handshake.
func Refusef(result metrics.Handshake, format string, args ...any) *Refusal {
	return &Refusal{Result: result, Text: fmt.Sprintf(format, args...)}
}

func (r *Refusal) Error() string { return r.Text }

// countsAs says what a refusal of identity counts as, in a handshake and on an open
// connection.
var countsAs = [identity.NumReasons]struct {
	handshake metrics.Handshake
	reason    metrics.Reason
}{
	identity.CertificateMissing:   {metrics.HandshakeNoCertificate, metrics.ClosedNotAllowed},
	identity.CertificateOwn:       {metrics.HandshakeOwnCertificate, metrics.ClosedNotAllowed},
	identity.CertificateExcessive: {metrics.HandshakeExcessive, metrics.ClosedNotAllowed},
	identity.CertificateUntrusted: {metrics.HandshakeUntrustedCertificate, metrics.ClosedUntrusted},
	identity.CertificateUnsuited:  {metrics.HandshakeUnsuitedCertificate, metrics.ClosedUntrusted},
	identity.CertificateExpired:   {metrics.HandshakeExpiredCertificate, metrics.ClosedExpired},
	identity.CertificateEarly:     {metrics.HandshakeEarlyCertificate, metrics.ClosedExpired},
	identity.CertificateRevoked:   {metrics.HandshakeRevokedCertificate, metrics.ClosedRevoked},
	identity.ListStale:            {metrics.HandshakeStaleCRL, metrics.ClosedStaleCRL},
	identity.ClientUnknown:        {metrics.HandshakeUnknownClient, metrics.ClosedNotAllowed},
}

// refusalOf converts a refusal of identity.
func refusalOf(r *identity.Refusal) *Refusal {
	c := countsAs[r.Reason]
	return &Refusal{Result: c.handshake, Reason: c.reason, Text: r.Text, Leaf: r.Leaf}
}
