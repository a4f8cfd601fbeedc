package metrics

// Handshake is the result of one accepted TCP connection up to when its client was
// identified. Every accepted connection gets exactly one; the list is closed.
type Handshake uint8

// The results of handshakes.
const (
	HandshakeOK                   Handshake = iota // done, and the client is known
	HandshakeNotTLS                                // the first bytes are not TLS: plain TCP, or a port scanner
	HandshakeOldVersion                            // the peer offers only versions below the minimum
	HandshakeNoCertificate                         // the peer has no certificate to show
	HandshakeUntrustedCertificate                  // no path from the certificate to the configured CA
	HandshakeExpiredCertificate                    // the certificate has expired
	HandshakePeerAlert                             // the peer refused, as when it does not trust the gateway's certificate
	HandshakePeerClosed                            // the peer went away
	HandshakeTimeout                               // begun, and not done within the handshake timeout
	HandshakeUnknownNetwork                        // no client lists the source address; closed before the handshake
	HandshakeUnknownClient                         // the certificate, or the identity of the PSK, matches no client
	HandshakeTooMany                               // a limit on connections is reached
	HandshakeShutdown                              // the gateway stopped, or its listener was removed
	HandshakeOther                                 // anything else; the log line has the text
	HandshakeRevokedCertificate                    // a revocation list names the certificate
	HandshakeOwnCertificate                        // the peer shows the gateway's own certificate
	HandshakeBadProxyHeader                        // a load balancer's PROXY header is missing or malformed
	HandshakeRadiusVersion                         // no version of RADIUS that both sides speak (RFC 9765 §3.3)
	HandshakeEarlyCertificate                      // the certificate is not valid yet: one of the clocks may be wrong
	HandshakeSilent                                // no ClientHello began within the silent timeout
	HandshakeDisplaced                             // closed to let others in: a bound was reached and its source held the most
	HandshakeExcessive                             // the peer sent more than a handshake may hold: bytes, pieces, certificates, or large keys
	HandshakeNoDescriptor                          // the process has no file descriptor for another connection
	HandshakeUnsuitedCertificate                   // the certificate leads to a configured CA, and is not for clients, or more than is understood
	HandshakeMalformedCertificate                  // a certificate that the peer sent cannot be read
	HandshakeStaleCRL                              // a revocation list is out of date or not fetched yet, and crl_stale refuses its issuer's certificates
	HandshakeNoCommonCipher                        // no cipher suite, or no group of key exchange for one, that both sides take
	HandshakeMalformedHello                        // the peer's ClientHello cannot be read, or holds what TLS does not allow

	NumHandshakes // how many there are
)

var handshakeNames = [NumHandshakes]string{
	HandshakeOK:                   "ok",
	HandshakeNotTLS:               "not_tls",
	HandshakeOldVersion:           "old_version",
	HandshakeNoCertificate:        "no_certificate",
	HandshakeUntrustedCertificate: "untrusted_certificate",
	HandshakeExpiredCertificate:   "expired_certificate",
	HandshakePeerAlert:            "peer_alert",
	HandshakePeerClosed:           "peer_closed",
	HandshakeTimeout:              "timeout",
	HandshakeUnknownNetwork:       "unknown_network",
	HandshakeUnknownClient:        "unknown_client",
	HandshakeTooMany:              "too_many",
	HandshakeShutdown:             "shutdown",
	HandshakeOther:                "other",
	HandshakeRevokedCertificate:   "revoked_certificate",
	HandshakeOwnCertificate:       "own_certificate",
	HandshakeBadProxyHeader:       "bad_proxy_header",
	HandshakeRadiusVersion:        "radius_version",
	HandshakeEarlyCertificate:     "not_yet_valid_certificate",
	HandshakeSilent:               "silent",
	HandshakeDisplaced:            "displaced",
	HandshakeExcessive:            "excessive",
	HandshakeNoDescriptor:         "no_descriptor",
	HandshakeUnsuitedCertificate:  "unsuited_certificate",
	HandshakeMalformedCertificate: "malformed_certificate",
	HandshakeStaleCRL:             "crl_stale",
	HandshakeNoCommonCipher:       "no_common_cipher",
	HandshakeMalformedHello:       "malformed_hello",
}

// String returns the handshake result's label value.
func (h Handshake) String() string { return nameOf(handshakeNames[:], uint8(h)) }
