package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
)

// codeProtocolError is RFC 7930's code, which the library has no name for.
const codeProtocolError radius.Code = 52

func printConnected(w io.Writer, o *probeOptions, conn *tls.Conn) {
	state := conn.ConnectionState()
	agreed := ""
	if state.NegotiatedProtocol != "" {
		agreed = ", " + state.NegotiatedProtocol
	}
	fmt.Fprintf(w, "connected to %s, %s%s, server certificate %q verified by %s\n",
		o.address, tls.VersionName(state.Version), agreed, state.PeerCertificates[0].Subject.CommonName, o.ca)
}

// printRequest prints what is sent; passwords stay hidden.
func printRequest(w io.Writer, names *attributeNames, request *radius.Packet, sent []byte) {
	fmt.Fprintf(w, "sent %s, identifier %d, %d octets\n", codeName(request.Code), request.Identifier, len(sent))
	if request.Get(rfc2869.MessageAuthenticator_Type) != nil {
		fmt.Fprintln(w, "    Message-Authenticator: signed")
	}
	printer := &attributePrinter{names: names}
	for _, line := range printer.lines(request.Attributes) {
		fmt.Fprintln(w, "    "+line)
	}
}

// printReply verifies the reply, prints it, and returns nil if it is positive and verified.
func printReply(w io.Writer, names *attributeNames, received, sent, secret []byte, took time.Duration) error {
	reply, err := radius.Parse(received, secret)
	if err != nil {
		return fmt.Errorf("the answer is malformed: %w", err)
	}
	fmt.Fprintf(w, "received %s, identifier %d, %d octets, after %v\n",
		codeName(reply.Code), reply.Identifier, len(received), took.Round(10*time.Microsecond))

	verified := verifyReply(w, reply, received, sent, secret)
	printer := &attributePrinter{names: names, secret: secret, authenticator: [16]byte(sent[4:20]), secrets: true}
	return conclude(w, printer, reply, radius.Code(sent[0]), verified)
}

// conclude prints the reply's attributes and returns nil if it is positive and verified.
func conclude(w io.Writer, printer *attributePrinter, reply *radius.Packet, request radius.Code, verified bool) error {
	for _, line := range printer.lines(reply.Attributes) {
		fmt.Fprintln(w, "    "+line)
	}
	switch {
	case !verified:
		return fmt.Errorf("the %s does not verify: see the transcript", codeName(reply.Code))
	case !positive(request, reply.Code):
		return fmt.Errorf("verified, but the answer is %s%s", codeName(reply.Code), refusalReason(printer, reply))
	}
	fmt.Fprintf(w, "verified %s\n", codeName(reply.Code))
	return nil
}

// verifyReply prints the verdict on identifier and authenticators and returns whether all hold.
func verifyReply(w io.Writer, reply *radius.Packet, received, sent, secret []byte) bool {
	ok := true
	if reply.Identifier != sent[1] {
		fmt.Fprintf(w, "    Identifier: WRONG, the request's is %d\n", sent[1])
		ok = false
	}
	if radius.IsAuthenticResponse(received, sent, secret) {
		fmt.Fprintln(w, "    Response Authenticator: verified")
	} else {
		fmt.Fprintln(w, "    Response Authenticator: WRONG (-secret must be the one the server has for this client)")
		ok = false
	}
	err := messageAuthenticator(received, secret, [16]byte(sent[4:20]))
	note := ""
	if errors.Is(err, errMessageAuthenticatorWrong) && !answersAccess(reply.Code) {
		// In replies to Accounting, CoA and Disconnect servers are seen that reckon it over zero octets.
		if messageAuthenticator(received, secret, [16]byte{}) == nil {
			err, note = nil, " (over a zero authenticator)"
		}
	}
	switch {
	case err == nil:
		fmt.Fprintln(w, "    Message-Authenticator: verified"+note)
	case errors.Is(err, errMessageAuthenticatorAbsent) && reply.Get(rfc2869.EAPMessage_Type) == nil:
		fmt.Fprintln(w, "    Message-Authenticator: absent")
	case errors.Is(err, errMessageAuthenticatorAbsent): // RFC 3579 §3.1
		fmt.Fprintln(w, "    Message-Authenticator: absent, but EAP-Message asks for it")
		ok = false
	default:
		fmt.Fprintf(w, "    Message-Authenticator: %v (-secret must be the one the server has for this client)\n", err)
		ok = false
	}
	return ok
}

// answersAccess says whether a code is a reply to Access-Request.
func answersAccess(c radius.Code) bool {
	return c == radius.CodeAccessAccept || c == radius.CodeAccessReject || c == radius.CodeAccessChallenge || c == codeProtocolError
}

// positive says whether reply is the answer that a request hopes for. Status-Server is answered with
// what the port's requests are answered with (RFC 5997 §3).
func positive(request, reply radius.Code) bool {
	switch request {
	case radius.CodeAccessRequest:
		return reply == radius.CodeAccessAccept
	case radius.CodeStatusServer:
		return reply == radius.CodeAccessAccept || reply == radius.CodeAccountingResponse
	case radius.CodeAccountingRequest:
		return reply == radius.CodeAccountingResponse
	case radius.CodeCoARequest:
		return reply == radius.CodeCoAACK
	case radius.CodeDisconnectRequest:
		return reply == radius.CodeDisconnectACK
	}
	return false
}

// refusalReason is what the reply itself says of the refusal, as a clause.
func refusalReason(printer *attributePrinter, reply *radius.Packet) string {
	var reasons []string
	for _, line := range printer.lines(reply.Attributes) {
		if strings.HasPrefix(line, "Error-Cause ") || strings.HasPrefix(line, "Reply-Message ") {
			reasons = append(reasons, line)
		}
	}
	switch {
	case len(reasons) > 0:
		return ": " + strings.Join(reasons, ", ")
	case reply.Code == radius.CodeAccessChallenge && reply.Get(rfc2865.State_Type) != nil:
		return ": the server wants another round, which the probe does not play"
	case reply.Code == radius.CodeAccessReject:
		return ": the server does not take this user and password, or the gateway could not reach it"
	}
	return ""
}

func codeName(c radius.Code) string {
	if c == codeProtocolError {
		return "Protocol-Error"
	}
	return c.String()
}
