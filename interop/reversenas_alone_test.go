package interop

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"radsec-gw/probe"
)

// asGateway plays the gateway to the NAS, on one connection.
type asGateway struct {
	t        *testing.T
	listener net.Listener
	conn     net.Conn
	in       *bufio.Reader
	eleven   bool // RADIUS/1.1
}

// playGateway listens for a NAS that speaks version.
func playGateway(t *testing.T, version string) *asGateway {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(shared.path("certs/server.pem"), shared.path("certs/server.key"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(shared.path("certs/ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	listener, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: []string{version}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return &asGateway{t: t, listener: listener, eleven: version == "radius/1.1"}
}

func (g *asGateway) port() int { return g.listener.Addr().(*net.TCPAddr).Port }

// accept waits for the NAS.
func (g *asGateway) accept() {
	g.t.Helper()
	conn, err := g.listener.Accept()
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		g.t.Fatal(err)
	}
	g.conn, g.in = conn, bufio.NewReader(conn)
}

// read returns the next packet, which has that code, and answers Status-Server before it. That of
// RADIUS/1.1 has its Token where 1.0 has its authenticator.
func (g *asGateway) read(code radius.Code) (p *radius.Packet, octets []byte) {
	g.t.Helper()
	for p, octets = g.next(); p.Code == radius.CodeStatusServer; p, octets = g.next() {
		if err := probe.VerifyMessageAuthenticator(octets, p.Secret, p.Authenticator); (err == nil) == g.eleven {
			g.t.Errorf("Message-Authenticator of %x: %v", octets, err)
		}
		g.send(g.encode(p.Response(radius.CodeAccessAccept))...)
	}
	if p.Code != code {
		g.t.Fatalf("expected a packet of code %v, got %x", code, octets)
	}
	return p, octets
}

func (g *asGateway) next() (p *radius.Packet, octets []byte) {
	g.t.Helper()
	header, err := g.in.Peek(4)
	if err != nil {
		g.t.Fatalf("expected a packet, got %v", err)
	}
	octets = make([]byte, binary.BigEndian.Uint16(header[2:]))
	if _, err := io.ReadFull(g.in, octets); err != nil {
		g.t.Fatal(err)
	}
	p, err = radius.Parse(octets, []byte("radsec"))
	if err != nil {
		g.t.Fatalf("%v: %x", err, octets)
	}
	return p, octets
}

// encode signs a packet, where its version does.
func (g *asGateway) encode(p *radius.Packet) []byte {
	g.t.Helper()
	if !g.eleven {
		octets, err := probe.Sign(p)
		if err != nil {
			g.t.Fatal(err)
		}
		return octets
	}
	octets, err := p.MarshalBinary()
	if err != nil {
		g.t.Fatal(err)
	}
	return octets
}

func (g *asGateway) send(octets ...byte) {
	g.t.Helper()
	if _, err := g.conn.Write(octets); err != nil {
		g.t.Fatal(err)
	}
}

// login expects that bob logs in with his password, and accounting starts.
func (g *asGateway) login(password string) {
	g.t.Helper()
	p, octets := g.read(radius.CodeAccessRequest)
	got := rfc2865.UserPassword_GetString(p)
	if g.eleven {
		got = string(p.Get(rfc2865.UserPassword_Type))
	} else if err := probe.VerifyMessageAuthenticator(octets, p.Secret, p.Authenticator); err != nil {
		g.t.Errorf("Message-Authenticator of %x: %v", octets, err)
	}
	if got != password || rfc2865.UserName_GetString(p) != "bob" || rfc2865.NASIdentifier_GetString(p) != "ap-7" {
		g.t.Errorf("bob's login has the password %q: %x", got, octets)
	}
	accept := p.Response(radius.CodeAccessAccept)
	accept.Add(rfc2865.Class_Type, []byte("class of bob"))
	if !g.eleven {
		probe.AddMessageAuthenticator(accept)
	}
	g.send(g.encode(accept)...)
	g.account(rfc2866.AcctStatusType_Value_Start)
}

// account expects an Accounting-Request of bob's session, and acknowledges it.
func (g *asGateway) account(status rfc2866.AcctStatusType) {
	g.t.Helper()
	p, octets := g.read(radius.CodeAccountingRequest)
	if !g.eleven && !radius.IsAuthenticRequest(octets, p.Secret) {
		g.t.Errorf("the Request Authenticator does not verify: %x", octets)
	}
	if rfc2866.AcctStatusType_Get(p) != status || rfc2866.AcctSessionID_GetString(p) != "session-1" || rfc2865.Class_GetString(p) != "class of bob" {
		g.t.Errorf("accounting: %x", octets)
	}
	g.send(g.encode(p.Response(radius.CodeAccountingResponse))...)
}

// request is for the NAS, with a Session-Id and what is to be added.
func (g *asGateway) request(code radius.Code, add func(*radius.Packet)) *radius.Packet {
	p := radius.New(code, []byte("radsec"))
	if g.eleven {
		p.Identifier, p.Authenticator = 0, [16]byte{1, 2, 3, p.Identifier}
	}
	p.Add(rfc2866.AcctSessionID_Type, []byte("session-1"))
	if add != nil {
		add(p)
	}
	return p
}

func toItsNAS(p *radius.Packet) { p.Add(rfc2865.NASIdentifier_Type, []byte("ap-7")) }

// answered expects an answer that verifies.
func (g *asGateway) answered(code radius.Code, request *radius.Packet, sent []byte) *radius.Packet {
	g.t.Helper()
	p, octets := g.read(code)
	if g.eleven && p.Authenticator != request.Authenticator || !g.eleven && !radius.IsAuthenticResponse(octets, sent, request.Secret) {
		g.t.Errorf("%x does not verify as an answer to %x", octets, sent)
	}
	return p
}

// The NAS logs in, starts accounting, answers as it is told, verifiably, and stops accounting.
// Two packets may be in one record of TLS, or one in two.
func TestReverseNASAlone(t *testing.T) {
	for _, version := range versionsByALPN {
		t.Run(version, func(t *testing.T) {
			g := playGateway(t, version)
			n := startReverseNAS(t, g.port(), strings.Join(versionsByALPN, ","), userPassword, "--answer", "ack,nak", "--count", "2")
			g.accept()
			g.login(userPassword)
			disconnect := g.request(radius.CodeDisconnectRequest, toItsNAS)
			coa := g.request(radius.CodeCoARequest, func(p *radius.Packet) {
				toItsNAS(p)
				if !g.eleven {
					probe.AddMessageAuthenticator(p)
				}
			})
			first, second := g.encode(disconnect), g.encode(coa)
			g.send(append(first, second[:30]...)...)
			g.answered(radius.CodeDisconnectACK, disconnect, first)
			g.send(second[30:]...)
			nak := g.answered(radius.CodeCoANAK, coa, second)
			if cause := nak.Get(101); binary.BigEndian.Uint32(cause) != 503 {
				t.Errorf("Error-Cause %x, expected 503", cause)
			}
			if e := n.await("connected", 1); e.Version != version {
				t.Errorf("the NAS says %q, expected %q", e.Version, version)
			}
			if e := n.await("request", 1); e.Code != radius.CodeDisconnectRequest || !e.Verified || !e.has(44, "session-1") || !e.has(32, "ap-7") {
				t.Errorf("the NAS says of the Disconnect-Request: %+v", e)
			}
			if e := n.await("request", 2); e.Code != radius.CodeCoARequest || e.MessageAuthenticator == g.eleven {
				t.Errorf("the NAS says of the CoA-Request: %+v", e)
			}
			n.stop()
			g.account(rfc2866.AcctStatusType_Value_Stop)
			n.await("stopped", 1)
			n.end(0)
		})
	}
}
