package metrics

import "strconv"

// Fate is what became of one packet from a RadSec client. Every packet gets
// exactly one; the list is closed.
type Fate uint8

// The fates. Those from FateBadLength to FateMissingMessageAuthenticator cost
// the client its connection (RFC 6613 §2.6.4), but for a Status-Server
// without Message-Authenticator.
const (
	FateRelayed           Fate = iota // the server's verified reply went back to the client
	FateStatusAnswered                // Status-Server, answered by the gateway itself
	FateDuplicateDropped              // repeats a request that is still in flight
	FateDuplicateAnswered             // repeats an answered request; the kept reply was sent again

	FateBadLength                   // Length outside 20..4096
	FateBadAttributes               // an attribute of length 0 or 1, or attributes that do not fill the packet
	FateBadRequestAuthenticator     // the Request Authenticator does not verify
	FateBadMessageAuthenticator     // the Message-Authenticator does not verify, is doubled or has a wrong length
	FateMissingMessageAuthenticator // policy or EAP-Message demands one and there is none

	FateUnknownCode     // a Code that the gateway does not know
	FateUnexpectedReply // a reply, where only requests are due
	FateNotAllowed      // the client may not send this kind
	FateNoRoute         // no route for the kind and realm
	FateBadUserPassword // the User-Password has an impossible length
	FateStaleTimestamp  // Event-Timestamp of a CoA or Disconnect is outside the window, or missing where one is required
	FateWrongPath       // the sender of a CoA or Disconnect is no server of the user's realm
	FateLoop            // it has been at this gateway before: a server, or what is behind it, sends it back
	FateNoNAS           // a CoA or Disconnect names no NAS of its route, or none of several
	FateTooLong         // the server's copy would exceed 4096 octets

	FateServerSilent       // no reply to the end of the schedule
	FateServerRefused      // ICMP said that nobody listens on the NAS's port; CoA and Disconnect only
	FateNoIdentifier       // every identifier of every usable server is taken
	FateOverShare          // the client holds its share of the identifiers, which are nearly all taken
	FateNoSocket           // no socket to any server can be opened: a name that does not resolve, too many open files
	FateSuperseded         // the client gave up: its Identifier came again with another request
	FateClientGone         // the connection ended before the reply came
	FateClientNotReading   // the reply was dropped because the client reads too slowly
	FateReplyTooLong       // the client's copy of the reply would exceed 4096 octets
	FateBadReplyAttributes // a hidden attribute of the reply does not decrypt
	FateProtocolError      // answered with Protocol-Error (RFC 7930)
	FateShutdown           // the gateway stopped before the reply came
	FateRateLimited        // beyond the packets or octets a second of its client, after a wait
	FateTooManyOutstanding // beyond the requests that one connection may have unanswered, after a wait
	FateTokenReused        // its Token is that of another unanswered request of its RADIUS/1.1 connection, which ends (RFC 9765 §4.2.2)
	FateRealmNotAllowed    // the client may not send this realm

	NumFates // how many there are
)

var fateNames = [NumFates]string{
	FateRelayed:                     "relayed",
	FateStatusAnswered:              "status_answered",
	FateDuplicateDropped:            "duplicate_dropped",
	FateDuplicateAnswered:           "duplicate_answered",
	FateBadLength:                   "bad_length",
	FateBadAttributes:               "bad_attributes",
	FateBadRequestAuthenticator:     "bad_request_authenticator",
	FateBadMessageAuthenticator:     "bad_message_authenticator",
	FateMissingMessageAuthenticator: "missing_message_authenticator",
	FateUnknownCode:                 "unknown_code",
	FateUnexpectedReply:             "unexpected_reply",
	FateNotAllowed:                  "not_allowed",
	FateNoRoute:                     "no_route",
	FateBadUserPassword:             "bad_user_password",
	FateStaleTimestamp:              "stale_event_timestamp",
	FateWrongPath:                   "wrong_path",
	FateLoop:                        "loop",
	FateNoNAS:                       "no_nas",
	FateTooLong:                     "too_long",
	FateServerSilent:                "server_silent",
	FateServerRefused:               "server_refused",
	FateNoIdentifier:                "no_identifier",
	FateOverShare:                   "over_share",
	FateNoSocket:                    "no_socket",
	FateSuperseded:                  "superseded",
	FateClientGone:                  "client_gone",
	FateClientNotReading:            "client_not_reading",
	FateReplyTooLong:                "reply_too_long",
	FateBadReplyAttributes:          "bad_reply_attributes",
	FateProtocolError:               "protocol_error",
	FateShutdown:                    "shutdown",
	FateRateLimited:                 "rate_limited",
	FateTooManyOutstanding:          "too_many_outstanding",
	FateTokenReused:                 "token_reused",
	FateRealmNotAllowed:             "realm_not_allowed",
}

// String is the fate's label value.
func (f Fate) String() string { return nameOf(fateNames[:], uint8(f)) }

// Result is what one datagram from a UDP server was. The list is closed.
type Result uint8

// The results. All but ReplyAccepted and ReplyProtocolError are counted and
// forgotten: the exchange goes on as if nothing had come.
const (
	ReplyAccepted                    Result = iota // verified, and given to its exchange
	ReplyUnmatched                                 // no exchange waits for this Identifier on this socket
	ReplyMalformed                                 // Length or attributes are wrong
	ReplyWrongCode                                 // a Code that does not answer the request
	ReplyBadResponseAuthenticator                  // the Response Authenticator does not verify
	ReplyBadMessageAuthenticator                   // the Message-Authenticator does not verify
	ReplyMissingMessageAuthenticator               // policy or EAP-Message demands one and there is none
	ReplyStaleTimestamp                            // Event-Timestamp of a reply to CoA or Disconnect is outside the window; whether it was dropped is configured
	ReplyProtocolError                             // a verified Protocol-Error (RFC 7930)

	NumResults // how many there are
)

var resultNames = [NumResults]string{
	ReplyAccepted:                    "accepted",
	ReplyUnmatched:                   "unmatched",
	ReplyMalformed:                   "malformed",
	ReplyWrongCode:                   "wrong_code",
	ReplyBadResponseAuthenticator:    "bad_response_authenticator",
	ReplyBadMessageAuthenticator:     "bad_message_authenticator",
	ReplyMissingMessageAuthenticator: "missing_message_authenticator",
	ReplyStaleTimestamp:              "stale_event_timestamp",
	ReplyProtocolError:               "protocol_error",
}

// String is the result's label value.
func (r Result) String() string { return nameOf(resultNames[:], uint8(r)) }

// Handshake is how one accepted TCP connection fared until its client was
// known. Every accepted connection gets exactly one; the list is closed.
type Handshake uint8

// The results of handshakes.
const (
	HandshakeOK                   Handshake = iota // done, and the client is known
	HandshakeNotTLS                                // the first octets are not TLS: plain TCP, or a port scanner
	HandshakeOldVersion                            // the peer offers only versions below the minimum
	HandshakeNoCertificate                         // the peer has no certificate to show
	HandshakeUntrustedCertificate                  // no path from the certificate to the configured CA
	HandshakeExpiredCertificate                    // the certificate has expired
	HandshakePeerAlert                             // the peer refused, as when it does not trust the gateway's certificate
	HandshakePeerClosed                            // the peer went away
	HandshakeTimeout                               // begun, and not done within the handshake timeout
	HandshakeUnknownNetwork                        // no client lists the source address; closed before the handshake
	HandshakeUnknownClient                         // the certificate matches no client
	HandshakeTooMany                               // a limit on connections is reached
	HandshakeShutdown                              // the gateway stopped
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
	HandshakeStaleCRL                              // a revocation list is out of date, and crl_stale refuses its issuer's certificates
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

// String is the handshake result's label value.
func (h Handshake) String() string { return nameOf(handshakeNames[:], uint8(h)) }

// Reason is why a client's connection ended. The list is closed.
type Reason uint8

// The reasons.
const (
	ClosedByPeer        Reason = iota // the peer closed it in order, between two packets
	ClosedBroken                      // the peer reset it, went away within a packet, or broke TLS
	ClosedIdle                        // nothing received for the idle timeout
	ClosedPacketTimeout               // a started packet was not whole in time
	ClosedNotReading                  // the peer did not take what was written, by time or by amount
	ClosedBadLength                   // a Length outside 20..4096
	ClosedRefused                     // the handler refused a packet
	ClosedPacketLimit                 // the most packets for one connection are reached
	ClosedTooMany                     // the client has its most connections already
	ClosedLocally                     // closed by the gateway for another reason; the log line has the text
	ClosedShutdown                    // the gateway stopped
	ClosedExpired                     // the client's certificate has expired
	ClosedRevoked                     // the client's certificate was revoked
	ClosedNotAllowed                  // the configuration no longer gives the connection to its client
	ClosedUntrusted                   // the CA of the client's certificate is no longer trusted
	ClosedStaleCRL                    // a revocation list is out of date, and crl_stale refuses its issuer's certificates

	NumReasons // how many there are
)

var reasonNames = [NumReasons]string{
	ClosedByPeer:        "peer_closed",
	ClosedBroken:        "broken",
	ClosedIdle:          "idle_timeout",
	ClosedPacketTimeout: "packet_timeout",
	ClosedNotReading:    "not_reading",
	ClosedBadLength:     "bad_length",
	ClosedRefused:       "refused_packet",
	ClosedPacketLimit:   "packet_limit",
	ClosedTooMany:       "too_many",
	ClosedLocally:       "closed_locally",
	ClosedShutdown:      "shutdown",
	ClosedExpired:       "certificate_expired",
	ClosedRevoked:       "certificate_revoked",
	ClosedNotAllowed:    "not_allowed",
	ClosedUntrusted:     "certificate_untrusted",
	ClosedStaleCRL:      "crl_stale",
}

// String is the reason's label value.
func (r Reason) String() string { return nameOf(reasonNames[:], uint8(r)) }

// nameOf returns names[i], or the number when the list has no such entry.
func nameOf(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return strconv.Itoa(int(i))
}
