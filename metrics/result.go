package metrics

// Result is how one datagram from a UDP server was handled. The list is closed.
type Result uint8

// The results. After all but ReplyAccepted, ReplyProtocolError and a ReplyStaleTimestamp
// that is passed on, the exchange goes on as if nothing had arrived.
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

// String returns the result's label value.
func (r Result) String() string { return nameOf(resultNames[:], uint8(r)) }
