package faulty

import (
	"errors"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"

	"radsec-gw/probe"
)

// errSignature is the error of a request that does not verify.
var errSignature = errors.New("does not verify")

// read checks a datagram: its form, the Request Authenticator of accounting and
// CoA (RFC 2866 §3), the Message-Authenticator of the others where there is one,
// and that EAP and Status-Server have one (RFC 3579 §3.2, RFC 5997 §3).
func read(datagram, secret []byte) (*radius.Packet, error) {
	r, err := radius.Parse(datagram, secret)
	if err != nil {
		return nil, err
	}
	packet, err := r.MarshalBinary() // without what follows the packet
	if err != nil {
		return nil, err
	}
	switch {
	case r.Code == radius.CodeAccountingRequest, r.Code == radius.CodeCoARequest, r.Code == radius.CodeDisconnectRequest:
		if !radius.IsAuthenticRequest(packet, secret) {
			return nil, errSignature
		}
	case has(r, rfc2869.MessageAuthenticator_Type), has(r, rfc2869.EAPMessage_Type), r.Code == radius.CodeStatusServer:
		return r, probe.VerifyMessageAuthenticator(packet, secret, r.Authenticator)
	}
	return r, nil
}

func has(p *radius.Packet, t radius.Type) bool {
	_, ok := p.Lookup(t)
	return ok
}

// reply is a signed reply: Message-Authenticator first, except in accounting
// (RFC 3579 §3.2), the given State, an EAP packet where the request had one, and
// Proxy-State at the end (RFC 2865 §5.33).
func reply(r *radius.Packet, code radius.Code, state string) []byte {
	p := r.Response(code)
	if state != "" {
		p.Add(rfc2865.State_Type, []byte(state))
	}
	if message, ok := r.Lookup(rfc2869.EAPMessage_Type); ok && len(message) > 1 {
		p.Add(rfc2869.EAPMessage_Type, eapReply(code, message[1]))
	}
	for _, a := range r.Attributes {
		if a.Type == rfc2865.ProxyState_Type {
			p.Attributes = append(p.Attributes, a)
		}
	}
	if code != radius.CodeAccountingResponse {
		probe.AddMessageAuthenticator(p)
	}
	b, err := probe.Sign(p)
	if err != nil {
		return nil // longer than a packet may be
	}
	return b
}

// eapReply is the EAP packet with an Identifier that fits the code (RFC 3579 §2.6.3).
func eapReply(code radius.Code, identifier byte) []byte {
	switch code {
	case radius.CodeAccessChallenge: // EAP-TLS without data (RFC 5216 §2.1.5)
		return []byte{1, identifier + 1, 0, 6, 13, 0}
	case radius.CodeAccessAccept:
		return []byte{3, identifier, 0, 4}
	}
	return []byte{4, identifier, 0, 4}
}
