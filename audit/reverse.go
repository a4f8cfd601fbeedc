package audit

import (
	"fmt"
	"net/netip"
	"strings"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// reverseText returns the text of a CoA or Disconnect that a UDP server has sent: "->" from its
// sender and "<-" to it over UDP, "=>" to the NAS and "<=" from it, through the connection that
// the NAS's client has opened. All packets are shown with their attributes: those of the two
// sides differ.
func (s *tapEvent) reverseText() string {
	e := &s.event
	head := fmt.Sprintf("%s sender %s %s", s.at.Format("15:04:05.000"), e.Sender, e.From)
	if st := s.step; st != nil {
		nas := fmt.Sprintf("NAS of client %s %s", e.Client, st.Remote)
		if st.Local.IsValid() {
			nas += " at " + st.Local.String()
		}
		if st.Kind == StepReplied {
			return fmt.Sprintf("%s <= %s: %s, %s\n", head, nas, st.meaning(), packetText(st.Packet, st.V11))
		}
		return fmt.Sprintf("%s => %s: %s\n", head, nas, packetText(st.Packet, st.V11))
	}
	if !s.ended {
		return fmt.Sprintf("%s -> %s\n", head, packetText(s.request, false))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s <- %s", head, e.Fate)
	if s.request != nil {
		fmt.Fprintf(&b, ", %s %s", wire.CodeName(wire.Code(s.request[0])), whichText(s.request, false))
	}
	if e.Client != "" {
		fmt.Fprintf(&b, ", client %s %s", e.Client, e.Peer)
	}
	fmt.Fprintf(&b, ", %.1f ms", float64(e.Duration.Microseconds())/1000)
	if len(e.Reply) > 0 {
		fmt.Fprintf(&b, ": %s", packetText(e.Reply, false))
	}
	b.WriteByte('\n')
	return b.String()
}

// reverseDatagram is datagram for a CoA or Disconnect that a UDP server has sent. The address
// that it was sent to is not known.
func (s *tapEvent) reverseDatagram() (d datagram, ok bool) {
	const port = metrics.PortCoA
	e := &s.event
	sender, gateway := e.From, netip.AddrPortFrom(netip.Addr{}, usualPort(port))
	d.comment = s.reverseComment()
	switch st := s.step; {
	case st != nil && len(st.Packet) == 0:
		return d, false
	case st != nil:
		d.packet = maskedPacket(st.Packet, st.V11)
		d.from, d.to = netip.AddrPortFrom(st.Local.Addr(), usualPort(port)), st.Remote
		if st.Kind == StepReplied {
			d.from, d.to, d.inbound = d.to, d.from, true
		}
	case !s.ended:
		d.from, d.to, d.packet, d.inbound, d.servers = sender, gateway, maskedPacket(s.request, false), true, true
	case len(e.Reply) == 0:
		return d, false
	default:
		d.from, d.to, d.packet, d.servers = gateway, sender, maskedPacket(e.Reply, false), true
	}
	return d, true
}

// reverseComment says in words what is known of a packet.
func (s *tapEvent) reverseComment() string {
	e := &s.event
	list := []string{"sender " + e.Sender + " " + e.From.String()}
	if e.Client != "" {
		list = append(list, "client "+e.Client)
	}
	if e.Number != 0 {
		list = append(list, fmt.Sprintf("request %d", e.Number))
	}
	switch st := s.step; {
	case st == nil && !s.ended:
		list = append(list, "received over UDP, verified")
	case st == nil:
		list = append(list, "answer to the sender, fate "+e.Fate.String(), fmt.Sprintf("%.1f ms", float64(e.Duration.Microseconds())/1000))
	case st.Kind == StepReplied:
		list = append(list, fmt.Sprintf("from the NAS at %s over RadSec", st.Remote), st.meaning())
	default:
		list = append(list, fmt.Sprintf("to the NAS at %s over RadSec", st.Remote))
	}
	return strings.Join(list, ", ")
}
