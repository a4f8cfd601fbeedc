package detail

import (
	"bytes"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"radsec-gw/interop/testbed"
	"radsec-gw/spool/detail"
)

// sent are requests for radclient, with what a Reader has to make of them.
var sent = []struct {
	text    string
	packet  []byte
	skipped []string
}{
	{
		`User-Name = "bob@example.org"
Acct-Status-Type = Start
Acct-Session-Id = "5F3A"
NAS-IP-Address = 192.0.2.1
NAS-IPv6-Address = 2001:db8::1
NAS-Port = 7
NAS-Port-Type = Wireless-802.11
Service-Type = Framed-User
Framed-Protocol = PPP
Framed-IP-Address = 198.51.100.7
Framed-IPv6-Prefix = 2001:db8:7::/64
Framed-Interface-Id = 0:0:fe:1
Calling-Station-Id = "02-00-00-00-00-01"
Called-Station-Id = "02-00-00-00-00-02:eduroam"
Acct-Authentic = RADIUS
Event-Timestamp = 1782907198
Tunnel-Type:1 = VLAN
Tunnel-Medium-Type:1 = IEEE-802
Tunnel-Private-Group-Id:1 = "120"
Tunnel-Type = L2TP
Tunnel-Private-Group-Id = "130"
Class = 0x0a1b00
Cisco-AVPair = "audit-session-id=1"
Attr-200 = 0x0102
Attr-26.99999.3 = 0x04
`,
		packetOf(attr(1, "bob@example.org"), attr(40, []byte{0, 0, 0, 1}), attr(44, "5F3A"), attr(4, []byte{192, 0, 2, 1}),
			attr(95, netip.MustParseAddr("2001:db8::1").AsSlice()), attr(5, []byte{0, 0, 0, 7}), attr(61, []byte{0, 0, 0, 19}), attr(6, []byte{0, 0, 0, 2}),
			attr(7, []byte{0, 0, 0, 1}), attr(8, []byte{198, 51, 100, 7}), attr(97, []byte{0, 64, 0x20, 1, 0x0d, 0xb8, 0, 7, 0, 0}),
			attr(96, []byte{0, 0, 0, 0, 0, 0xfe, 0, 1}), attr(31, "02-00-00-00-00-01"), attr(30, "02-00-00-00-00-02:eduroam"), attr(45, []byte{0, 0, 0, 1}),
			attr(55, []byte{0x6a, 0x45, 0x01, 0x3e}), attr(64, []byte{1, 0, 0, 13}), attr(65, []byte{1, 0, 0, 6}), attr(81, "\x01120"),
			attr(64, []byte{0, 0, 0, 3}), attr(81, "130"), attr(25, "\x0a\x1b\x00"), vendorAttr(9, 1, "audit-session-id=1"), attr(200, "\x01\x02"),
			vendorAttr(99999, 3, "\x04")), nil,
	},
	{
		`User-Name = "bo\"b\\ \001\377 é"
Acct-Status-Type = Interim-Update
Acct-Session-Id = "5F3B"
NAS-IP-Address = 192.0.2.1
Aruba-User-Role = "staff"
Tunnel-Password = "in clear"
`,
		packetOf(attr(1, "bo\"b\\ \x01\xff é"), attr(40, []byte{0, 0, 0, 3}), attr(44, "5F3B"), attr(4, []byte{192, 0, 2, 1})),
		[]string{"Aruba-User-Role", "Tunnel-Password"},
	},
}

// A Reader understands what FreeRADIUS has written of requests that radclient sent, by the default
// configuration of its modules, in a time zone of its own. What is not carried over is named.
// Rules: SP14
func TestReaderReadsFreeRADIUS(t *testing.T) {
	s, port := receive(t, "Europe/Berlin")
	before := time.Now().Truncate(time.Second)
	for _, c := range sent {
		radclient(t, port, c.text)
	}
	text := s.written(t)
	for _, own := range []string{"Acct-Unique-Session-Id = ", "Event-Timestamp = \"Jul  1 2026 13:59:58 CEST\"", "Service-Type = Framed-User"} {
		if !strings.Contains(string(text), own) {
			t.Errorf("the test shows less than it should: FreeRADIUS has not written %s in\n%s", own, text)
		}
	}
	got := parse(t, text)
	if len(got) != len(sent) {
		t.Fatalf("expected %d records, got %d of\n%s", len(sent), len(got), text)
	}
	for i, c := range sent {
		compareWritten(t, c.packet, c.skipped, got[i])
		if got[i].Arrived.Before(before) || got[i].Arrived.After(time.Now()) {
			t.Errorf("expected a record that has arrived now, got %v", got[i].Arrived)
		}
	}
}

// compareWritten compares a record that FreeRADIUS has written with what was sent, and the names
// of what was skipped.
func compareWritten(t *testing.T, packet []byte, skipped []string, got *detail.Record) {
	t.Helper()
	var names []string
	for _, s := range got.Skipped {
		names = append(names, strings.Split(s, `"`)[1])
	}
	if !slices.Equal(names, skipped) {
		t.Errorf("expected skipped %q, got %q", skipped, got.Skipped)
	}
	// The module preprocess adds an Event-Timestamp to a record without one.
	all := attributesOf(got.Packet)
	if !bytes.Contains(packet, []byte{55, 6}) {
		all = slices.DeleteFunc(all, func(a []byte) bool { return a[0] == 55 })
	}
	if want := attributesOf(packet); !bytes.Equal(bytes.Join(want, nil), bytes.Join(all, nil)) {
		t.Errorf("expected the attributes\n%x, got\n%x", want, all)
	}
}

// radclient sends requests, and waits for the answers.
func radclient(t *testing.T, port int, requests string) {
	t.Helper()
	cmd := exec.Command("radclient", "-t", "5", "-r", "3", "-f", "-", "127.0.0.1:"+strconv.Itoa(port), "acct", secret)
	cmd.Stdin = strings.NewReader(requests)
	if r := testbed.Run(testbed.Patience, cmd); r.Status != 0 {
		t.Fatalf("radclient: status %d: %s; it was to send\n%s", r.Status, r.Output, requests)
	}
}
