package probe

import (
	"errors"
	"fmt"

	"layeh.com/radius"
	"layeh.com/radius/rfc2869"
)

// verify parses r.Received and checks that it answers r.Sent.
func (r *Result) verify(secret []byte) error {
	reply, err := radius.Parse(r.Received, secret)
	if err != nil {
		return fmt.Errorf("the reply is malformed: %w", err)
	}
	r.Reply = reply
	if r.Radius11 {
		r.Checks = verify11(r.Received, r.Sent)
	} else {
		r.Checks = verify10(reply, r.Received, r.Sent, secret)
	}
	return nil
}

// wrongSecret says what to do about an authenticator that does not verify.
const wrongSecret = "(-secret, or that of the [[server]], must be the one that the server has for this client)"

// verify10 checks the Identifier and the authenticators of a reply.
func verify10(reply *radius.Packet, received, sent, secret []byte) []Check {
	var checks []Check
	if reply.Identifier != sent[1] {
		checks = append(checks, Check{"Identifier", false, fmt.Sprintf("WRONG, the request's is %d", sent[1])})
	}
	if radius.IsAuthenticResponse(received, sent, secret) {
		checks = append(checks, Check{"Response Authenticator", true, "verified"})
	} else {
		checks = append(checks, Check{"Response Authenticator", false, "WRONG " + wrongSecret})
	}
	ok, detail := checkMessageAuthenticator(reply, received, sent, secret)
	return append(checks, Check{"Message-Authenticator", ok, detail})
}

// checkMessageAuthenticator checks the Message-Authenticator of a reply, which may be absent unless
// there is an EAP-Message (RFC 3579 §3.1).
func checkMessageAuthenticator(reply *radius.Packet, received, sent, secret []byte) (ok bool, detail string) {
	err := VerifyMessageAuthenticator(received, secret, [16]byte(sent[4:20]))
	switch {
	case err == nil:
		return true, "verified"
	case errors.Is(err, errWrong) && !answersAccess(reply.Code) && VerifyMessageAuthenticator(received, secret, [16]byte{}) == nil:
		// Some servers compute it over zero octets in replies to Accounting, CoA and Disconnect.
		return true, "verified (over a zero authenticator)"
	case errors.Is(err, errAbsent) && reply.Get(rfc2869.EAPMessage_Type) == nil:
		return true, "absent"
	case errors.Is(err, errAbsent):
		return false, "absent, but required with EAP-Message"
	default:
		return false, fmt.Sprintf("%v %s", err, wrongSecret)
	}
}
