package probe

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3576"

	"radsec-gw/certs"
)

const (
	coaRequest        = radius.CodeCoARequest
	disconnectRequest = radius.CodeDisconnectRequest
)

// Each way to answer, in both versions.
// Rules: P14, P18, P122
func TestListenAnswers(t *testing.T) { both(t, answerCases) }

var answerCases = []listenCase{
	{"ACK", ListenOptions{Count: 2}, func(g *testGateway) {
		q := g.ask(coaRequest, 7, avp(rfc2866.AcctSessionID_Type, "5f3a"), avp(rfc2865.ProxyState_Type, "one"), avp(rfc2865.ProxyState_Type, "two"))
		p := g.answer(q, radius.CodeCoAACK)
		if hasMessageAuthenticator(p) == g.radius11 || p.Get(rfc2866.AcctSessionID_Type) != nil {
			g.t.Errorf("the answer has the attributes %v, want Proxy-State and, before RADIUS/1.1, Message-Authenticator", p.Attributes)
		}
		if states, _ := rfc2865.ProxyState_GetStrings(p); strings.Join(states, " ") != "one two" {
			g.t.Errorf("the answer has the Proxy-States %q, want those of the request", states)
		}
		g.answer(g.ask(disconnectRequest, 8), radius.CodeDisconnectACK)
	}, "", []string{"received CoA-Request, ", `Acct-Session-Id = "5f3a"`, "sent CoA-ACK, ", "received Disconnect-Request, ", "sent Disconnect-ACK, ", "verified all of 2 requests\n"}},
	{"NAK", ListenOptions{Answer: Answer{Kind: NAK}, Count: 1}, func(g *testGateway) {
		if p := g.answer(g.ask(coaRequest, 7), radius.CodeCoANAK); rfc3576.ErrorCause_Get(p) != 503 {
			g.t.Errorf("Error-Cause %v, want 503", rfc3576.ErrorCause_Get(p))
		}
	}, "", []string{"sent CoA-NAK, ", "Error-Cause = 503"}},
	{"Error-Cause", ListenOptions{Answer: Answer{Kind: NAK, ErrorCause: 507}, Count: 1}, func(g *testGateway) {
		if p := g.answer(g.ask(disconnectRequest, 7), radius.CodeDisconnectNAK); rfc3576.ErrorCause_Get(p) != 507 {
			g.t.Errorf("Error-Cause %v, want 507", rfc3576.ErrorCause_Get(p))
		}
	}, "", []string{"sent Disconnect-NAK, ", "Error-Cause = 507"}},
	{"none", ListenOptions{Answer: Answer{Kind: None}}, func(g *testGateway) {
		g.ask(coaRequest, 7)
		for range 3 { // all that arrives within the minute
			g.acceptStatus()
		}
	}, "", []string{"received CoA-Request, ", "verified all of 1 requests"}},
	{"twice", ListenOptions{Answer: Answer{Twice: true}, Count: 1}, func(g *testGateway) {
		q := g.ask(coaRequest, 7)
		if one, two := g.result(q), g.result(q); !one.Verified() || !bytes.Equal(one.Received, two.Received) {
			g.t.Errorf("the answers are %x and %x, want the same octets", one.Received, two.Received)
		}
	}, "", []string{", twice\n"}},
	{"wrong code", ListenOptions{Answer: Answer{Wrong: WrongCode}, Count: 2}, func(g *testGateway) {
		g.answer(g.ask(coaRequest, 7), radius.CodeDisconnectACK)
		g.answer(g.ask(disconnectRequest, 8), radius.CodeCoAACK)
	}, "", []string{"sent Disconnect-ACK, ", ", with a wrong code\n"}},
	{"wrong identifier", ListenOptions{Answer: Answer{Wrong: WrongIdentifier}, Count: 2}, func(g *testGateway) {
		g.write(append(g.request(coaRequest, 7), g.request(coaRequest, 8)...))
		for range 2 {
			b := g.read()
			if n := b[1]; !g.radius11 && (n == 7 || n == 8) {
				g.t.Errorf("the answer has the Identifier %d, want one that no request has", n)
			}
			if n := binary.BigEndian.Uint32(b[4:]); g.radius11 && (n == 0xab000007 || n == 0xab000008) {
				g.t.Errorf("the answer has the Token %x, want one that no request has", n)
			}
		}
	}, "", []string{", with a wrong identifier\n"}},
	{"decided by the request", ListenOptions{Count: 2, Decide: func(r *Request) Answer {
		if rfc2866.AcctSessionID_GetString(r.Packet) == "5f3a" {
			return Answer{}
		}
		return Answer{Kind: NAK}
	}}, func(g *testGateway) {
		g.answer(g.ask(coaRequest, 7, avp(rfc2866.AcctSessionID_Type, "5f3a")), radius.CodeCoAACK)
		g.answer(g.ask(coaRequest, 8, avp(rfc2866.AcctSessionID_Type, "other")), radius.CodeCoANAK)
	}, "", nil},
}

// A wrong Response Authenticator, and the only thing wrong is that.
func TestListenWrongAuthenticator(t *testing.T) {
	c := listenCase{o: ListenOptions{Answer: Answer{Wrong: WrongAuthenticator}, Count: 1}, gateway: func(g *testGateway) {
		r := g.result(g.ask(coaRequest, 7))
		for _, check := range r.Checks {
			if check.OK == (check.Field == "Response Authenticator") {
				g.t.Errorf("%s is right: %v", check.Field, check.OK)
			}
		}
	}, want: []string{", with a wrong authenticator\n"}}
	c.run(t, false)
	c.gateway, c.err, c.want = func(*testGateway) {}, "RADIUS/1.1 has no authenticators", nil
	c.run(t, true)
}

// A request without Message-Authenticator gets an answer without.
func TestListenWithoutMessageAuthenticator(t *testing.T) {
	c := listenCase{o: ListenOptions{Count: 1}, gateway: func(g *testGateway) {
		q := mustSign(g.t, &radius.Packet{Code: coaRequest, Identifier: 7, Secret: []byte("radsec")})
		g.write(q)
		if p := g.answer(q, radius.CodeCoAACK); hasMessageAuthenticator(p) {
			g.t.Error("the answer has a Message-Authenticator, and the request none")
		}
	}, want: []string{"Request Authenticator: verified", "Message-Authenticator: absent"}}
	c.run(t, false)
}

// Values that are hidden over an authenticator of zeros are shown in clear, as in replies.
// Rules: P43
func TestListenRevealsHiddenValues(t *testing.T) {
	hidden, err := radius.NewTunnelPassword([]byte("tunnel"), []byte{0x80, 1}, []byte("radsec"), make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	c := listenCase{o: ListenOptions{Count: 1}, gateway: func(g *testGateway) {
		g.answer(g.ask(coaRequest, 7, avp(69, "\x01"+string(hidden))), radius.CodeCoAACK)
	}, want: []string{`Tunnel-Password:1 = "tunnel"`}}
	c.run(t, false)
}

// An answer that is delayed does not delay the others, and Listen ends when it was sent.
func TestListenDelay(t *testing.T) {
	delay := map[string]time.Duration{"slow": 20 * time.Second, "quick": 0}
	both(t, []listenCase{{"delay", ListenOptions{Count: 2, Decide: func(r *Request) Answer {
		return Answer{Delay: delay[rfc2866.AcctSessionID_GetString(r.Packet)]}
	}}, func(g *testGateway) {
		begun := time.Now()
		slow := g.ask(coaRequest, 7, avp(rfc2866.AcctSessionID_Type, "slow"))
		g.answer(g.ask(coaRequest, 8, avp(rfc2866.AcctSessionID_Type, "quick")), radius.CodeCoAACK)
		if took := time.Since(begun); took != 0 {
			g.t.Errorf("the answer that is not delayed took %v", took)
		}
		g.acceptStatus()
		g.answer(slow, radius.CodeCoAACK)
		if took := time.Since(begun); took != 20*time.Second {
			g.t.Errorf("the delayed answer took %v, want 20s", took)
		}
	}, "", []string{", after 20s\n"}}})
}

// What ends Listen with an error, in both versions.
func TestListenFails(t *testing.T) {
	both(t, []listenCase{
		{"closed", ListenOptions{}, func(g *testGateway) {
			g.answer(g.ask(coaRequest, 7), radius.CodeCoAACK)
			g.conn.Close()
		}, "the gateway closed the connection after 1 requests", nil},
		{"closed before the delayed answer", ListenOptions{Answer: Answer{Delay: time.Second}, Count: 1}, func(g *testGateway) {
			g.ask(coaRequest, 7)
			g.conn.Close()
		}, "the gateway closed the connection after 1 requests", nil},
		{"too few", ListenOptions{Count: 2, Answer: Answer{Kind: None}}, func(g *testGateway) {
			g.ask(coaRequest, 7)
			for range 3 {
				g.acceptStatus()
			}
		}, "1 of 2 requests arrived", nil},
		{"a duplicate", ListenOptions{Count: 2}, func(g *testGateway) {
			q := g.ask(coaRequest, 7)
			g.answer(q, radius.CodeCoAACK)
			g.write(q)
			g.answer(g.ask(coaRequest, 8), radius.CodeCoAACK)
		}, "1 requests arrived a second time", []string{": a DUPLICATE of an earlier one, not answered\n"}},
		{"no RADIUS", ListenOptions{}, func(g *testGateway) { g.write([]byte("HTTP")) }, "Length of", nil},
		{"malformed", ListenOptions{}, func(g *testGateway) {
			b := append(g.request(coaRequest, 7), 1, 1)
			binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
			g.write(b)
		}, "the CoA-Request is malformed", nil},
		{"a reply to nothing", ListenOptions{}, func(g *testGateway) { g.ask(radius.CodeAccessAccept, 7) },
			"expected a CoA-Request or Disconnect-Request, got Access-Accept", nil},
		{"an invalid decision", ListenOptions{Decide: func(*Request) Answer { return Answer{Kind: "maybe"} }}, func(g *testGateway) { g.ask(coaRequest, 7) },
			`expected ack, nak or none, got "maybe"`, nil},
	})
}

// A request that does not verify is printed, not answered, and ends Listen.
// Rules: P18, P125
func TestListenVerifies(t *testing.T) {
	unanswered := func(sent func(g *testGateway) []byte) func(g *testGateway) {
		return func(g *testGateway) {
			g.write(sent(g))
			if _, err := ReadPacket(g.conn); !errors.Is(err, io.EOF) {
				g.t.Errorf("expected the end of the connection, got %v", err)
			}
		}
	}
	const text = "the CoA-Request does not verify"
	for name, change := range map[string]int{"Request Authenticator": 4, "Message-Authenticator": 22} {
		c := listenCase{gateway: unanswered(func(g *testGateway) []byte {
			b := g.request(coaRequest, 7)
			b[change] ^= 1
			if change != 4 {
				p, _ := radius.Parse(b, []byte("radsec"))
				b, _ = p.Encode() // whose Request Authenticator is right
			}
			return b
		}), err: text, want: []string{name + ": WRONG (-secret"}}
		t.Run(name, func(t *testing.T) { c.run(t, false) })
	}
	c := listenCase{gateway: unanswered(func(g *testGateway) []byte {
		p := &radius.Packet{Code: coaRequest, Secret: []byte("another")}
		AddMessageAuthenticator(p)
		return mustSign(g.t, p)
	}), err: text, want: []string{"Request Authenticator: WRONG", "Message-Authenticator: WRONG"}}
	t.Run("another secret", func(t *testing.T) { c.run(t, false) })
	c = listenCase{gateway: unanswered(func(g *testGateway) []byte {
		b := append(g.request(coaRequest, 7), tlv(byte(rfc2869.MessageAuthenticator_Type), make([]byte, 16)...)...)
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		return b
	}), err: text, want: []string{"it must not be sent in RADIUS/1.1"}}
	t.Run("RADIUS/1.1", func(t *testing.T) { c.run(t, true) })
}

// An Identifier may come again with another request; only the same request is a duplicate. A
// request beyond Count is not answered.
func TestListenIdentifierAgain(t *testing.T) {
	c := listenCase{o: ListenOptions{Count: 2}, gateway: func(g *testGateway) {
		g.answer(g.ask(coaRequest, 7), radius.CodeCoAACK)
		g.answer(g.ask(coaRequest, 7, avp(rfc2866.AcctSessionID_Type, "x")), radius.CodeCoAACK)
	}}
	c.run(t, false)
	c = listenCase{o: ListenOptions{Count: 1, Answer: Answer{Delay: time.Second}}, gateway: func(g *testGateway) {
		q := g.ask(coaRequest, 7)
		g.ask(coaRequest, 8)
		g.answer(q, radius.CodeCoAACK)
	}, want: []string{": one more than expected, not answered\n", "verified all of 1 requests\n"}}
	c.run(t, false)
}

// While nothing happens, Status-Server passes every 15 s, and the transcript has none of it.
// Rules: P123
func TestListenKeepsTheConnectionAlive(t *testing.T) {
	for _, radius11 := range []bool{false, true} {
		c := listenCase{gateway: func(g *testGateway) {
			var numbers []uint32
			for range 3 {
				begun := time.Now()
				b := g.acceptStatus()
				if waited := time.Since(begun); waited < 13*time.Second || waited > 17*time.Second {
					g.t.Errorf("a Status-Server after %v, want 15s with a variation of 2s", waited)
				}
				numbers = append(numbers, (&Request{Received: b, Radius11: radius11}).number())
			}
			if want := map[bool]uint32{false: 255, true: 0xffffffff}[radius11]; numbers[0] != want || numbers[1] != 0 || numbers[2] != 1 {
				g.t.Errorf("the Status-Servers have the numbers %d, want %d, 0, 1", numbers, want)
			}
		}}
		if said := c.run(t, radius11); strings.Contains(said, "Status") || strings.Contains(said, "Accept") {
			t.Errorf("the transcript has a Status-Server:\n%s", said)
		}
	}
}

// A gateway that does not answer Status-Server, or not as it must.
func TestListenNoticesADeadGateway(t *testing.T) {
	both(t, []listenCase{
		{"silent", ListenOptions{}, func(g *testGateway) { g.read() }, "the gateway does not answer Status-Server", nil},
		{"wrong reply", ListenOptions{}, func(g *testGateway) {
			b := g.read()
			b[0] = byte(radius.CodeAccessAccept)
			b[1], b[4] = b[1]+1, b[4]+1
			g.write(b)
		}, "the Access-Accept does not verify", nil},
	})
}

// Options that are invalid.
func TestListenOptionsCheck(t *testing.T) {
	for text, o := range map[string]ListenOptions{
		"-count: expected 0 or more, got -1":                          {Count: -1},
		`-answer: expected ack, nak or none, got "yes"`:               {Answer: Answer{Kind: "yes"}},
		`-wrong: expected code, authenticator or identifier, got "x"`: {Answer: Answer{Wrong: "x"}},
		"-answer none does not go with -delay, -twice and -wrong":     {Answer: Answer{Kind: None, Twice: true}},
		"-error-cause goes with -answer nak only":                     {Answer: Answer{ErrorCause: 503}},
		"-delay: expected a duration of 0 or more, got -1s":           {Answer: Answer{Delay: -time.Second}},
		"": {Answer: Answer{Kind: NAK, ErrorCause: 1, Delay: 1, Twice: true, Wrong: WrongCode}},
	} {
		err := o.Check()
		if errorText(err) != text || err != nil && !isConfigError(err) {
			t.Errorf("%+v: error %v, want a *ConfigError %q", o, err, text)
		}
	}
}

// The whole way over TLS: a request that arrives before the reply to the first one, and one
// after it.
func TestOpenAndListen(t *testing.T) {
	for version, protocol := range map[string]string{"1.0": alpnRadius10, "1.1": alpnRadius11} {
		t.Run(version, func(t *testing.T) {
			dir := testCertificates(t)
			address, done := listenTLS(t, dir, protocol, func(g *testGateway) {
				q := g.read()
				early := g.ask(coaRequest, 7)
				if g.radius11 {
					g.write(reply11(q, 5))
				} else if p, err := radius.Parse(q, []byte("radsec")); err != nil {
					t.Error(err)
				} else {
					g.write(mustSign(t, p.Response(radius.CodeAccountingResponse)))
				}
				g.answer(early, radius.CodeCoAACK)
				g.answer(g.ask(disconnectRequest, 8), radius.CodeDisconnectACK)
			})
			var said bytes.Buffer
			conn, r, err := Open(t.Context(), Config{Address: address, Kind: Accounting, SessionID: "5f3a", Attributes: []string{"NAS-Identifier=ap-17"},
				CAFile: filepath.Join(dir, "ca.pem"), CertFile: filepath.Join(dir, "client.pem"), KeyFile: filepath.Join(dir, "client.key")}, &said)
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.Listen(t.Context(), ListenOptions{Count: 2}); err != nil || r.Radius11 != (version == "1.1") {
				t.Errorf("error %v, RADIUS/1.1: %v", err, r.Radius11)
			}
			<-done
			checkTranscript(t, said.String(), []string{`NAS-Identifier = "ap-17"`, "verified Accounting-Response\nwaiting for CoA-Request and Disconnect-Request\nreceived CoA-Request, ", "verified all of 2 requests\n"})
		})
	}
}

// Listen returns nil when its context ends, even if an answer is still to come.
func TestListenInterrupted(t *testing.T) {
	both(t, []listenCase{{"interrupted", ListenOptions{Answer: Answer{Delay: time.Hour}}, func(g *testGateway) {
		g.ask(coaRequest, 7)
		synctest.Wait()
		g.interrupt()
	}, "", []string{"verified all of 1 requests"}}})
}

// listenTLS is a RadSec server for one connection; done is closed at its end.
func listenTLS(t *testing.T, dir, protocol string, gateway func(g *testGateway)) (address string, done chan struct{}) {
	t.Helper()
	pair, err := certs.LoadPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13, NextProtos: []string{protocol}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	done = make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		gateway(&testGateway{t: t, conn: conn, radius11: protocol == alpnRadius11})
	}()
	return l.Addr().String(), done
}
