package wire

import (
	"errors"

	"layeh.com/radius"
)

// Why a packet is refused. After one from a client the connection is closed; one from a
// server is only dropped (RFC 6613 §2.6.4, RFC 2865 §2.3).
var (
	ErrRequestAuthenticator     = errors.New("wrong Request Authenticator: the sender holds another secret, or the packet was altered")
	ErrResponseAuthenticator    = errors.New("wrong Response Authenticator: the server holds another secret, or answers another request")
	ErrReverseAuthenticator     = errors.New("wrong Response Authenticator: the client holds another secret, or answers another request")
	ErrMessageAuthenticator     = errors.New("wrong Message-Authenticator: the sender holds another secret, or the packet was altered")
	ErrMessageAuthenticatorForm = errors.New("malformed Message-Authenticator: expected exactly one, of 18 octets")
	ErrNoMessageAuthenticator   = errors.New("no Message-Authenticator where one is required")
	ErrCode                     = errors.New("code that is not expected here")
)

// RequestPolicy is what the gateway requires of a client's request beyond the
// protocol's minimum.
type RequestPolicy struct {
	RequireMA    bool // a Message-Authenticator is required
	RequireEAPMA bool // it is required beside an EAP-Message (RFC 3579 §3.1)
	VerifyRA     bool // the computed authenticator of accounting, CoA and Disconnect must be valid (RFC 5080 §2.3.3)
}

// VerifyRequest checks a client's request under the secret shared with it. What needs a
// digest is checked by Run: the result is that of the ticket.
//
// An Access-Request's authenticator is random, so only its
// Message-Authenticator can be checked, if there is one or one is required. A
// Status-Server must have one, valid (RFC 5997 §3). In Accounting, CoA and
// Disconnect the authenticator is itself a digest, and a
// Message-Authenticator is computed over zeros in its place (RFC 5176 §3.4);
// accounting should not have one, but some clients send it.
//
// Errors: ErrNoMessageAuthenticator, ErrMessageAuthenticatorForm; ErrCode when v
// is not a request; ErrFull. Results: ErrRequestAuthenticator,
// ErrMessageAuthenticator.
func (d *Digests) VerifyRequest(v *View, s *ClientSecret, pol RequestPolicy) (Ticket, error) {
	kind := v.Kind()
	if kind == KindOther {
		return 0, ErrCode
	}
	if v.v11 {
		return d.accept11(v)
	}
	hasMA := v.HasMessageAuthenticator()
	if !hasMA && (pol.RequireMA || kind == KindStatus || pol.RequireEAPMA && v.HasEAP()) {
		return 0, ErrNoMessageAuthenticator
	}
	if err := d.wellFormed(v, hasMA); err != nil {
		return 0, err
	}
	vector, wrongRA := v.Authenticator(), error(nil)
	if kind != KindAccess && kind != KindStatus {
		vector = &d.zero
		if pol.VerifyRA {
			wrongRA = ErrRequestAuthenticator
		}
	}
	d.check(v, vector, wrongRA, &s.secret)
	return d.ticket(), nil
}

// wellFormed returns an error when v cannot be queued: its Message-Authenticator is
// malformed, or the queue is full.
func (d *Digests) wellFormed(v *View, hasMA bool) error {
	if hasMA {
		if err := v.messageAuthenticatorForm(); err != nil {
			return err
		}
	}
	return d.space()
}

// VerifyReply checks a server's reply to a request with code request, sent with
// the Request Authenticator sentRA under secret s. What needs a digest is checked by Run:
// the result is that of the ticket. The caller must check with Answers that the reply's
// code answers the request.
//
// requireMA is the server's "require Message-Authenticator" flag. It applies
// only to replies to Access-Request, and before any digest, so that a forged reply of
// a BlastRADIUS attacker is refused before its MD5 can match
// (draft-ietf-radext-deprecating-radius §5.3.1). A reply with an EAP-Message and
// without a Message-Authenticator is refused (RFC 3579 §3.1).
//
// In replies to accounting, CoA and Disconnect a Message-Authenticator over the
// request's authenticator is valid, and so is one over zeros: servers do both.
//
// Errors: ErrNoMessageAuthenticator, ErrMessageAuthenticatorForm, ErrFull.
// Results: ErrResponseAuthenticator, ErrMessageAuthenticator.
func (d *Digests) VerifyReply(v *View, request Code, sentRA *[16]byte, s *ServerSecret, requireMA bool) (Ticket, error) {
	hasMA := v.HasMessageAuthenticator()
	if !hasMA && (requireMA && request == radius.CodeAccessRequest || v.HasEAP()) {
		return 0, ErrNoMessageAuthenticator
	}
	if err := d.wellFormed(v, hasMA); err != nil {
		return 0, err
	}
	q := d.check(v, sentRA, ErrResponseAuthenticator, &s.secret)
	switch KindOf(request) {
	case KindAccounting, KindCoA, KindDisconnect:
		q.zeros = &s.secret
	}
	return d.ticket(), nil
}
