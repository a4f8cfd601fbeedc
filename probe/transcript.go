package probe

import (
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
)

// transcript writes what happens in one exchange, for a person to read.
type transcript struct {
	w      io.Writer
	secret []byte
}

// connected writes that the handshake is done.
func (t *transcript) connected(cfg *Config, state tls.ConnectionState) {
	agreed := ""
	if state.NegotiatedProtocol != "" {
		agreed = ", " + state.NegotiatedProtocol
	}
	if cfg.PSKIdentity != "" {
		fmt.Fprintf(t.w, "connected to %s, %s%s, which has proved that it has the pre-shared key of %q\n", cfg.Address, versionName(state.Version), agreed, cfg.PSKIdentity)
		return
	}
	fmt.Fprintf(t.w, "connected to %s, %s%s, server certificate %q verified by %s\n",
		cfg.Address, versionName(state.Version), agreed, state.PeerCertificates[0].Subject.CommonName, cfg.CAFile)
}

// sent writes the request; its passwords stay hidden.
func (t *transcript) sent(r *Result) error {
	request, err := radius.Parse(r.Sent, t.secret)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.w, "sent %s, %s, %d octets\n", codeName(request.Code), number(r.Radius11, r.Sent), len(r.Sent))
	if request.Get(rfc2869.MessageAuthenticator_Type) != nil {
		fmt.Fprintln(t.w, "    Message-Authenticator: signed")
	}
	t.lines((&attributePrinter{}).lines(request.Attributes))
	return nil
}

// received writes the reply and what was verified of it. It returns nil if the reply is verified
// and positive.
func (t *transcript) received(r *Result) error {
	fmt.Fprintf(t.w, "received %s, %s, %d octets, after %v\n",
		codeName(r.Reply.Code), number(r.Radius11, r.Received), len(r.Received), r.Took.Round(10*time.Microsecond))
	t.checks(r.Checks)
	printer := &attributePrinter{secret: t.secret, authenticator: [16]byte(r.Sent[4:20]), secrets: true, clear: r.Radius11}
	attributes := printer.lines(r.Reply.Attributes)
	t.lines(attributes)
	switch name := codeName(r.Reply.Code); {
	case !r.Verified():
		return fmt.Errorf("the %s does not verify: see the transcript", name)
	case !r.Positive():
		return fmt.Errorf("verified, but the answer is %s%s", name, refusalReason(r.Reply, attributes))
	default:
		fmt.Fprintf(t.w, "verified %s\n", name)
		return nil
	}
}

// request writes a request of the server, what was verified of it, and a note that ends its first line.
func (t *transcript) request(r *Request, note string) {
	fmt.Fprintf(t.w, "received %s, %s, %d octets%s\n", codeName(r.Packet.Code), number(r.Radius11, r.Received), len(r.Received), note)
	t.checks(r.Checks)
	// Values in such a request are hidden with an authenticator of zeros (RFC 5176 §3).
	t.lines((&attributePrinter{secret: t.secret, secrets: true, clear: r.Radius11}).lines(r.Packet.Attributes))
}

// answered writes an answer to a request of the server, b.
func (t *transcript) answered(out *response, b []byte) {
	notes := ""
	if out.answer.Delay > 0 {
		notes += fmt.Sprintf(", after %v", out.answer.Delay)
	}
	if out.answer.Twice {
		notes += ", twice"
	}
	if out.answer.Wrong != "" {
		notes += fmt.Sprintf(", with a wrong %s", out.answer.Wrong)
	}
	fmt.Fprintf(t.w, "sent %s, %s, %d octets%s\n", codeName(radius.Code(b[0])), number(out.request.Radius11, b), len(b), notes)
	if answer, err := radius.Parse(b, t.secret); err == nil {
		t.lines((&attributePrinter{}).lines(answer.Attributes))
	}
}

// checks writes the result of each check.
func (t *transcript) checks(checks []Check) {
	for _, c := range checks {
		fmt.Fprintf(t.w, "    %s: %s\n", c.Field, c.Detail)
	}
}

// lines writes lines of attributes.
func (t *transcript) lines(lines []string) {
	for _, line := range lines {
		fmt.Fprintln(t.w, "    "+line)
	}
}

// number returns what associates a reply with its request: the Token in RADIUS/1.1, else the
// Identifier.
func number(radius11 bool, packet []byte) string {
	if radius11 {
		return fmt.Sprintf("token 0x%x", packet[4:8])
	}
	return fmt.Sprintf("identifier %d", packet[1])
}

// refusalReason returns, as a clause, the reason that a negative reply gives. attributes are its
// lines in the transcript.
func refusalReason(reply *radius.Packet, attributes []string) string {
	var reasons []string
	for _, line := range attributes {
		if strings.HasPrefix(line, "Error-Cause ") || strings.HasPrefix(line, "Reply-Message ") {
			reasons = append(reasons, line)
		}
	}
	switch {
	case len(reasons) > 0:
		return ": " + strings.Join(reasons, ", ")
	case reply.Code == radius.CodeAccessChallenge && reply.Get(rfc2865.State_Type) != nil:
		return ": the server asks for another round, which the probe does not support"
	case reply.Code == radius.CodeAccessReject:
		return ": the server does not accept this user and password, or the gateway could not reach it"
	}
	return ""
}
