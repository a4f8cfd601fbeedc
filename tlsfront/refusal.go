package tlsfront

import (
	"crypto/x509"
	"fmt"
	"net/netip"

	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// refusal is the error of a connection that gets no session, or loses it.
type refusal struct {
	result      metrics.Handshake // what the handshake counts as
	closeReason metrics.Reason    // what an open connection is closed for
	text        string
	leaf        *x509.Certificate // the peer's; nil: none, or not known yet
}

func refusef(result metrics.Handshake, format string, args ...any) *refusal {
	return &refusal{result: result, text: fmt.Sprintf(format, args...)}
}

func (r *refusal) Error() string { return r.text }

// unlisted returns the refusal of a source that no client lists.
func unlisted(clients identity.Clients, source netip.Addr) *refusal {
	return refusef(metrics.HandshakeUnknownNetwork, "%s", clients.Unlisted(source))
}

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
func refusalOf(r *identity.Refusal) *refusal {
	c := countsAs[r.Reason]
	return &refusal{c.handshake, c.reason, r.Text, r.Leaf}
}
