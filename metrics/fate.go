package metrics

import "strconv"

// Fate is how a packet from a RadSec client ended, or a CoA or Disconnect that a UDP server
// has sent to the gateway (reverse CoA). Every packet gets exactly one; the list is closed.
type Fate uint8

// The fates. After those from FateBadLength to FateMissingMessageAuthenticator, and
// FateBadResponseAuthenticator, the client's connection is closed (RFC 6613 §2.6.4), except
// for a Status-Server without Message-Authenticator. A datagram that is refused is only
// dropped.
const (
	FateRelayed            Fate = iota // the server's verified reply went back to the client
	FateStatusAnswered                 // Status-Server, answered by the gateway itself
	FateDuplicateDropped               // repeats a request that is still in flight
	FateDuplicateAnswered              // repeats an answered request; the kept reply was sent again
	FateAccountingAnswered             // Accounting-Request, acknowledged by the gateway itself as its route says; it is not kept
	FateSpooled                        // Accounting-Request that no server had answered: the gateway has stored it in the spool and acknowledged it

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
	FateWrongPath       // the sender of a CoA or Disconnect is not a server of the user's realm
	FateLoop            // it has been at this gateway before: a server, or what is behind it, sends it back
	FateNoNAS           // a CoA or Disconnect names no NAS of its route, or none of several
	FateTooLong         // the server's copy would exceed 4096 octets

	FateServerSilent       // no reply to the end of the schedule
	FateServerUnverified   // no reply that verifies to the end of the schedule, but some that do not
	FateServerRefused      // ICMP said that nothing listens on the NAS's port; CoA and Disconnect only
	FateNoIdentifier       // no Identifier of a usable server is free for it: the last 1/64, at least 16, are for conversations that have begun
	FateOverShare          // the client holds its share of the identifiers, which are nearly all taken
	FateNoSocket           // its server was removed from the configuration at that moment
	FateMaintenance        // every server of the route is in maintenance
	FateSpoolFailed        // Accounting-Request that was to be stored in the spool, but could not be; nobody answers it
	FateSuperseded         // the client gave up: it used the Identifier again for another request
	FateClientGone         // the connection ended before the reply arrived
	FateClientNotReading   // the reply was dropped because the client reads too slowly
	FateReplyTooLong       // the client's copy of the reply would exceed 4096 octets
	FateBadReplyAttributes // a hidden attribute of the reply does not decrypt
	FateProtocolError      // answered with Protocol-Error (RFC 7930)
	FateShutdown           // the gateway stopped before the reply arrived
	FateRateLimited        // beyond the packets or octets per second of its client, after a wait
	FateTooManyOutstanding // beyond the requests that one connection may have unanswered, after a wait
	FateTokenReused        // its Token is that of another unanswered request of its RADIUS/1.1 connection, which ends (RFC 9765 §4.2.2)
	FateRealmNotAllowed    // the client may not send this realm
	FateRuleRejected       // an attribute has a value that a rule refuses
	FateNoSource           // the client's source address cannot be used, or is another certificate's
	FateRuleFailed         // a rule would give an attribute a value of no octets, or of more than it can hold

	FateReverseAnswer            // it answers a CoA or Disconnect that was sent down its connection
	FateLateAnswer               // the same, after the timeout: its sender no longer waits
	FateBadResponseAuthenticator // the same, but its Response Authenticator does not verify

	FateUnknownSender // a CoA or Disconnect by UDP from an address that is neither a server's nor a sender's
	FateNASMismatch   // what a CoA or Disconnect says of its session or NAS belongs to different connections
	FateNASSilent     // a CoA or Disconnect was sent down its NAS's connection, and not answered in time

	NumFates // how many there are
)

var fateNames = [NumFates]string{
	FateRelayed:                     "relayed",
	FateStatusAnswered:              "status_answered",
	FateDuplicateDropped:            "duplicate_dropped",
	FateDuplicateAnswered:           "duplicate_answered",
	FateAccountingAnswered:          "accounting_answered",
	FateSpooled:                     "spooled",
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
	FateServerUnverified:            "server_unverified",
	FateServerRefused:               "server_refused",
	FateNoIdentifier:                "no_identifier",
	FateOverShare:                   "over_share",
	FateNoSocket:                    "no_socket",
	FateMaintenance:                 "maintenance",
	FateSpoolFailed:                 "spool_failed",
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
	FateRuleRejected:                "rule_rejected",
	FateRuleFailed:                  "rule_failed",
	FateNoSource:                    "no_source",
	FateReverseAnswer:               "reverse_answer",
	FateLateAnswer:                  "late_answer",
	FateBadResponseAuthenticator:    "bad_response_authenticator",
	FateUnknownSender:               "unknown_sender",
	FateNASMismatch:                 "nas_mismatch",
	FateNASSilent:                   "nas_silent",
}

// String returns the fate's label value.
func (f Fate) String() string { return nameOf(fateNames[:], uint8(f)) }

// nameOf returns names[i], or the number when the list has no such entry.
func nameOf(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return strconv.Itoa(int(i))
}
