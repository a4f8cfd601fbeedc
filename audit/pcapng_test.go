package audit

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// captured is a packet of a file, taken apart.
type captured struct {
	from, to      netip.AddrPort
	link          uint32
	flags         byte
	comment       string
	packet        []byte
	ipSum, udpSum uint16 // of the headers with their checksums: 0 when they are right
}

// readPcapng takes a file apart, by the draft and not by the writer's constants.
func readPcapng(t *testing.T, b []byte) (list []captured) {
	t.Helper()
	order := binary.LittleEndian
	interfaces := 0
	for i := 0; len(b) > 0; i++ {
		kind, length := order.Uint32(b), order.Uint32(b[4:])
		if length%4 != 0 || order.Uint32(b[length-4:]) != length {
			t.Fatalf("block %d: length %d is not repeated at its end", i, length)
		}
		body := b[8 : length-4]
		b = b[length:]
		switch {
		case i == 0:
			if kind != 0x0a0d0d0a || order.Uint32(body) != 0x1a2b3c4d || order.Uint16(body[4:]) != 1 {
				t.Fatalf("the file begins with a block of kind %#x", kind)
			}
		case kind == 1:
			if order.Uint16(body) != 101 {
				t.Errorf("link type %d, expected 101 (raw IP)", order.Uint16(body))
			}
			interfaces++
		case kind == 6:
			c := captured{link: order.Uint32(body)}
			n, original := order.Uint32(body[12:]), order.Uint32(body[16:])
			if n != original {
				t.Errorf("%d octets captured of %d, expected all", n, original)
			}
			c.takeApart(t, body[20:20+n])
			for options := body[20+(n+3)/4*4:]; order.Uint16(options) != 0; {
				value := options[4 : 4+order.Uint16(options[2:])]
				switch order.Uint16(options) {
				case 1:
					c.comment = string(value)
				case 2:
					c.flags = value[0] & 3
				}
				options = options[4+(len(value)+3)/4*4:]
			}
			list = append(list, c)
		default:
			t.Fatalf("block %d is of kind %#x", i, kind)
		}
	}
	if interfaces != 2 {
		t.Errorf("%d interfaces, expected 2", interfaces)
	}
	return list
}

func (c *captured) takeApart(t *testing.T, ip []byte) {
	t.Helper()
	udp, size := ip[20:], 4
	if ip[0]>>4 == 6 {
		udp, size = ip[40:], 16
		if int(binary.BigEndian.Uint16(ip[4:])) != len(udp) {
			t.Errorf("payload length %d, expected %d", binary.BigEndian.Uint16(ip[4:]), len(udp))
		}
	} else {
		if int(binary.BigEndian.Uint16(ip[2:])) != len(ip) {
			t.Errorf("total length %d, expected %d", binary.BigEndian.Uint16(ip[2:]), len(ip))
		}
		c.ipSum = onesSum(ip[:20])
	}
	addresses := ip[len(ip)-len(udp)-2*size : len(ip)-len(udp)]
	from, _ := netip.AddrFromSlice(addresses[:size])
	to, _ := netip.AddrFromSlice(addresses[size:])
	c.from, c.to = netip.AddrPortFrom(from, binary.BigEndian.Uint16(udp)), netip.AddrPortFrom(to, binary.BigEndian.Uint16(udp[2:]))
	c.packet = udp[8:]
	pseudo := append(bytes.Clone(addresses), 0, 17, udp[4], udp[5])
	c.udpSum = onesSum(append(pseudo, udp...))
}

// onesSum returns the complement of the sum in ones' complement: 0 of what has a right
// checksum in it.
func onesSum(b []byte) uint16 {
	if len(b)%2 != 0 {
		b = append(b, 0)
	}
	sum := 0
	for i := 0; i < len(b); i += 2 {
		sum += int(b[i])<<8 | int(b[i+1])
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// A tap in pcapng has the packets of both sides with addresses, directions, comments and
// right checksums, and no secret.
//
// Fault O6.
func TestTapWritesPcapng(t *testing.T) {
	h, path := socket(t)
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, `{"pcapng":true,"count":6}`+"\n")
	head := make([]byte, 4)
	if _, err := io.ReadFull(c, head); err != nil || !IsPcapng(head) {
		t.Fatalf("the tap begins with %q (%v), expected pcapng", head, err)
	}
	e := login(t, "bob@example.org", radius.CodeAccessReject)
	e.Number, e.Local = 12, netip.MustParseAddrPort("192.0.2.1:2083")
	e.Fate, e.Unverified, e.UnverifiedWhy, e.UnverifiedFrom = metrics.FateServerUnverified, 1, metrics.ReplyBadResponseAuthenticator, "radius-a"
	h.Arrived(e)
	for _, s := range steps(e) {
		h.Step(s)
	}
	h.Ended(e)
	rest, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	file := append(head, rest...)
	for _, hidden := range []string{password, psk, "chap-password-of", "MS-CHAP", "gtc-pwd"} {
		if bytes.Contains(file, []byte(hidden)) {
			t.Errorf("the file has %q in it", hidden)
		}
	}
	want := []struct {
		from, to, comment string
		link              uint32
		flags             byte
	}{
		{"192.0.2.9:40001", "192.0.2.1:1812", "client campus, request 12, received over RadSec, verified", 0, 1},
		{"192.0.2.1:40002", "192.0.2.7:1812", "client campus, request 12, to server radius-a auth 192.0.2.7:11812, transmission 1, the only server of its route", 1, 2},
		{"192.0.2.7:1812", "192.0.2.1:40002", "client campus, request 12, from server radius-a auth 192.0.2.7:11812, not verified, ignored: wrong Response Authenticator: the server has another secret, or answers another request", 1, 1},
		{"192.0.2.1:40002", "192.0.2.7:1812", "client campus, request 12, to server radius-a auth 192.0.2.7:11812, transmission 2", 1, 2},
		{"192.0.2.7:1812", "192.0.2.1:40002", "client campus, request 12, from server radius-a auth 192.0.2.7:11812, verified", 1, 1},
		{"192.0.2.1:1812", "192.0.2.9:40001", "client campus, request 12, fate server_unverified, server radius-a auth, 1.2 ms, 1 replies did not verify, the last from radius-a: wrong Response Authenticator: the server has another secret, or answers another request", 0, 2},
	}
	got := readPcapng(t, file)
	if len(got) != len(want) {
		t.Fatalf("%d packets, expected %d: %+v", len(got), len(want), got)
	}
	for i, g := range got {
		w := want[i]
		if g.from.String() != w.from || g.to.String() != w.to || g.comment != w.comment || g.link != w.link || g.flags != w.flags {
			t.Errorf("packet %d: got %v to %v, interface %d, flags %d, %q; expected %+v", i, g.from, g.to, g.link, g.flags, g.comment, w)
		}
		if g.ipSum != 0 || g.udpSum != 0 {
			t.Errorf("packet %d: the checksums of IP and UDP are off by %#x and %#x, expected 0", i, g.ipSum, g.udpSum)
		}
	}
	if len(got[0].packet) != len(e.Request.Packet) {
		t.Errorf("a masked request has %d octets, expected %d as before", len(got[0].packet), len(e.Request.Packet))
	}
}

// A masked packet has the same attributes in the same places; values are there or zero.
func TestMaskedPacket(t *testing.T) {
	p := login(t, "bob@example.org", radius.CodeAccessAccept).Request.Packet
	q := maskedPacket(p, false)
	var v wire.View
	if err := v.Parse(q); err != nil || len(q) != len(p) {
		t.Fatalf("masking changes the length from %d to %d, or the form: %v", len(p), len(q), err)
	}
	for off := 20; off < len(p); off += int(p[off+1]) {
		value, now := p[off+2:off+int(p[off+1])], q[off+2:off+int(p[off+1])]
		want := bytes.Clone(value)
		switch p[off] {
		case 2, 3, 80:
			clear(want)
		case 26:
			if binary.BigEndian.Uint32(value) != 311 || value[4] != 10 { // DOMAIN may be shown
				clear(want[6:])
			}
		case 79:
			clear(want[5:])
		}
		if !bytes.Equal(now, want) {
			t.Errorf("attribute %d: got %x, expected %x", p[off], now, want)
		}
	}
	// EAP whose data is public is there as a whole, also in further attributes.
	tls := append([]byte{2, 1, 0, 40, 0, 0, 0, 0}, make([]byte, 12)...)
	tls = append(tls, 79, 12, 2, 9, 0, 20, 13, 0, 'h', 'e', 'l', 'l', 79, 8, 'o', '-', 't', 'l', 's', '!')
	tls[3] = byte(len(tls))
	if got := maskedPacket(tls, false); !bytes.Equal(got[20:], tls[20:]) {
		t.Errorf("EAP-TLS: got %x, expected it as it was", got[20:])
	}
	gtc := bytes.Clone(tls)
	gtc[26] = 6
	if got := maskedPacket(gtc, false); bytes.Contains(got, []byte("hell")) || bytes.Contains(got, []byte("tls!")) {
		t.Errorf("EAP-GTC: got %x, expected no data in it", got[20:])
	}
	// Of what is malformed nothing but the header is there.
	if got := maskedPacket(append(bytes.Clone(p[:20]), "secret"...), false); !bytes.Equal(got[20:], make([]byte, 6)) {
		t.Errorf("a malformed packet: got %x, expected zeros after the header", got)
	}
	// The authenticator of what is computed with the secret is not there.
	reply := []byte{2, 1, 0, 20, 19: 9}
	if got := maskedPacket(reply, false); got[19] != 0 {
		t.Errorf("a reply's authenticator: got %x, expected zeros", got[4:20])
	}
}

// In RADIUS/1.1 a password is not padded: its length is that of every password.
func TestMaskedPassword11(t *testing.T) {
	p := append([]byte{1, 0, 0, 0, 0, 0, 0, 9}, make([]byte, 12)...)
	p = append(p, 1, 5, 'b', 'o', 'b', 2, 6, 'p', 'w', 'd', '!', 32, 4, 'a', 'p')
	p[3] = byte(len(p))
	got := maskedPacket(p, true)
	want := append(append(bytes.Clone(p[:25]), 2, 18), make([]byte, 16)...)
	want = append(want, p[31:]...)
	want[3] = byte(len(want))
	if !bytes.Equal(got, want) {
		t.Errorf("got %x, expected %x", got, want)
	}
}

// Addresses of IPv6, and those that are not known.
func TestPcapngAddresses(t *testing.T) {
	for _, row := range []struct{ from, to, wantFrom, wantTo string }{
		{"[2001:db8::1]:4000", "[2001:db8::2]:1812", "[2001:db8::1]:4000", "[2001:db8::2]:1812"},
		{"[::ffff:192.0.2.1]:4000", "192.0.2.2:1812", "192.0.2.1:4000", "192.0.2.2:1812"},
		{"", "[2001:db8::2]:1812", "[::]:0", "[2001:db8::2]:1812"},
		{"192.0.2.1:4000", "", "192.0.2.1:4000", "0.0.0.0:0"},
		{"", "", "0.0.0.0:0", "0.0.0.0:0"},
	} {
		d := datagram{packet: []byte{1, 2, 0, 21, 20: 3}}
		if row.from != "" {
			d.from = netip.MustParseAddrPort(row.from)
		}
		if row.to != "" {
			d.to = netip.MustParseAddrPort(row.to)
		}
		var c captured
		c.takeApart(t, d.octets())
		if c.from.String() != row.wantFrom || c.to.String() != row.wantTo || c.ipSum != 0 || c.udpSum != 0 {
			t.Errorf("%s to %s: got %v to %v, checksums off by %#x and %#x", row.from, row.to, c.from, c.to, c.ipSum, c.udpSum)
		}
	}
}

// The text of a tap has both sides, and why a reply was ignored.
//
// Fault O6.
func TestTapShowsServers(t *testing.T) {
	h, path := socket(t)
	_, from := look(t, path, `{"client":"campus","count":5}`)
	e := login(t, "bob@example.org", radius.CodeAccessAccept)
	for _, s := range steps(e) {
		h.Step(s)
	}
	text, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		" campus 192.0.2.9:40001 => server radius-a auth 192.0.2.7:11812 from 192.0.2.1:40002: Access-Request identifier 44, 243 octets (the only server of its route)\n",
		" <= server radius-a auth 192.0.2.7:11812 from 192.0.2.1:40002: ignored, wrong Response Authenticator: the server has another secret, or answers another request: Access-Accept identifier 44, 20 octets\n",
		" octets, again, transmission 2\n",
		" moves on from server radius-a auth 192.0.2.7:11812 from 192.0.2.1:40002: the server is failing\n",
		" Access-Accept identifier 44, 20 octets, verified\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the tap shows\n%s\nexpected %q in it", text, want)
		}
	}
}
