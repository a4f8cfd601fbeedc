// Package identity identifies peers: whether a peer's certificate is acceptable, and
// which configured client it is. It knows no sockets and no TLS connections, so that
// TLS and DTLS share it.
//
// Verifier.Assess does both. Its steps, file by file:
//
//	verifier.go    Verifier: whether certificates are acceptable at a given time
//	chainlimits.go limits on what a peer sends, checked before any signature
//	trust.go       the configured CAs and intermediates, which paths are built from
//	paths.go       certPath, and a cache of the paths that verified
//	revocation.go  certificate revocation lists; fetched.go those that are fetched by URL
//	client.go      Client: a configured client
//	psk.go         PSK: a peer that has a pre-shared key instead of a certificate
//	conditions.go  its conditions: given or not, met or not, and the text for the log;
//	               they compare names (names.go, altnames.go, rdn.go)
//	refusal.go     Refusal: why a peer is refused; its text is from
//	               diagnose.go (a path) or explain.go (the conditions)
//
// And beside it:
//
//	unparsed.go    which of a peer's certificates does not parse
//	facts.go       Facts: what a certificate says, as text for attributes
//	stale.go       revocation lists that are out of date, and who is affected
//	ownchain.go    OwnChain: the gateway's own chain, checked as clients check it
//	review.go      Review: oddities of a configuration
package identity

import (
	"crypto/x509"
	"time"
)

// Config says which certificates are acceptable.
type Config struct {
	Auth          ClientAuth
	Own           [][]byte               // DER forms of the gateway's own certificates, which a client must not present (RFC 6614bis §7.2.1)
	ClientCA      []*x509.Certificate    // trusted for every client without a CA of its own, never the system's (RFC 6614bis §3.3.1)
	Clients       Clients                // the first match counts; a client's CA is trusted for that client
	Others        []Other                // clients that are not let in here; only texts of refusals name them
	Intermediates []*x509.Certificate    // used for building paths, not trusted by themselves
	CRLs          []*x509.RevocationList // each signed by one of these certificates
	// RefuseStaleCRL refuses certificates of an issuer whose newest list is out of
	// date.
	RefuseStaleCRL bool
	Fetched        Fetched // what is known of lists that are fetched
}

// Other is a client that a listener does not let in.
type Other struct {
	*Client
	Why string // for a log line
}

// ClientAuth says whether clients must present a certificate in the handshake.
type ClientAuth uint8

// The values of ClientAuth. All but RequireCertificate are for tests and migrations.
const (
	RequireCertificate  ClientAuth = iota // a certificate that verifies (RFC 6614 §2.3)
	OptionalCertificate                   // one that verifies, or none
	NoCertificate                         // none is requested
)

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
