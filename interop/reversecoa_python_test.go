package interop

import (
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"radsec-gw/probe"
)

// The server knows nothing but the Acct-Session-Id, and the NAS of reversenas.py is asked on the
// connection that it has opened; its answer verifies under the server's secret. After its
// Accounting-Stop there is no such session.
// Rules: RC4, RC8, RC9, RC12, RC16, RC20
func TestReverseCoAByPython(t *testing.T) {
	for _, version := range versionsByALPN {
		t.Run(version, func(t *testing.T) {
			b := startReverseBed(t, withReverseCoA)
			n := startReverseNAS(t, b.radsec, version, userPassword, "--count", "2")
			n.await("started", 1)
			if e := n.await("connected", 1); e.Version != version {
				t.Errorf("the NAS speaks %q, expected %q", e.Version, version)
			}
			for i, code := range []radius.Code{radius.CodeDisconnectRequest, radius.CodeCoARequest} {
				reply := b.exchange(b.bySession(code))
				if reply.Code != code+1 || len(reply.Get(101)) != 0 {
					t.Errorf("the server got %v %v, expected %v", reply.Code, reply.Attributes, code+1)
				}
				e := n.await("request", i+1)
				if e.Code != code || !e.Verified || !e.has(rfc2866.AcctSessionID_Type, "session-1") {
					t.Errorf("the NAS got %+v", e)
				}
				if !e.has(rfc2865.NASIdentifier_Type, "ap-7") && !e.has(rfc2865.NASIPAddress_Type, "\xc0\x00\x02\x07") {
					t.Errorf("the request does not name its NAS: %+v", e)
				}
			}
			n.stop()
			n.await("stopped", 1)
			b.stopped()
			b.unroutable(b.bySession(radius.CodeDisconnectRequest))
			n.end(0)
			if e := n.await("ended", 1); e.Requests != 2 {
				t.Errorf("the NAS got %d requests, expected 2", e.Requests)
			}
		})
	}
}

// The sender's Proxy-State stays at the gateway and returns exactly, Operator-Name does not reach the NAS,
// State does, and what is hidden is hidden for the NAS.
// Rules: RC4, RC13, RC14, RC15
func TestReverseCoAAttributesByPython(t *testing.T) {
	for _, version := range versionsByALPN {
		t.Run(version, func(t *testing.T) {
			b := startReverseBed(t, withReverseCoA)
			n := startReverseNAS(t, b.radsec, version, userPassword) // which refuses Proxy-State and Operator-Name
			n.await("started", 1)
			coa := b.bySession(radius.CodeCoARequest)
			probe.AddMessageAuthenticator(coa)
			coa.Add(rfc2865.ProxyState_Type, []byte{0, 1})
			coa.Add(rfc2865.State_Type, []byte("a state"))
			coa.Add(126, []byte("1example.org"))
			addTunnelPassword(t, coa, false)
			coa.Add(rfc2865.ProxyState_Type, []byte("second"))
			reply := b.exchange(coa)
			states, err := rfc2865.ProxyState_Gets(reply)
			if want := [][]byte{{0, 1}, []byte("second")}; err != nil || reply.Code != radius.CodeCoAACK || fmt.Sprint(states) != fmt.Sprint(want) {
				t.Errorf("got code %v with the Proxy-States %q, expected a CoA-ACK with %q", reply.Code, states, want)
			}
			e := n.await("request", 1)
			if want := [][2]string{{"69", "0174756e6e656c7077"}}; !e.has(rfc2865.State_Type, "a state") || !slices.Equal(e.Clear, want) {
				t.Errorf("the NAS got %+v, expected the State and %q", e, want)
			}
			n.end(0)
		})
	}
}

// A NAS that has sent nothing yet is known by its configured name. The names that Operator-Name and
// Operator-NAS-Identifier give are for the gateway only, and the NAS gets its own.
// Rules: RC8, RC14
func TestReverseCoAByNameByPython(t *testing.T) {
	for _, version := range versionsByALPN {
		t.Run(version, func(t *testing.T) {
			b := startReverseBed(t, withReverseCoA+"\nnas_identifier = [\"ap-7\"]")
			n := startReverseNAS(t, b.radsec, version, "", "--user", "", "--session-id", "", "--watchdog", "1")
			n.await("alive", 1) // so the gateway has the connection
			disconnect := b.by(radius.CodeDisconnectRequest, "a session of before")
			disconnect.Add(126, []byte("1example.org"))
			disconnect.Add(241, []byte("\x08ap-7"))
			if reply := b.exchange(disconnect); reply.Code != radius.CodeDisconnectACK {
				t.Errorf("the server got %v %v, expected a Disconnect-ACK", reply.Code, reply.Attributes)
			}
			if e := n.await("request", 1); !e.has(rfc2865.NASIdentifier_Type, "ap-7") || !e.has(rfc2866.AcctSessionID_Type, "a session of before") {
				t.Errorf("the NAS got %+v", e)
			}
			n.end(0)
		})
	}
}

// A NAK arrives with its Error-Cause. That of an Authorize-Only has the Service-Type and the State, and
// the Access-Request that follows is accepted.
// Rules: RC16
func TestReverseNAKByPython(t *testing.T) {
	for _, version := range versionsByALPN {
		t.Run(version, func(t *testing.T) {
			b := startReverseBed(t, withReverseCoA)
			n := startReverseNAS(t, b.radsec, version, userPassword, "--answer", "nak", "--error-cause", "503")
			n.await("started", 1)
			if reply := b.exchange(b.bySession(radius.CodeDisconnectRequest)); reply.Code != radius.CodeDisconnectNAK || errorCause(reply) != 503 {
				t.Errorf("got %v %v, expected a Disconnect-NAK with Error-Cause 503", reply.Code, reply.Attributes)
			}
			n.end(0)

			n = startReverseNAS(t, b.radsec, version, userPassword, "--answer", "nak", "--error-cause", "507", "--session-id", "session-2")
			n.await("started", 1)
			coa := b.by(radius.CodeCoARequest, "session-2")
			coa.Add(rfc2865.ServiceType_Type, []byte{0, 0, 0, 17})
			coa.Add(rfc2865.State_Type, []byte("ask again"))
			reply := b.exchange(coa)
			if reply.Code != radius.CodeCoANAK || errorCause(reply) != 507 || rfc2865.State_GetString(reply) != "ask again" || rfc2865.ServiceType_Get(reply) != 17 {
				t.Errorf("got %v %v, expected a CoA-NAK with 507, Authorize-Only and State", reply.Code, reply.Attributes)
			}
			n.await("authorized", 1)
			n.end(0)
		})
	}
}

// What the NAS answers under another code, another Identifier or Token, or a second time is nobody's answer,
// and the connection stays. A request with a wrong authenticator does not reach it, a repeated one reaches
// it once, and gets the same answer.
// Rules: RC4, RC6, RC7, RC12
func TestReverseCoAWronglyAnsweredByPython(t *testing.T) {
	for _, version := range versionsByALPN {
		t.Run(version, func(t *testing.T) {
			b := startReverseBed(t, withReverseCoA)
			n := startReverseNAS(t, b.radsec, version, userPassword, "--answer", "wrong-code,wrong-identifier,twice,ack", "--count", "4")
			n.await("started", 1)
			forged := b.bySession(radius.CodeCoARequest)
			forged.Secret = []byte(wrongPassword)
			b.send(forged)
			for i := range 2 {
				coa := b.bySession(radius.CodeCoARequest)
				sent := b.send(coa)
				n.await("answered", i+1)
				b.sendAgain(sent) // its answer has not come, so this one is dropped
			}
			if reply := b.exchange(b.bySession(radius.CodeDisconnectRequest)); reply.Code != radius.CodeDisconnectACK {
				t.Errorf("the first answer that the server gets is %v, expected the one that was sent twice", reply.Code)
			}
			last := b.bySession(radius.CodeCoARequest)
			sent := b.send(last)
			first := b.receive()
			b.verify(last, sent, first)
			b.sendAgain(sent)
			if again := b.receive(); string(again) != string(first) {
				t.Errorf("a repeated request gets %x, expected the octets %x again", again, first)
			}
			n.end(0)
			if e := n.await("ended", 1); e.Requests != 4 {
				t.Errorf("the NAS got %d requests, expected 4", e.Requests)
			}
		})
	}
}

// An answer after the deadline is dropped, and the connection stays.
// Rules: RC7
func TestReverseCoALateByPython(t *testing.T) {
	for _, version := range versionsByALPN {
		t.Run(version, func(t *testing.T) {
			b := startReverseBed(t, withReverseCoA)
			n := startReverseNAS(t, b.radsec, version, userPassword, "--answer", "late", "--delay", "2", "--count", "1")
			n.await("started", 1)
			b.send(b.bySession(radius.CodeDisconnectRequest)) // the bed's timeout is 1 s
			n.await("answered", 1)
			b.unroutable(b.by(radius.CodeCoARequest, "no such session")) // its answer is the first that the server gets
			n.end(0)
		})
	}
}

// An answer that does not verify closes the connection, and nobody gets it.
// Rules: RC12
func TestReverseCoAForgedAnswerByPython(t *testing.T) {
	b := startReverseBed(t, withReverseCoA)
	n := startReverseNAS(t, b.radsec, "radius/1.0", userPassword, "--answer", "wrong-authenticator")
	n.await("started", 1)
	b.send(b.bySession(radius.CodeCoARequest))
	n.await("closed", 1)
	n.end(0)
	b.unroutable(b.by(radius.CodeCoARequest, "no such session")) // its answer is the first that the server gets
}

// A client without reverse_coa is sent nothing.
// Rules: RC1, RC2
func TestReverseCoAWithoutTheFlagByPython(t *testing.T) {
	for _, version := range versionsByALPN {
		t.Run(version, func(t *testing.T) {
			b := startReverseBed(t, "")
			n := startReverseNAS(t, b.radsec, version, userPassword, "--count", "0")
			n.await("started", 1)
			b.unroutable(b.bySession(radius.CodeDisconnectRequest))
			b.unroutable(b.bySession(radius.CodeCoARequest))
			n.end(0)
			if e := n.await("ended", 1); e.Requests != 0 {
				t.Errorf("the NAS got %d requests, expected none", e.Requests)
			}
		})
	}
}

// reverseBed is a gateway, and the UDP server behind it, which sends CoA and Disconnect, too.
type reverseBed struct {
	t      *testing.T
	radsec int          // the gateway's port
	conn   *net.UDPConn // of the server, connected to the gateway
	server *acceptingServer
	last   byte // Identifier
}

const withReverseCoA = "reverse_coa = true"

// reverseConf takes: port for RadSec, further keys of the client, the server's authentication and accounting ports, its
// secret, port for CoA.
const reverseConf = `
[listen]
address     = ["127.0.0.1:%d"]
certificate = "certs/server.pem"
private_key = "certs/server.key"
client_ca   = "certs/ca.pem"

[[client]]
name        = "nas"
networks    = ["127.0.0.1"]
%s

[[client]]
name        = "another"
networks    = ["127.0.0.9"]
reverse_coa = true

[[server]]
name      = "udp"
address   = "127.0.0.1"
auth_port = %d
acct_port = %d
coa_port  = 0
secret    = "%s"
health    = "none"

[[route]]
realms  = ["*", ""]
packets = ["access", "accounting"]
servers = ["udp"]

[dynamic_authorization]
address = ["127.0.0.1:%d"]
timeout = "1s"

[metrics]
address = ""
`

// startReverseBed starts all of it, until the test ends.
func startReverseBed(t *testing.T, client string) *reverseBed {
	t.Helper()
	var p bedPorts
	if err := p.choose(); err != nil {
		t.Fatal(err)
	}
	server := startAcceptingServer(t)
	startGatewayWith(t, p.radsec, fmt.Sprintf(reverseConf, p.radsec, client, server.auth, server.acct, udpSecret, p.coa))
	gateway := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: p.coa}
	conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, gateway)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &reverseBed{t: t, radsec: p.radsec, conn: conn, server: server}
}

func (b *reverseBed) bySession(code radius.Code) *radius.Packet { return b.by(code, "session-1") }

// by is a request that has nothing but an Acct-Session-Id.
func (b *reverseBed) by(code radius.Code, session string) *radius.Packet {
	p := radius.New(code, []byte(udpSecret))
	b.last++
	p.Identifier = b.last
	p.Add(rfc2866.AcctSessionID_Type, []byte(session))
	return p
}

// send sends a request, and returns its octets.
func (b *reverseBed) send(p *radius.Packet) []byte {
	b.t.Helper()
	octets, err := probe.Sign(p)
	if err != nil {
		b.t.Fatal(err)
	}
	b.sendAgain(octets)
	return octets
}

func (b *reverseBed) sendAgain(octets []byte) {
	b.t.Helper()
	if _, err := b.conn.Write(octets); err != nil {
		b.t.Fatal(err)
	}
}

// receive waits for a datagram.
func (b *reverseBed) receive() []byte {
	b.t.Helper()
	octets := make([]byte, 4096)
	if err := b.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		b.t.Fatal(err)
	}
	n, err := b.conn.Read(octets)
	if err != nil {
		b.t.Fatalf("the server gets no answer: %v", err)
	}
	return octets[:n]
}

// verify returns a reply, which must be that to request.
func (b *reverseBed) verify(request *radius.Packet, sent, received []byte) *radius.Packet {
	b.t.Helper()
	reply, err := radius.Parse(received, request.Secret)
	if err != nil || reply.Identifier != request.Identifier || !radius.IsAuthenticResponse(received, sent, request.Secret) {
		b.t.Fatalf("expected a reply to %x, got %v: %x", sent, err, received)
	}
	if err := probe.VerifyMessageAuthenticator(received, request.Secret, [16]byte(sent[4:20])); err != nil && len(reply.Get(80)) > 0 {
		b.t.Errorf("Message-Authenticator of %x: %v", received, err)
	}
	return reply
}

// exchange sends a request, and returns the next reply, which must be its own.
func (b *reverseBed) exchange(request *radius.Packet) *radius.Packet {
	b.t.Helper()
	sent := b.send(request)
	return b.verify(request, sent, b.receive())
}

// unroutable sends a request that must get a NAK with Error-Cause 502.
func (b *reverseBed) unroutable(request *radius.Packet) {
	b.t.Helper()
	if reply := b.exchange(request); reply.Code != request.Code+2 || errorCause(reply) != 502 {
		b.t.Errorf("got %v %v, expected %v with Error-Cause 502", reply.Code, reply.Attributes, request.Code+2)
	}
}

// stopped fails the test unless the server got the Accounting-Stop with the Class that it gave.
func (b *reverseBed) stopped() {
	b.t.Helper()
	if got := strings.Join(b.server.accounted(), ", "); got != "Start class of bob, Stop class of bob" {
		b.t.Errorf("the server got %q", got)
	}
}

// errorCause is the value of Error-Cause, 0 when there is none.
func errorCause(p *radius.Packet) uint32 {
	value := p.Get(101)
	if len(value) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(value)
}
