package audit

import (
	"bytes"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// reversed returns the event of a CoA-Request that a UDP server has sent, with secrets in it.
// Its NAS is not known yet.
func reversed(t testing.TB) *Event {
	t.Helper()
	s, err := wire.NewServerSecret([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	p, err := wire.NewRequest(radius.CodeCoARequest, 9).AddText(1, "bob@example.org").AddText(31, "02-00-5E-00-53-01").
		AddUserPassword([]byte(password), s).Add(26, vendor(9, 1, "psk="+psk)).AddText(44, "session-1").AddText(33, "proxy").Sign(wire.NewHasher(), s)
	if err != nil {
		t.Fatal(err)
	}
	v := new(wire.View)
	if err := v.Parse(p); err != nil {
		t.Fatal(err)
	}
	return &Event{Sender: "radius-a", From: netip.MustParseAddrPort("192.0.2.7:40007"), Kind: wire.KindCoA, Request: v, Number: 5}
}

// sent adds the NAS to an event, and returns what happens between it and the gateway.
func sent(e *Event, v11 bool) []*Step {
	e.Client, e.Peer, e.Local = "campus", netip.MustParseAddrPort("192.0.2.9:40001"), netip.MustParseAddrPort("192.0.2.1:2083")
	down := []byte{43, 3, 0, 0, 0, 0, 1, 2, 19: 7}
	up := []byte{44, 3, 0, 0, 0, 0, 1, 2, 19: 8}
	if v11 {
		down[1], up[1] = 0, 0
		down[19], up[19] = 0, 0
	}
	down = append(down, 44, 11, 's', 'e', 's', 's', 'i', 'o', 'n', '-', '1', 2, 7, 'h', 'e', 'l', 'l', 'o')
	up = append(up, 4, 6, 192, 0, 2, 4)
	down[3], up[3] = byte(len(down)), byte(len(up))
	at := func(kind StepKind, packet []byte) *Step {
		return &Step{Event: *e, Kind: kind, Local: e.Local, Remote: e.Peer, Packet: packet, Sends: 1, V11: v11, Result: metrics.ReplyAccepted}
	}
	return []*Step{at(StepSent, down), at(StepReplied, up)}
}

// answered ends an event with the NAS's answer.
func answered(e *Event) *Event {
	e.Fate, e.Reply, e.Duration = metrics.FateRelayed, append([]byte{44, 9, 0, 33, 19: 9}, 4, 6, 192, 0, 2, 4, 33, 7, 'p', 'r', 'o', 'x', 'y'), 1234*time.Microsecond
	return e
}

// refused ends an event with a NAK of the gateway, without a NAS.
func refused(e *Event) *Event {
	e.Fate, e.Reply, e.Duration = metrics.FateNoNAS, append([]byte{45, 9, 0, 26, 19: 9}, 101, 6, 0, 0, 1, 0xf6), 200*time.Microsecond
	return e
}

// afterTime returns a line without the time that it begins with.
func afterTime(line string) string {
	_, rest, _ := strings.Cut(line, " ")
	return rest
}

// The line of a CoA names its sender, and the client of its NAS if there is one.
func TestALineOfReverseCoA(t *testing.T) {
	shown := reversed(t)
	sent(shown, false)
	answered(shown)
	for _, row := range []struct {
		event *Event
		json  bool
		want  string
	}{
		{shown, false, "level=INFO msg=request sender=radius-a from=192.0.2.7:40007 client=campus peer=192.0.2.9:40001 kind=coa user=@example.org station=02-00-5e fate=relayed reply=CoA-ACK ms=1.234\n"},
		{refused(reversed(t)), false, "level=INFO msg=request sender=radius-a from=192.0.2.7:40007 kind=coa user=@example.org station=02-00-5e fate=no_nas reply=CoA-NAK error_cause=502 ms=0.200\n"},
		{refused(reversed(t)), true, `"msg":"request","sender":"radius-a","from":"192.0.2.7:40007","kind":"coa","user":"@example.org","station":"02-00-5e","fate":"no_nas","reply":"CoA-NAK","error_cause":502,"ms":0.200}` + "\n"},
	} {
		got := logged(t, func(c *Config) { c.JSON, c.User, c.Station = row.json, Cut, Cut }, row.event)
		if !strings.HasSuffix(got, row.want) || strings.Count(got, "\n") != 1 {
			t.Errorf("the line is\n%sexpected it to end with\n%s", got, row.want)
		}
	}
	got := logged(t, func(c *Config) { c.User, c.Station = None, None }, shown)
	if strings.Contains(got, "bob") || strings.Contains(got, "02-00") || strings.Contains(got, "user=") {
		t.Errorf("the line is %q, expected no name in it", got)
	}
}

// A CoA is not a login.
func TestReverseCoAIsNoTick(t *testing.T) {
	e := reversed(t)
	e.Realm = []byte("example.org")
	sent(e, false)
	if got := logged(t, func(c *Config) { c.Requests, c.Federation, c.Country = false, "eduroam", "DE" }, answered(e), refused(reversed(t))); got != "" {
		t.Errorf("it makes the tick %q, expected none", got)
	}
}

// Level debug tells the way of a CoA to its NAS and back.
func TestDebugOfReverseCoA(t *testing.T) {
	const of = " request=5 sender=radius-a from=192.0.2.7:40007 "
	const nas = "client=campus address=192.0.2.9:40001 source=192.0.2.1:2083 "
	arrived := `level=DEBUG msg="request arrived"` + of + `kind=coa identifier=9 octets=136 user=@example.org`
	for _, row := range []struct {
		found, v11 bool
		want       []string
	}{
		{true, false, []string{arrived,
			`level=DEBUG msg="request sent to the NAS"` + of + nas + `packet=CoA-Request identifier=3 octets=38`,
			`level=DEBUG msg="reply of the NAS received"` + of + nas + `packet=CoA-ACK identifier=3 octets=26 result=accepted`,
			`level=DEBUG msg="request ended"` + of + `client=campus peer=192.0.2.9:40001 kind=coa identifier=9 fate=relayed reply=CoA-ACK ms=1.234`}},
		{true, true, []string{arrived,
			`level=DEBUG msg="request sent to the NAS"` + of + nas + `packet=CoA-Request token=258 octets=38`,
			`level=DEBUG msg="reply of the NAS received"` + of + nas + `packet=CoA-ACK token=258 octets=26 result=accepted`,
			`level=DEBUG msg="request ended"` + of + `client=campus peer=192.0.2.9:40001 kind=coa identifier=9 fate=relayed reply=CoA-ACK ms=1.234`}},
		{false, false, []string{arrived,
			`level=DEBUG msg="request ended"` + of + `kind=coa identifier=9 fate=no_nas reply=CoA-NAK error_cause=502 ms=0.200`}},
	} {
		out := &safeBuffer{}
		h, end := newHub(t, out, func(c *Config) {
			c.Requests, c.User, c.Station, c.Level = false, Cut, None, func() slog.Level { return slog.LevelDebug }
		})
		playReversed(h, reversed(t), row.found, row.v11)
		end()
		var got []string
		for line := range strings.Lines(out.String()) {
			got = append(got, strings.TrimSuffix(afterTime(line), "\n"))
		}
		if strings.Join(got, "\n") != strings.Join(row.want, "\n") {
			t.Errorf("found %v, RADIUS/1.1 %v: the log has\n%s\nexpected\n%s", row.found, row.v11, strings.Join(got, "\n"), strings.Join(row.want, "\n"))
		}
	}
}

// playReversed reports a CoA from its arrival to its end.
func playReversed(h *Hub, e *Event, found, v11 bool) {
	h.Arrived(e)
	if !found {
		h.Ended(refused(e))
		return
	}
	for _, s := range sent(e, v11) {
		h.Step(s)
	}
	h.Ended(answered(e))
}

// A tap shows both sides of a CoA with their attributes, which way each packet goes, and no
// secret, also where attributes are in clear.
func TestTapShowsReverseCoA(t *testing.T) {
	arrived := `sender radius-a 192.0.2.7:40007 -> CoA-Request identifier 9, 136 octets
    User-Name = "bob@example.org"
    Calling-Station-Id = "02-00-5E-00-53-01"
    User-Password = [hidden], 32 octets
    Cisco-AVPair = [hidden], 20 octets
    Acct-Session-Id = "session-1"
    Proxy-State = 0x70726f7879
`
	attributes := `, 38 octets
    Acct-Session-Id = "session-1"
    User-Password = [hidden]`
	ended := `sender radius-a 192.0.2.7:40007 <- relayed, CoA-Request identifier 9, client campus 192.0.2.9:40001, 1.2 ms: CoA-ACK identifier 9, 33 octets
    NAS-IP-Address = 192.0.2.4
    Proxy-State = 0x70726f7879
`
	const nas = "NAS of client campus 192.0.2.9:40001 at 192.0.2.1:2083: "
	for _, row := range []struct {
		filter     string
		found, v11 bool
		want       string
	}{
		{`"count":4`, true, false, arrived +
			"sender radius-a 192.0.2.7:40007 => " + nas + "CoA-Request identifier 3" + attributes + ", 5 octets\n" +
			"sender radius-a 192.0.2.7:40007 <= " + nas + "verified, CoA-ACK identifier 3, 26 octets\n    NAS-IP-Address = 192.0.2.4\n" + ended},
		{`"count":3,"client":"campus","user":"BOB@example.org"`, true, true, // the client is not known when it arrives
			"sender radius-a 192.0.2.7:40007 => " + nas + "CoA-Request Token 258" + attributes + "\n" +
				"sender radius-a 192.0.2.7:40007 <= " + nas + "verified, CoA-ACK Token 258, 26 octets\n    NAS-IP-Address = 192.0.2.4\n" + ended},
		{`"count":2,"user":"bob@example.org"`, false, false, arrived +
			"sender radius-a 192.0.2.7:40007 <- no_nas, CoA-Request identifier 9, 0.2 ms: CoA-NAK identifier 9, 26 octets\n    Error-Cause = 502 (Proxy-Request-Not-Routable)\n"},
	} {
		h, path := socket(t)
		_, from := look(t, path, "{"+row.filter+"}")
		other := reversed(t)
		other.Request = login(t, "eve@example.org", radius.CodeAccessAccept).Request
		if row.found && row.v11 {
			h.Arrived(other)
		}
		playReversed(h, reversed(t), row.found, row.v11)
		text, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for line := range strings.Lines(string(text)) {
			if line[0] != ' ' {
				line = afterTime(line)
			}
			got.WriteString(line)
		}
		if got.String() != row.want {
			t.Errorf("%s: the tap shows\n%s\nexpected\n%s", row.filter, got.String(), row.want)
		}
	}
}

// A file of a tap has each packet of a CoA with where it comes from and goes to, in a form
// that programs decode, and no secret.
func TestPcapngOfReverseCoA(t *testing.T) {
	for _, v11 := range []bool{false, true} {
		h, path := socket(t)
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, `{"pcapng":true,"count":6}`+"\n")
		head := make([]byte, 4)
		if _, err := io.ReadFull(c, head); err != nil {
			t.Fatal(err)
		}
		playReversed(h, reversed(t), true, v11)
		playReversed(h, reversed(t), false, v11)
		rest, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		checkReversePackets(t, readPcapng(t, append(head, rest...)), v11)
		for _, hidden := range []string{password, psk, "hello"} {
			if bytes.Contains(rest, []byte(hidden)) {
				t.Errorf("RADIUS/1.1 %v: the file has %q in it", v11, hidden)
			}
		}
	}
}

func checkReversePackets(t *testing.T, got []captured, v11 bool) {
	t.Helper()
	const of = "sender radius-a 192.0.2.7:40007, "
	down := 38
	if v11 {
		down += 16 - 5 // the length of a password is hidden
	}
	want := []struct {
		from, to, comment string
		link              uint32
		flags             byte
		code              byte
		length            int
	}{
		{"192.0.2.7:40007", "0.0.0.0:3799", of + "request 5, received over UDP, verified", 1, 1, 43, 136},
		{"192.0.2.1:3799", "192.0.2.9:40001", of + "client campus, request 5, to the NAS at 192.0.2.9:40001 over RadSec", 0, 2, 43, down},
		{"192.0.2.9:40001", "192.0.2.1:3799", of + "client campus, request 5, from the NAS at 192.0.2.9:40001 over RadSec, verified", 0, 1, 44, 26},
		{"0.0.0.0:3799", "192.0.2.7:40007", of + "client campus, request 5, answer to the sender, fate relayed, 1.2 ms", 1, 2, 44, 33},
		{"192.0.2.7:40007", "0.0.0.0:3799", of + "request 5, received over UDP, verified", 1, 1, 43, 136},
		{"0.0.0.0:3799", "192.0.2.7:40007", of + "request 5, answer to the sender, fate no_nas, 0.2 ms", 1, 2, 45, 26},
	}
	if len(got) != len(want) {
		t.Fatalf("RADIUS/1.1 %v: %d packets, expected %d: %+v", v11, len(got), len(want), got)
	}
	for i, g := range got {
		w := want[i]
		if g.from.String() != w.from || g.to.String() != w.to || g.comment != w.comment || g.link != w.link || g.flags != w.flags || g.packet[0] != w.code || len(g.packet) != w.length {
			t.Errorf("RADIUS/1.1 %v, packet %d: got %v to %v, interface %d, flags %d, %q, %x; expected %+v", v11, i, g.from, g.to, g.link, g.flags, g.comment, g.packet, w)
		}
		if g.ipSum != 0 || g.udpSum != 0 {
			t.Errorf("packet %d: the checksums are off by %#x and %#x, expected 0", i, g.ipSum, g.udpSum)
		}
	}
	if token := binary.BigEndian.Uint32(got[1].packet[4:]); (token == 258) != v11 {
		t.Errorf("RADIUS/1.1 %v: the packet for the NAS has %d in the place of the Token; it is 258, and an authenticator is hidden", v11, token)
	}
}
