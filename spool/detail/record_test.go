package detail

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"radsec-gw/wire"
)

// Every kind of line as FreeRADIUS 3.2.1 reads it. Hidden attributes, the malformed included, are
// notes.
// Rules: SP12, SP14
func TestAppend(t *testing.T) {
	r := &Record{
		Arrived: time.Date(2026, 11, 8, 7, 12, 53, 123456789, time.FixedZone("", 3600)),
		Client:  `cam"pus`,
		Address: netip.MustParseAddrPort("192.0.2.7:40123"),
		Packet: packetOf(
			attr(1, "b\"o\\b\t%{x}\x00\xff é"), attr(40, []byte{0, 0, 0, 3}), attr(4, []byte{192, 0, 2, 1}),
			attr(5, []byte{0, 0, 1}), attr(25, "\x0a\x1b"), attr(25, ""), attr(55, []byte{0x6b, 0x09, 0x31, 0x45}),
			attr(64, []byte{1, 0, 0, 13}), attr(64, []byte{0x20, 0, 0, 13}), attr(81, "\x0110"), attr(81, "10"), attr(81, "\x0010"),
			attr(97, []byte{0, 32, 0x20, 1, 0x0d, 0xb8}), attr(97, []byte{0, 32, 0x20, 1, 0x0d, 0xb8, 0, 0}),
			attr(96, []byte{0, 0, 0, 0, 0, 0xfe, 0, 1}), attr(168, netip.MustParseAddr("2001:db8::1").AsSlice()),
			attr(69, "\x01\x80\x00ciphertext-of-16"), attr(200, "\x01"), attr(0, "x"), attr(103, "response"),
			vendorAttr(9, 1, "a=b"), vendorAttr(99999, 3, "\x01"), vendorAttr(429, 3, "\x01"), attr(26, "\x00\x00"),
			vendorAttr(311, 16, "\x80\x00ciphertext-of-16"), attr(241, []byte{3, 0, 0, 16, 0}), attr(245, []byte{1, 0, 'x'}),
		),
	}
	copy(r.Packet[4:], "0123456789abcdef")
	want := `Sun Nov  8 06:12:53 2026
# Radsec-Gw-Arrived = 2026-11-08T06:12:53.123456789Z
# Radsec-Gw-Client = "cam\"pus"
# Radsec-Gw-Address = "192.0.2.7:40123"
# Radsec-Gw-Authenticator = 0x30313233343536373839616263646566
	User-Name = "b\"o\\b\t\045{x}\000\377 é"
	Acct-Status-Type = Interim-Update
	NAS-IP-Address = 192.0.2.1
	Attr-5 = 0x000001
	Class = 0x0a1b
	Class = 0x
	Event-Timestamp = 1795764549
	Tunnel-Type:1 = 13
	Attr-64 = 0x2000000d
	Tunnel-Private-Group-Id:1 = "10"
	Tunnel-Private-Group-Id = "10"
	Attr-81 = 0x003130
	Framed-IPv6-Prefix = 2001:db8::/32
	Attr-97 = 0x002020010db80000
	Framed-Interface-Id = 0:0:fe:1
	Framed-IPv6-Address = 2001:db8::1
# Radsec-Gw-Attribute = 0x4515018000636970686572746578742d6f662d3136
	Attr-200 = 0x01
# Radsec-Gw-Attribute = 0x000378
	Attr-103 = 0x726573706f6e7365
	Cisco-AVPair = "a=b"
	Attr-26.99999.3 = 0x01
	Attr-26 = 0x000001ad030301
	Attr-26 = 0x0000
# Radsec-Gw-Attribute = 0x1a1a0000013710148000636970686572746578742d6f662d3136
	Response-Length = 4096
	Attr-245 = 0x010078
	Timestamp = 1794118373

`
	if got := string(r.Append(nil)); got != want {
		t.Errorf("expected\n%s\ngot\n%s", want, got)
	}
	sameRecord(t, r, readAll(t, r.Append(nil))[0])
}

// What is not known is not written.
func TestAppendUnknown(t *testing.T) {
	r := &Record{Client: strings.Repeat("x", maxClient+1), Packet: packetOf()}
	if got, want := string(r.Append([]byte("before\n"))), "before\nThu Jan  1 00:00:00 1970\n\tTimestamp = 0\n\n"; got != want {
		t.Errorf("expected\n%s\ngot\n%s", want, got)
	}
	r.Client = ""
	sameRecord(t, r, readAll(t, r.Append(nil))[0])
	for name, packet := range map[string][]byte{
		"no packet":         nil,
		"an Access-Request": append([]byte{1}, packetOf()[1:]...),
		"a packet cut off":  packetOf(attr(1, "bob"))[:23],
	} {
		if got := (&Record{Packet: packet}).Append(nil); got != nil {
			t.Errorf("%s: expected nothing, got %q", name, got)
		}
	}
}

// Records come back as they were, one after the other, and no line is longer than FreeRADIUS
// reads.
// Rules: SP12, SP14
func TestRoundTrip(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	m := newMaker(seed)
	const longest = 2047
	for range 300 {
		var text []byte
		var records []*Record
		for range 5 {
			records = append(records, m.record())
			text = records[len(records)-1].Append(text)
		}
		for line := range bytes.Lines(text) {
			if len(line) > longest {
				t.Errorf("expected lines of at most %d bytes, got %d: %s", longest, len(line), line)
			}
		}
		got := readAll(t, text)
		if len(got) != len(records) {
			t.Fatalf("expected %d records, got %d:\n%s", len(records), len(got), text)
		}
		for i, want := range records {
			sameRecord(t, want, got[i])
			if len(got[i].Skipped) > 0 {
				t.Errorf("expected no attribute skipped, got %q", got[i].Skipped)
			}
		}
		if t.Failed() {
			t.Fatalf("of the text\n%s", text)
		}
	}
}

// No ciphertext is written under the name of its attribute, nor where FreeRADIUS would decode it.
// Rules: SP4, SP14
func TestHiddenIsANote(t *testing.T) {
	m := newMaker(1)
	for _, a := range m.known {
		if a.Hidden == 0 || a.Sub != 0 {
			continue
		}
		value := []byte("leap:session-key=ciphertext-of-an-attribute-that-is-hidden-here")
		whole := attr(byte(a.Number), value)
		if a.Vendor != 0 {
			whole = vendorAttr(a.Vendor, byte(a.Number), value)
		}
		if a.Vendor != 0 && layoutOf(a.Vendor) != layout11 {
			head := layoutOf(a.Vendor).appendHead([]byte{byte(a.Vendor >> 24), byte(a.Vendor >> 16), byte(a.Vendor >> 8), byte(a.Vendor)}, uint32(a.Number), len(value))
			whole = attr(26, append(head, value...))
		}
		text := string((&Record{Packet: packetOf(whole)}).Append(nil))
		if lines := strings.Split(text, "\n"); !strings.HasPrefix(lines[1], "# Radsec-Gw-Attribute = 0x") || lines[2] != "\tTimestamp = 0" {
			t.Errorf("%s: expected a note, got\n%s", a.Name, text)
		}
	}
}

// The longest text of a packet is short enough for a Reader: that of as many empty attributes as
// it can have, of any type, and that of values that are octal digits only.
// Rules: SP14
func TestLongest(t *testing.T) {
	longest := 0
	for _, a := range newMaker(1).known {
		for _, value := range []string{"", strings.Repeat("\xff", maxValue)} {
			if a.Vendor != 0 {
				continue
			}
			packet := packetOf()
			for len(packet)+2+len(value) <= wire.MaxLength {
				packet = append(packet, attr(byte(a.Number), value)...)
			}
			packet[2], packet[3] = byte(len(packet)>>8), byte(len(packet))
			r := &Record{Packet: packet, Client: strings.Repeat("\xff", maxClient)}
			text := r.Append(nil)
			longest = max(longest, len(text))
			sameRecord(t, r, readAll(t, text)[0])
		}
	}
	if longest > maxRecord/2 {
		t.Errorf("the longest record has %d bytes, expected at most half of what a Reader accepts", longest)
	}
}
