package metrics

// Reason is why a client's connection ended. The list is closed.
type Reason uint8

// The reasons.
const (
	ClosedByPeer        Reason = iota // the peer closed it in order, between two packets
	ClosedBroken                      // the peer reset it, went away within a packet, or broke TLS
	ClosedIdle                        // no request was outstanding for the idle timeout; Status-Server does not count
	ClosedPacketTimeout               // a started packet was not whole in time
	ClosedNotReading                  // the peer did not take what was written, by time or by amount
	ClosedBadLength                   // a Length outside 20..4096
	ClosedRefused                     // the handler refused a packet
	ClosedPacketLimit                 // the most packets for one connection are reached
	ClosedLocally                     // closed by the gateway for another reason; the log line has the text
	ClosedShutdown                    // the gateway stopped, or its listener was removed
	ClosedExpired                     // the client's certificate has expired
	ClosedRevoked                     // the client's certificate was revoked
	ClosedNotAllowed                  // the configuration no longer gives the connection to its client
	ClosedUntrusted                   // the CA of the client's certificate is no longer trusted
	ClosedStaleCRL                    // a revocation list is out of date or not fetched yet, and crl_stale refuses its issuer's certificates

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
	ClosedLocally:       "closed_locally",
	ClosedShutdown:      "shutdown",
	ClosedExpired:       "certificate_expired",
	ClosedRevoked:       "certificate_revoked",
	ClosedNotAllowed:    "not_allowed",
	ClosedUntrusted:     "certificate_untrusted",
	ClosedStaleCRL:      "crl_stale",
}

// String returns the reason's label value.
func (r Reason) String() string { return nameOf(reasonNames[:], uint8(r)) }
