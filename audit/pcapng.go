package audit

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"radsec-gw/metrics"
)

// What is written is pcapng (draft-ietf-opsawg-pcapng): a section with two interfaces, one
// for the RadSec clients and one for the UDP servers. Each packet has headers of IP and UDP
// made for it, with the real addresses, and with the usual port of its kind, so that
// programs decode it as RADIUS wherever it came from.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 6 // Enhanced Packet Block
	byteOrderMagic = 0x1a2b3c4d
	linkRaw        = 101 // the packet begins with the header of IPv4 or IPv6

	optionComment     = 1
	optionName        = 2 // of an interface
	optionApplication = 4 // of a section
	optionDescription = 3 // of an interface
	optionResolution  = 9 // of an interface's timestamps
	optionFlags       = 2 // of a packet
	resolution        = 9 // 10^-9 s
	flagInbound       = 1
	flagOutbound      = 2
	interfaceClients  = 0
	interfaceServers  = 1
)

// IsPcapng reports whether a stream that begins with these octets is pcapng.
func IsPcapng(head []byte) bool {
	return len(head) >= 4 && binary.LittleEndian.Uint32(head) == blockSection
}

// BlockOf returns the length of a block of pcapng that begins with these 8 octets, and
// whether it is a packet.
func BlockOf(head []byte) (length int, packet bool) {
	return int(binary.LittleEndian.Uint32(head[4:])), binary.LittleEndian.Uint32(head) == blockPacket
}

// pcapngHeader returns the beginning of a file.
func pcapngHeader() []byte {
	section := binary.LittleEndian.AppendUint32(nil, byteOrderMagic)
	section = append(section, 1, 0, 0, 0)                             // version 1.0
	section = append(section, 255, 255, 255, 255, 255, 255, 255, 255) // of unknown length
	section = appendOption(section, optionComment, "Packets that passed a radsec-gw. The headers of IP and UDP are made up: ports are the usual ones of RADIUS. Secrets, passwords, and authenticators that are computed with a secret, are replaced by zeros.")
	section = appendOption(section, optionApplication, "radsec-gw tap")
	b := appendBlock(nil, blockSection, append(section, 0, 0, 0, 0))
	for _, one := range [][2]string{{"radsec", "RadSec clients, without TLS"}, {"udp", "RADIUS servers, and senders of CoA"}} {
		body := binary.LittleEndian.AppendUint16(nil, linkRaw)
		body = append(body, 0, 0, 0, 0, 0, 0) // reserved; no limit of the length
		body = appendOption(body, optionName, one[0])
		body = appendOption(body, optionDescription, one[1])
		body = appendOption(body, optionResolution, string([]byte{resolution}))
		b = appendBlock(b, blockInterface, append(body, 0, 0, 0, 0))
	}
	return b
}

// appendBlock appends a block, whose body is a multiple of 4 octets.
func appendBlock(to []byte, kind uint32, body []byte) []byte {
	length := uint32(12 + len(body))
	to = binary.LittleEndian.AppendUint32(to, kind)
	to = binary.LittleEndian.AppendUint32(to, length)
	to = append(to, body...)
	return binary.LittleEndian.AppendUint32(to, length)
}

// appendOption appends an option, padded to a multiple of 4 octets.
func appendOption(to []byte, code uint16, value string) []byte {
	value = value[:min(len(value), 1<<15)]
	to = binary.LittleEndian.AppendUint16(to, code)
	to = binary.LittleEndian.AppendUint16(to, uint16(len(value)))
	return pad(append(to, value...))
}

func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// datagram is a packet with the addresses that its headers get.
type datagram struct {
	from, to netip.AddrPort
	packet   []byte
	inbound  bool
	servers  bool // between the gateway and a server
	comment  string
}

// pcapngBlock returns the block of a packet, or nil for an event without one. missing is how
// many events before it are not in the file.
func (s *tapEvent) pcapngBlock(missing int64) []byte {
	d, ok := s.datagram()
	if !ok {
		return nil
	}
	if missing > 0 {
		d.comment += fmt.Sprintf("\n%d packets before this one are missing: they arrived faster than they could be written", missing)
	}
	ip := d.octets()
	at := uint64(s.at.UnixNano())
	body, flags := binary.LittleEndian.AppendUint32(nil, interfaceClients), byte(flagOutbound)
	if d.servers {
		body[0] = interfaceServers
	}
	if d.inbound {
		flags = flagInbound
	}
	body = binary.LittleEndian.AppendUint32(body, uint32(at>>32))
	body = binary.LittleEndian.AppendUint32(body, uint32(at))
	body = binary.LittleEndian.AppendUint32(body, uint32(len(ip)))
	body = binary.LittleEndian.AppendUint32(body, uint32(len(ip)))
	body = pad(append(body, ip...))
	body = appendOption(body, optionComment, d.comment)
	body = appendOption(body, optionFlags, string([]byte{flags, 0, 0, 0}))
	return appendBlock(nil, blockPacket, append(body, 0, 0, 0, 0))
}

// datagram returns the packet of an event; ok is false if it has none.
func (s *tapEvent) datagram() (d datagram, ok bool) {
	e := &s.event
	if e.reverse() {
		return s.reverseDatagram()
	}
	client, local := e.Peer, netip.AddrPortFrom(e.Local.Addr(), usualPort(metrics.PortOf(e.Kind)))
	switch st := s.step; {
	case st != nil && len(st.Packet) == 0:
		return d, false
	case st != nil:
		d = datagram{from: st.Local, to: netip.AddrPortFrom(st.Remote.Addr(), usualPort(e.Port)), packet: maskedPacket(st.Packet, false), servers: true, comment: s.comment()}
		if st.Kind == StepReplied {
			d.from, d.to, d.inbound = d.to, d.from, true
		}
	case !s.ended:
		d = datagram{from: client, to: local, packet: maskedPacket(s.request, s.v11), inbound: true, comment: s.comment()}
	case len(e.Reply) == 0:
		return d, false
	default:
		d = datagram{from: local, to: client, packet: maskedPacket(e.Reply, s.v11), comment: s.comment()}
	}
	return d, true
}

// comment says in words what is known of a packet.
func (s *tapEvent) comment() string {
	e := &s.event
	var list []string
	if e.Client != "" {
		list = append(list, "client "+e.Client)
	}
	if e.Number != 0 {
		list = append(list, fmt.Sprintf("request %d", e.Number))
	}
	switch st := s.step; {
	case st == nil && !s.ended:
		list = append(list, "received over RadSec, verified")
	case st == nil:
		list = append(list, "fate "+e.Fate.String())
		if e.Server != "" {
			list = append(list, fmt.Sprintf("server %s %s", e.Server, e.Port))
		}
		list = append(list, fmt.Sprintf("%.1f ms", float64(e.Duration.Microseconds())/1000))
		if text := e.unverifiedText(); text != "" {
			list = append(list, text)
		}
	case st.Kind == StepReplied:
		verified := "not verified, ignored: "
		if st.verified() {
			verified = ""
		}
		list = append(list, fmt.Sprintf("from server %s %s %s", e.Server, e.Port, st.Remote), verified+st.meaning())
	default:
		list = append(list, fmt.Sprintf("to server %s %s %s", e.Server, e.Port, st.Remote), fmt.Sprintf("transmission %d", st.Sends))
		if st.Why != "" {
			list = append(list, st.Why)
		}
	}
	return strings.Join(list, ", ")
}

// usualPort returns the UDP port of RADIUS for a server's port (RFC 2865 §3, RFC 2866 §3,
// RFC 5176 §2.3).
func usualPort(p metrics.Port) uint16 {
	switch p {
	case metrics.PortAcct:
		return 1813
	case metrics.PortCoA:
		return 3799
	}
	return 1812
}

// octets returns the packet with its headers of UDP and of IP (RFC 768, RFC 791, RFC 8200).
func (d *datagram) octets() []byte {
	from, to := d.from.Addr().Unmap(), d.to.Addr().Unmap()
	if !from.IsValid() {
		from = unspecifiedLike(to)
	}
	if !to.IsValid() {
		to = unspecifiedLike(from)
	}
	if from.Is4() != to.Is4() { // cannot be on one network; show the octets anyway
		from, to = netip.AddrFrom16(from.As16()), netip.AddrFrom16(to.As16())
	}
	length := 8 + len(d.packet)
	udp := binary.BigEndian.AppendUint16(nil, d.from.Port())
	udp = binary.BigEndian.AppendUint16(udp, d.to.Port())
	udp = binary.BigEndian.AppendUint16(udp, uint16(length))
	udp = append(udp, 0, 0)
	udp = append(udp, d.packet...)
	pseudo := append(from.AsSlice(), to.AsSlice()...)
	pseudo = append(pseudo, 0, protocolUDP, byte(length>>8), byte(length))
	if sum := checksum(pseudo, udp); sum == 0 {
		udp[6], udp[7] = 255, 255
	} else {
		binary.BigEndian.PutUint16(udp[6:], sum)
	}
	if !from.Is4() {
		ip := []byte{0x60, 0, 0, 0, byte(length >> 8), byte(length), protocolUDP, hops}
		return append(append(append(ip, from.AsSlice()...), to.AsSlice()...), udp...)
	}
	ip := []byte{0x45, 0, byte((20 + length) >> 8), byte(20 + length), 0, 0, 0, 0, hops, protocolUDP, 0, 0}
	ip = append(append(ip, from.AsSlice()...), to.AsSlice()...)
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	return append(ip, udp...)
}

const (
	protocolUDP = 17
	hops        = 64
)

// unspecifiedLike returns the unspecified address of the family of a.
func unspecifiedLike(a netip.Addr) netip.Addr {
	if a.Is6() {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// checksum returns the Internet checksum of the octets of the parts (RFC 1071), each but
// the last of even length.
func checksum(parts ...[]byte) uint16 {
	sum := uint32(0)
	for _, p := range parts {
		for i := 0; i < len(p); i += 2 {
			sum += uint32(p[i]) << 8
			if i+1 < len(p) {
				sum += uint32(p[i+1])
			}
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
