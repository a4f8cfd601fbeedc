package interop

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2868"
)

// refusedRequest is a request that the NAS must not get from a gateway.
type refusedRequest struct {
	name    string
	version string // "": both
	add     func(*radius.Packet)
	change  func([]byte) []byte // of the signed packet
	says    string
}

func refusedRequests() []refusedRequest {
	with := func(kind radius.Type, value string) func(*radius.Packet) {
		return func(p *radius.Packet) { toItsNAS(p); p.Add(kind, []byte(value)) }
	}
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[at] ^= 1; return b }
	}
	return []refusedRequest{
		{"Proxy-State", "", with(33, "p"), nil, "without Proxy-State"},
		{"Operator-Name", "", with(126, "1example.org"), nil, "without Operator-Name"},
		{"Operator-NAS-Identifier", "", with(241, "\x08ap"), nil, "without Operator-NAS-Identifier"},
		{"no NAS", "", nil, nil, "identifies its NAS"},
		{"another NAS", "", func(p *radius.Packet) { p.Add(32, []byte("ap-8")) }, nil, "for this NAS"},
		{"sent again", "", toItsNAS, func(b []byte) []byte { return append(b, b...) }, "sent again"},
		{"attribute too long", "", toItsNAS, func(b []byte) []byte { b[21]++; return b }, "an attribute at octet"},
		{"Length", "", toItsNAS, func(b []byte) []byte { b[2], b[3] = 0, 19; return b }, "expected a Length"},
		{"a reply to nothing", "", toItsNAS, func(b []byte) []byte { b[0] = 2; return b }, "answers no request"},
		{"Request Authenticator", "radius/1.0", toItsNAS, flip(7), "the authenticator does not verify"},
		{"Message-Authenticator", "radius/1.0", toItsNAS, func(b []byte) []byte { // whose packet is signed all the same
			p, err := radius.Parse(b, []byte("radsec"))
			if err == nil {
				p.Add(80, make([]byte, 16))
				b, err = p.Encode()
			}
			if err != nil {
				panic(err)
			}
			return b
		}, "the Message-Authenticator does not verify"},
		{"Message-Authenticator in 1.1", "radius/1.1", with(80, "0123456789abcdef"), nil, "no Message-Authenticator"},
		{"reserved octets in 1.1", "radius/1.1", toItsNAS, flip(12), "reserved fields"},
	}
}

// The NAS ends with status 1 and says why when a request is not as the gateway must send it.
func TestReverseNASRefuses(t *testing.T) {
	for _, c := range refusedRequests() {
		for _, version := range versionsByALPN {
			if c.version != "" && c.version != version {
				continue
			}
			t.Run(c.name+", "+version, func(t *testing.T) {
				t.Parallel()
				g := playGateway(t, version)
				n := startReverseNAS(t, g.port(), version, userPassword)
				g.accept()
				g.login(userPassword)
				octets := g.encode(g.request(radius.CodeDisconnectRequest, c.add))
				if c.change != nil {
					octets = c.change(octets)
				}
				g.send(octets...)
				if printed := n.end(1); !strings.Contains(printed, c.says) || !strings.Contains(printed, `"failed"`) {
					t.Errorf("the NAS printed:\n%s\nexpected %q", printed, c.says)
				}
			})
		}
	}
}

// The NAS answers wrongly when it is told to.
func TestReverseNASAnswersWrongly(t *testing.T) {
	for _, version := range versionsByALPN {
		t.Run(version, func(t *testing.T) {
			g := playGateway(t, version)
			n := startReverseNAS(t, g.port(), version, userPassword, "--count", "6", "--answer", "none,wrong-code,wrong-identifier,late,twice", "--delay", "0.05")
			g.accept()
			g.login(userPassword)
			ask := func(number byte) (*radius.Packet, []byte) {
				p := g.request(radius.CodeCoARequest, toItsNAS)
				p.Add(rfc2865.State_Type, []byte{number})
				octets := g.encode(p)
				g.send(octets...)
				return p, octets
			}
			ask(1)
			n.await("unanswered", 1)
			ask(2)
			g.read(radius.CodeDisconnectACK)
			p, _ := ask(3)
			if got, octets := g.read(radius.CodeCoAACK); got.Identifier == p.Identifier && got.Authenticator == p.Authenticator {
				t.Errorf("%x answers, expected another Identifier or Token", octets)
			}
			p, octets := ask(4)
			g.answered(radius.CodeCoAACK, p, octets)
			p, octets = ask(5)
			g.answered(radius.CodeCoAACK, p, octets)
			g.answered(radius.CodeCoAACK, p, octets)
			p, octets = ask(6)
			g.answered(radius.CodeCoAACK, p, octets)
			g.answered(radius.CodeCoAACK, p, octets)
			n.end(0)
		})
	}
}

// A wrong authenticator has the gateway close the connection, and the NAS waits for that.
func TestReverseNASAwaitsTheClose(t *testing.T) {
	g := playGateway(t, "radius/1.0")
	n := startReverseNAS(t, g.port(), "radius/1.0", userPassword, "--answer", "wrong-authenticator")
	g.accept()
	g.login(userPassword)
	p := g.request(radius.CodeCoARequest, toItsNAS)
	sent := g.encode(p)
	g.send(sent...)
	if _, octets := g.read(radius.CodeCoAACK); radius.IsAuthenticResponse(octets, sent, p.Secret) {
		t.Errorf("%x verifies", octets)
	}
	g.conn.Close()
	n.end(0)
}

// What ends the connection otherwise is wrong: a Reject, an answer that does not verify, a close.
func TestReverseNASRefusesReplies(t *testing.T) {
	for name, c := range map[string]struct {
		reply func(g *asGateway, request *radius.Packet) []byte
		says  string
	}{
		"reject":        {func(g *asGateway, p *radius.Packet) []byte { return g.encode(p.Response(radius.CodeAccessReject)) }, "got code 3"},
		"close":         {func(*asGateway, *radius.Packet) []byte { return nil }, "closed the connection"},
		"in the middle": {func(*asGateway, *radius.Packet) []byte { return []byte{2, 1, 0, 20, 0} }, "5 octets after"},
		"authenticator": {func(g *asGateway, p *radius.Packet) []byte {
			b := g.encode(p.Response(radius.CodeAccessAccept))
			b[4] ^= 1
			return b
		}, "does not verify"},
		"code": {func(g *asGateway, p *radius.Packet) []byte {
			return g.encode(p.Response(radius.CodeAccountingResponse))
		}, "answers no request"},
	} {
		t.Run(name, func(t *testing.T) {
			g := playGateway(t, "radius/1.0")
			n := startReverseNAS(t, g.port(), "radius/1.0", userPassword)
			g.accept()
			request, _ := g.read(radius.CodeAccessRequest)
			g.send(c.reply(g, request)...)
			g.conn.Close()
			if printed := n.end(1); !strings.Contains(printed, c.says) {
				t.Errorf("the NAS printed:\n%s\nexpected %q", printed, c.says)
			}
		})
	}
}

// A NAK with Request-Initiated is followed by an Access-Request with the State of the CoA-Request; what
// is hidden is reported in clear; Status-Server is sent meanwhile.
func TestReverseNASAuthorizesAgain(t *testing.T) {
	for _, version := range versionsByALPN {
		t.Run(version, func(t *testing.T) {
			g := playGateway(t, version)
			n := startReverseNAS(t, g.port(), version, userPassword, "--answer", "nak", "--error-cause", "507", "--watchdog", "0.5", "--delay", "0.8")
			g.accept()
			g.login(userPassword)
			coa := g.request(radius.CodeCoARequest, func(p *radius.Packet) {
				toItsNAS(p)
				p.Add(rfc2865.ServiceType_Type, []byte{0, 0, 0, 17})
				p.Add(rfc2865.State_Type, []byte("state"))
				addTunnelPassword(t, p, g.eleven)
			})
			sent := g.encode(coa)
			g.send(sent...)
			nak := g.answered(radius.CodeCoANAK, coa, sent)
			if !bytes.Equal(nak.Get(rfc2865.State_Type), []byte("state")) || !bytes.Equal(nak.Get(101), []byte{0, 0, 1, 251}) || len(nak.Get(6)) != 4 {
				t.Errorf("the NAK has %v", nak.Attributes)
			}
			again, _ := g.read(radius.CodeAccessRequest)
			if string(again.Get(rfc2865.State_Type)) != "state" || string(again.Get(44)) != "session-1" || again.Get(2) != nil {
				t.Errorf("the Access-Request has %v", again.Attributes)
			}
			if e := n.await("request", 1); len(e.Clear) != 1 || e.Clear[0] != [2]string{"69", hex.EncodeToString([]byte("\x01tunnelpw"))} {
				t.Errorf("the NAS says what was hidden is %q", e.Clear)
			}
			n.await("alive", 1)
		})
	}
}

// addTunnelPassword adds one with the tag 1, hidden with an authenticator of zeros unless in clear.
func addTunnelPassword(t *testing.T, p *radius.Packet, inClear bool) {
	t.Helper()
	value := []byte("tunnelpw")
	if !inClear {
		var err error
		if value, err = radius.NewTunnelPassword(value, []byte{0x80, 1}, p.Secret, make([]byte, 16)); err != nil {
			t.Fatal(err)
		}
	}
	p.Add(rfc2868.TunnelPassword_Type, append([]byte{1}, value...))
}
