// Package identity says who a peer is: whether its certificate is good, and which
// configured client it is. It knows no sockets and no TLS connection, so that TLS
// and DTLS share it.
//
//	verifier.go    whether a certificate is good at a moment
//	chainlimits.go what a peer may send along with it, looked at before any signature
//	paths.go       what is kept of paths that verified
//	revocation.go  certificate revocation lists
//	client.go      the conditions of a configured client (names.go, uris.go)
//	explain.go     a peer and a mismatch in words
//	refusal.go     why a peer is refused
package identity

import (
	"crypto/x509"
	"time"
)

// Config says which certificates are good.
type Config struct {
	Auth           ClientAuth
	Own            []byte                 // DER form of the gateway's own certificate, which no client may show (RFC 6614bis §7.2.1)
	ClientCA       []byte                 // PEM; the only trust base, never the system's (RFC 6614bis §3.3.1)
	CRLs           []*x509.RevocationList // each signed by a certificate of ClientCA
	RefuseStaleCRL bool                   // refuse the certificates of an issuer whose newest list is out of date
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
