// Package identity says who a peer is: whether its certificate is good, and which
// configured client it is. It knows no sockets and no TLS connection, so that TLS
// and DTLS share it.
//
//	verifier.go    whether a certificate is good at a moment
//	trust.go       what that is measured by: the CAs and the known intermediates
//	chainlimits.go what a peer may send along with it, looked at before any signature
//	paths.go       what is kept of paths that verified
//	revocation.go  certificate revocation lists; stale.go: whom one that is out of date keeps out
//	client.go      the conditions of a configured client (names.go, othernames.go, rdn.go)
//	refusal.go     why a peer is refused; diagnose.go finds what a path lacks
//	unparsed.go    which of a peer's certificates does not parse
//	own.go         the gateway's own chain, as clients see it
//	explain.go     a peer and a mismatch in words
//	review.go      what deserves a second look in a configuration
package identity

import (
	"crypto/x509"
	"time"
)

// Config says which certificates are good.
type Config struct {
	Auth          ClientAuth
	Own           []byte                 // DER form of the gateway's own certificate, which no client may show (RFC 6614bis §7.2.1)
	ClientCA      []*x509.Certificate    // trusted for every client without a CA of its own, never the system's (RFC 6614bis §3.3.1)
	Clients       Clients                // the first match counts; each one's CA is trusted for itself
	Intermediates []*x509.Certificate    // known, and trusted as far as one of those CAs vouches for them
	CRLs          []*x509.RevocationList // each signed by one of all these certificates
	// RefuseStaleCRL refuses the certificates of an issuer whose newest list is out
	// of date.
	RefuseStaleCRL bool
}

// ClientAuth is what is asked of a client in the handshake.
type ClientAuth uint8

// What may be asked of a client. Anything but RequireCertificate is for tests
// and migrations.
const (
	RequireCertificate  ClientAuth = iota // a certificate that verifies (RFC 6614 §2.3)
	OptionalCertificate                   // one that verifies, or none
	NoCertificate                         // none is asked for
)

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
