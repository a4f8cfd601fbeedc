package detail

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// What FreeRADIUS 3.2.1 wrote of requests that it received, in Berlin: log_packet_header was on for the first. The second is
// marked as done.
const written = `Wed Jul  1 14:00:00 2026
	Packet-Type = Accounting-Request
	Packet-Src-IP-Address = 192.0.2.7
	Packet-Dst-IP-Address = 192.0.2.8
	Packet-Src-Port = 40123
	Packet-Dst-Port = 1813
	User-Name = "bob\303\251 100% \"x\""
	Acct-Status-Type = Interim-Update
	Service-Type = Framed-User
	NAS-Port-Type = Wireless-802.16
	Event-Timestamp = "Jul  1 2026 13:59:58 CEST"
	Acct-Terminate-Cause = Supplicant-Restart
	Tunnel-Type:0 = VLAN
	Tunnel-Type:0 = 536870925
	Tunnel-Medium-Type:1 = IEEE-802
	Tunnel-Private-Group-Id:0 = "10"
	Tunnel-Private-Group-Id:1 = "20"
	Framed-IPv6-Prefix = 2001:db8::/64
	Class = 0x0a
	Attr-26.99999.3 = 0x010203
	Attr-245.1 = 0x41
	Aruba-User-Role = "staff"
	NAS-Port-Type = Teleport
	Tunnel-Password:1 = "in clear"
	Digest-Response = "not 103"
	Acct-Unique-Session-Id = "b9b3f4dbd6b8f0c9"
	Stripped-User-Name = "bob"
	Tmp-String-0 = "x"
	Request-Authenticator = Verified
	Freeradius-Proxied-To = 127.0.0.1
	Timestamp = 1782907200

Wed Jul  1 14:00:01 2026
	User-Name = "done"
	Donestamp = 1782907201

Wed Jul  1 14:00:02 2026
	User-Name = "alice"
	Packet-Src-IPv6-Address = 2001:db8::7
	Timestamp = 1782907202

`

// Attributes come back from what FreeRADIUS wrote; what is only its own does not, and what cannot
// is named.
// Rules: SP14
func TestParseFreeRADIUS(t *testing.T) {
	got := readAll(t, []byte(written))
	if len(got) != 2 {
		t.Fatalf("expected 2 records, because one is done, got %d", len(got))
	}
	sameRecord(t, &Record{
		Arrived: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), Address: netip.MustParseAddrPort("192.0.2.7:40123"),
		Packet: packetOf(attr(1, `bobé 100% "x"`), attr(40, []byte{0, 0, 0, 3}), attr(6, []byte{0, 0, 0, 2}), attr(61, []byte{0, 0, 0, 27}),
			attr(55, []byte{0x6a, 0x45, 0x01, 0x3e}), attr(49, []byte{0, 0, 0, 19}), attr(64, []byte{0, 0, 0, 13}), attr(64, []byte{32, 0, 0, 13}), attr(65, []byte{1, 0, 0, 6}),
			attr(81, "10"), attr(81, "\x0120"), attr(97, "\x00\x40\x20\x01\x0d\xb8\x00\x00\x00\x00"), attr(25, "\x0a"),
			vendorAttr(99999, 3, "\x01\x02\x03"), attr(245, "\x01\x00A")),
	}, got[0])
	want := []string{
		`line 22: "Aruba-User-Role": not in the dictionary`,
		`line 23: "NAS-Port-Type": expected a number, or a value's name that is in the dictionary, got "Teleport"`,
		`line 24: "Tunnel-Password": hidden in packets, and in clear here`,
		`line 25: "Digest-Response": not in the dictionary`,
	}
	if !slices.Equal(got[0].Skipped, want) {
		t.Errorf("expected skipped\n%s\ngot\n%s", strings.Join(want, "\n"), strings.Join(got[0].Skipped, "\n"))
	}
	sameRecord(t, &Record{
		Arrived: time.Date(2026, 7, 1, 12, 0, 2, 0, time.UTC), Address: netip.MustParseAddrPort("[2001:db8::7]:0"), Packet: packetOf(attr(1, "alice")),
	}, got[1])
}

// Of a record without Timestamp the first line is all that is known, and taken as UTC. Notes come first. A note of
// another version is named.
func TestParseTimes(t *testing.T) {
	for _, c := range []struct {
		text string
		want time.Time
		skip int
	}{
		{"", time.Date(2026, 11, 8, 7, 12, 53, 0, time.UTC), 0},
		{"\tTimestamp = 1782907200\n", time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), 0},
		{"\tTimestamp = 0\n", time.Time{}, 0},
		{"# Radsec-Gw-Arrived = 2026-07-01T12:00:00.5Z\n\tTimestamp = 1\n", time.Date(2026, 7, 1, 12, 0, 0, 5e8, time.UTC), 0},
		{"# Radsec-Gw-Route = \"x\"\n", time.Date(2026, 11, 8, 7, 12, 53, 0, time.UTC), 1},
	} {
		got := readAll(t, []byte(header+c.text+"\n"))[0]
		if !got.Arrived.Equal(c.want) || len(got.Skipped) != c.skip {
			t.Errorf("%q: expected %v and %d skipped, got %v and %q", c.text, c.want, c.skip, got.Arrived, got.Skipped)
		}
	}
}

// A hidden attribute is carried over from a note only, in whatever form it is written.
// Rules: SP4, SP14
func TestParseHidden(t *testing.T) {
	for _, line := range []string{
		`Tunnel-Password = "x"`, `Tunnel-Password:77 = "x"`, `Attr-69 = 0x0102`, `User-Password = "x"`, `Attr-2 = 0x00`,
		`Cisco-AVPair = "leap:session-key=x"`, `MS-MPPE-Send-Key = 0x01`, `Attr-26.311.16 = 0x01`, `Attr-26 = 0x00000137100301`,
	} {
		r := readAll(t, []byte(header+"\t"+line+"\n\n"))[0]
		if len(r.Packet) != len(packetOf()) || len(r.Skipped) != 1 || !strings.Contains(r.Skipped[0], "hidden in packets") {
			t.Errorf("%s: expected it skipped, got the packet %x and skipped %q", line, r.Packet, r.Skipped)
		}
	}
	r := readAll(t, []byte(header+"# Radsec-Gw-Attribute = 0x45050180ff\n\n"))[0]
	sameRecord(t, &Record{Arrived: r.Arrived, Packet: packetOf(attr(69, "\x01\x80\xff"))}, r)
}
