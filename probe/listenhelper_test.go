package probe

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2869"
)

// testGateway is the end of a connection that sends requests to a NAS.
type testGateway struct {
	t        *testing.T
	conn     net.Conn
	radius11 bool

	interrupt context.CancelFunc // ends the context of Listen
}

// request returns a request, with a Message-Authenticator before RADIUS/1.1. id is its
// Identifier or the end of its Token.
func (g *testGateway) request(code radius.Code, id byte, attributes ...*radius.AVP) []byte {
	g.t.Helper()
	p := &radius.Packet{Code: code, Identifier: id, Secret: []byte("radsec"), Attributes: attributes}
	if g.radius11 {
		b, err := encode11(p, "")
		if err != nil {
			g.t.Fatal(err)
		}
		copy(b[4:8], []byte{0xab, 0, 0, id})
		return b
	}
	AddMessageAuthenticator(p)
	return mustSign(g.t, p)
}

// ask sends a request and returns it.
func (g *testGateway) ask(code radius.Code, id byte, attributes ...*radius.AVP) []byte {
	g.t.Helper()
	b := g.request(code, id, attributes...)
	g.write(b)
	return b
}

func (g *testGateway) write(b []byte) {
	g.t.Helper()
	if _, err := g.conn.Write(b); err != nil {
		g.t.Errorf("sending %x: %v", b, err)
	}
}

// read reads one packet; it is nil after an error.
func (g *testGateway) read() []byte {
	g.t.Helper()
	b, err := ReadPacket(g.conn)
	if err != nil {
		g.t.Errorf("expected a packet, got %v", err)
		return nil
	}
	return b
}

// answer reads the answer to request, which must have the code and verify.
func (g *testGateway) answer(request []byte, code radius.Code) *radius.Packet {
	g.t.Helper()
	r := g.result(request)
	if !r.Verified() || r.Reply.Code != code {
		g.t.Errorf("the answer to %x is %x: %+v; want a verified %v", request, r.Received, r.Checks, code)
	}
	return r.Reply
}

// result reads the answer to request.
func (g *testGateway) result(request []byte) *Result {
	g.t.Helper()
	r := &Result{Sent: request, Received: g.read(), Radius11: g.radius11, Reply: &radius.Packet{}}
	if r.Received != nil {
		if err := r.verify([]byte("radsec")); err != nil {
			g.t.Error(err)
		}
	}
	return r
}

// acceptStatus reads a Status-Server and answers it. It returns the Status-Server.
func (g *testGateway) acceptStatus() []byte {
	g.t.Helper()
	b := g.read()
	if b == nil || radius.Code(b[0]) != radius.CodeStatusServer {
		g.t.Errorf("expected a Status-Server, got %x", b)
		return nil
	}
	if g.radius11 {
		g.write(reply11(b, 2))
		return b
	}
	if err := VerifyMessageAuthenticator(b, []byte("radsec"), [16]byte(b[4:20])); err != nil {
		g.t.Errorf("the Message-Authenticator of the Status-Server: %v", err)
	}
	p, err := radius.Parse(b, []byte("radsec"))
	if err != nil {
		g.t.Fatal(err)
	}
	g.write(signedReply(g.t, p, radius.CodeAccessAccept))
	return b
}

// listenCase is a gateway, and what Listen makes of it within a minute.
type listenCase struct {
	name    string
	o       ListenOptions
	gateway func(g *testGateway) // the connection is open until it closes it, or Listen does
	err     string               // part of the error; "" is none
	want    []string             // parts of the transcript
}

// run runs the case in a bubble, where time costs nothing.
func (c *listenCase) run(t *testing.T, radius11 bool) (said string) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		var b bytes.Buffer
		conn := &Conn{conn: near, radius11: radius11, t: &transcript{w: &b, secret: []byte("radsec")}, last: []byte{1, 254, 0, 20, 0xff, 0xff, 0xff, 0xfe}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.gateway(&testGateway{t, far, radius11, cancel})
			io.Copy(io.Discard, far)
		}()
		err := conn.Listen(ctx, c.o)
		<-done
		far.Close()
		if text := errorText(err); (text == "") != (c.err == "") || !strings.Contains(text, c.err) {
			t.Errorf("error %q, want one that says %q", text, c.err)
		}
		checkTranscript(t, b.String(), c.want)
		said = b.String()
	})
	return said
}

// both runs the cases in both versions of RADIUS.
func both(t *testing.T, cases []listenCase) {
	for _, c := range cases {
		for version, radius11 := range map[string]bool{"1.0": false, "1.1": true} {
			t.Run(c.name+" in "+version, func(t *testing.T) { c.run(t, radius11) })
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// avp returns an attribute.
func avp(typ radius.Type, value string) *radius.AVP {
	return &radius.AVP{Type: typ, Attribute: radius.Attribute(value)}
}

// hasMessageAuthenticator reports whether p has one.
func hasMessageAuthenticator(p *radius.Packet) bool {
	return p.Get(rfc2869.MessageAuthenticator_Type) != nil
}
