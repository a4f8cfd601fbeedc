package tlsfront

import (
	"crypto/x509"

	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// refusal is why a connection gets no session, or loses it.
type refusal struct {
	result      metrics.Handshake // what a handshake counts
	closeReason metrics.Reason    // what an open connection is closed for
	text        string
	leaf        *x509.Certificate
}

func (r *refusal) Error() string { return r.text }

// counts is what a refusal of identity counts as, in a handshake and on an open
// connection.
var counts = [identity.NumReasons]struct {
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

// refusalOf returns a refusal of identity with what it counts as.
func refusalOf(r *identity.Refusal) *refusal {
	c := counts[r.Reason]
	return &refusal{c.handshake, c.reason, r.Text, r.Leaf}
}
