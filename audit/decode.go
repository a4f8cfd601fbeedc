package audit

import (
	"encoding/binary"
	"fmt"
	"strings"

	"radsec-gw/wire"
)

// text returns the text of a request when it has arrived, with its attributes, or when it has
// ended, with those of its reply.
func (s *tapEvent) text() string {
	if s.event.reverse() {
		return s.reverseText()
	}
	if s.step != nil {
		return s.stepText()
	}
	var b strings.Builder
	e := &s.event
	fmt.Fprintf(&b, "%s %s %s ", s.at.Format("15:04:05.000"), e.Client, e.Peer)
	if !s.ended {
		fmt.Fprintf(&b, "-> %s\n", packetText(s.request, s.v11))
		return b.String()
	}
	fmt.Fprintf(&b, "<- %s", e.Fate)
	if s.request != nil {
		fmt.Fprintf(&b, ", %s %s", wire.CodeName(wire.Code(s.request[0])), whichText(s.request, s.v11))
	}
	if e.Server != "" {
		fmt.Fprintf(&b, ", server %s %s", e.Server, e.Port)
	}
	fmt.Fprintf(&b, ", %.1f ms", float64(e.Duration.Microseconds())/1000)
	if e.Tries > 1 {
		fmt.Fprintf(&b, ", sent %d times", e.Tries)
	}
	if text := e.unverifiedText(); text != "" {
		b.WriteString(", " + text)
	}
	if len(e.Reply) > 0 {
		fmt.Fprintf(&b, ": %s", packetText(e.Reply, s.v11))
	}
	b.WriteByte('\n')
	return b.String()
}

// unverifiedText says how many replies to a request did not verify; "" if all did.
func (e *Event) unverifiedText() string {
	if e.Unverified == 0 {
		return ""
	}
	return fmt.Sprintf("%d replies did not verify, the last from %s: %s", e.Unverified, e.UnverifiedFrom, (&Step{Result: e.UnverifiedWhy}).meaning())
}

// stepText returns the line of a step between the gateway and a server. What did not verify
// is shown with its attributes, and so is what attribute rules change.
func (s *tapEvent) stepText() string {
	st, e := s.step, &s.event
	who := "-"
	if e.Client != "" {
		who = e.Client + " " + e.Peer.String()
	}
	at := s.at.Format("15:04:05.000")
	server := fmt.Sprintf("server %s %s %s", e.Server, e.Port, st.Remote)
	if st.Local.IsValid() {
		server += " from " + st.Local.String()
	}
	if st.Kind == StepMoves {
		return fmt.Sprintf("%s %s moves on from %s: %s\n", at, who, server, st.Why)
	}
	what := fmt.Sprintf("%s identifier %d, %d octets", wire.CodeName(wire.Code(st.Packet[0])), st.Packet[1], len(st.Packet))
	switch {
	case st.Kind == StepReplied && st.verified():
		return fmt.Sprintf("%s %s <= %s: %s, verified%s\n", at, who, server, what, st.attributes())
	case st.Kind == StepReplied:
		return fmt.Sprintf("%s %s <= %s: ignored, %s: %s\n", at, who, server, st.meaning(), packetText(st.Packet, false))
	case st.Kind == StepResent:
		what += fmt.Sprintf(", again, transmission %d", st.Sends)
	case st.Why != "":
		what += " (" + st.Why + ")"
	}
	if st.Kind == StepSent {
		what += st.attributes()
	}
	return fmt.Sprintf("%s %s => %s: %s\n", at, who, server, what)
}

// attributes returns the lines of the attributes of a step's packet where attribute rules
// apply, so that both sides can be compared; else "".
func (s *Step) attributes() string {
	if !s.Rules {
		return ""
	}
	_, lines, _ := strings.Cut(packetText(s.Packet, false), "\n")
	return "\n" + lines
}

// whichText returns what identifies a packet: its Identifier, or in RADIUS/1.1 its Token
// (RFC 9765 §4.2.1).
func whichText(p []byte, v11 bool) string {
	if v11 {
		return fmt.Sprintf("Token %d", binary.BigEndian.Uint32(p[4:]))
	}
	return fmt.Sprintf("identifier %d", p[1])
}

// packetText returns a line for a packet, and one for each attribute.
func packetText(p []byte, v11 bool) string {
	var v wire.View
	if err := v.Parse(p); err != nil {
		return fmt.Sprintf("malformed packet: %v", err)
	}
	lines := append([]string{fmt.Sprintf("%s %s, %d octets", wire.CodeName(v.Code()), whichText(p, v11), len(p))}, attributes(&v, v11)...)
	return strings.Join(lines, "\n    ")
}

// Attributes returns a line for each attribute of a packet of RADIUS/1.0, "Name = value", as
// taps show it: without secrets and passwords.
func Attributes(v *wire.View) []string { return attributes(v, false) }

func attributes(v *wire.View, v11 bool) (lines []string) {
	eap := false
	for _, a := range wire.Reveal(v, nil, nil) { // without a secret hidden values stay hidden
		text := valueText(&a, eap)
		if v11 && a.Type == typeUserPassword {
			text = "[hidden]" // not padded in RADIUS/1.1: its length would be that of the password
		}
		lines = append(lines, a.Name+" = "+text)
		eap = eap || a.Type == typeEAPMessage && a.Vendor == 0
	}
	return lines
}
