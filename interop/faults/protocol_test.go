package faults

import (
	"bytes"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"testing"

	"radsec-gw/interop/testbed"
)

// A Response-Length (241.3) is about one hop: it is not relayed, in either direction.
//
// Fault P-7.
func TestResponseLengthStaysOnItsHop(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	length, other := textAttribute(extendedNumber, "\x03\x00\x00\xff\xff"), textAttribute(extendedNumber, "\x08ap-1")
	b.server.answers(func(request []byte) []byte { return reply(request, accessAccept, length, other) })
	g := b.serve()
	expect(t, g.dial(b.client).ask(request(accessRequest, 1, userName("bob"), length, other)), accessAccept, other)
	expect(t, b.server.firstRequest(t), accessRequest, userName("bob"), other)
}

// A server that answers "resources unavailable" is not asked again; the next one is.
//
// Fault P-8.
func TestResourcesUnavailableSendsARequestToTheNextServer(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.server.answers(func(request []byte) []byte {
		return reply(request, protocolError, integerAttribute(errorCauseNumber, 506))
	})
	b.rest = startServer(t).table("next", "")
	b.route = strings.Replace(b.route, `"udp"`, `"udp", "next"`, 1)
	c := b.serve().dial(b.client)
	expect(t, c.ask(request(accessRequest, 1, userName("bob"))), accessAccept)
	expect(t, c.ask(request(accountingRequest, 1, userName("bob"))), accountingResponse)
	if n := len(b.server.requests()); n != 2 {
		t.Errorf("the first server got %d requests, expected each once", n)
	}
}

// Accounting that no server answers gets a Protocol-Error where that is configured.
//
// Fault P-9.
func TestRefusedAccountingGetsAProtocolError(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.server.answers(func([]byte) []byte { return nil })
	b.backend = quickly
	b.clients = `
[[client]]
name = "access only"
networks = ["127.0.0.2"]
packets = ["access"]

[[client]]
name = "all"
networks = ["127.0.0.1"]
`
	b.route = `
[[route]]
realms = ["example.org"]
servers = ["udp"]
on_unreachable = "protocol-error"

[routing]
on_unroutable = "protocol-error"
`
	g := b.serve()
	for _, c := range []struct {
		name, source, user string
		cause              uint32
	}{
		{"no route", "127.0.0.1", "bob@nowhere.example", 502},
		{"not allowed", "127.0.0.2", "bob@example.org", 406},
		{"silent server", "127.0.0.1", "bob@example.org", 505},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			answer, err := g.askFrom(c.source, request(accountingRequest, 1, userName(c.user)))
			if err != nil {
				t.Fatalf("the request got no answer: %v", err)
			}
			expectCause(t, answer, protocolError, c.cause)
		})
	}
}

// askFrom opens a connection from an address, sends a request and returns its reply.
func (g *gateway) askFrom(source string, packet []byte) ([]byte, error) {
	c, err := g.tryDial(source, g.bed.tlsOf(g.bed.client))
	if err != nil {
		return nil, err
	}
	c.send(packet)
	return c.tryRead()
}

// A CoA goes to the NAS that it names, which gets none of the proxies' attributes. An operator
// of OpenRoaming has a route (RFC 5580 §4.1, namespace 4).
//
// Fault P-10.
func TestCoAGoesToTheNASThatItNames(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	one, two := startServer(t), startServer(t)
	b.rest = one.table("one", "nas = true\nnas_identifier = [\"ap-1\"]") + two.table("two", "nas = true\nnas_identifier = [\"ap-2\"]")
	b.route = `
[[route]]
realms = ["example.org"]
packets = ["coa", "disconnect"]
servers = ["one", "two"]

[[route]]
operators = ["wbaid:EXAMPLE:US"]
packets = ["coa"]
servers = ["udp"]
`
	c := b.serve().dial(b.client)
	operator := func(name string) []byte { return textAttribute(operatorNameNumber, name) }
	expect(t, c.ask(request(coaRequest, 1, operator("1example.org"), textAttribute(extendedNumber, "\x08ap-2"))), coaACK)
	expect(t, two.firstRequest(t), coaRequest, textAttribute(nasIdentifierNumber, "ap-2"))
	expect(t, c.ask(request(coaRequest, 2, operator("4EXAMPLE:US"))), coaACK)
	expect(t, b.server.firstRequest(t), coaRequest, operator("4EXAMPLE:US"))
	expectCause(t, c.ask(request(coaRequest, 3, operator("4OTHER:US"))), coaNAK, 502)
	if n := len(one.requests()); n != 0 {
		t.Errorf("the other NAS got %d requests, expected none", n)
	}
}

// The session key of LEAP is hidden after its text in a Cisco-AVPair, and hidden again for the client.
//
// Fault P-11.
func TestLEAPKeyIsHiddenForTheClient(t *testing.T) {
	t.Parallel()
	const name, key = "leap:session-key=", "a session key of thirty octets"
	b := newBed(t)
	b.server.answers(func(request []byte) []byte {
		value := append([]byte(name), hide(key, [2]byte{0x80, 1}, fromServer(request))...)
		return reply(request, accessAccept, vendorSpecific(cisco, attribute(1, value)))
	})
	asked := request(accessRequest, 1, userName("bob"))
	answer := b.serve().dial(b.client).ask(asked)
	at := 6 + len(name)
	if got := valuesOf(answer, vendorSpecificNumber); len(got) != 1 || len(got[0]) < at || !hides(got[0][at:], key, toClient(asked)) {
		t.Errorf("the client cannot read the key in %q", got)
	}
}

// An acknowledgement from another time is relayed, for the NAS has acted, and logged as a warning with both
// times.
//
// Fault P-12.
func TestAcknowledgementFromAnotherTimeIsPassedOn(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.backend = quickly
	long := integerAttribute(eventTimestampNumber, 1577836800) // 2020-01-01T00:00:00Z
	b.server.answers(func(request []byte) []byte { return reply(request, coaACK, long) })
	g := b.serve()
	expect(t, g.dial(b.client).ask(request(coaRequest, 1, userName("bob"))), coaACK, long)
	g.Says("level=WARN", "event_timestamp=2020-01-01T00:00:00Z now=20")
}

// A client that shuts down its direction after the last request still gets the answer.
//
// Fault P-13.
func TestHalfClosedConnectionGetsItsAnswer(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*client) error{
		"close_notify": func(c *client) error { return c.CloseWrite() },
		"FIN":          func(c *client) error { return c.NetConn().(*net.TCPConn).CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			ended := make(chan struct{})
			answer := sync.OnceFunc(func() { close(ended) })
			t.Cleanup(answer)
			b.server.answers(func(request []byte) []byte {
				<-ended
				return grant(request)
			})
			g := b.serve()
			c := g.dial(b.client)
			c.send(request(accessRequest, 1, userName("bob")))
			if !testbed.Eventually(patience, func() bool { return len(b.server.requests()) > 0 }) {
				t.Fatal("the server got no request")
			}
			if err := end(c); err != nil {
				t.Fatal(err)
			}
			if err := g.admits(b.client); err != nil { // takes longer than the end needs to arrive
				t.Fatal(err)
			}
			answer()
			expect(t, c.read(), accessAccept)
		})
	}
}

// A client that names the gateway with a dot at the end is refused, which crypto/tls does, and the
// log says what it has to change.
//
// Fault P-13.
func TestADotAtTheEndOfTheNameIsReported(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	g := b.serve()
	conn, err := net.Dial("tcp", g.radsec)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	config := b.tlsOf(b.client)
	config.ServerName = "radsec-server-" // crypto/tls removes a dot
	if err := tls.Client(dotted{conn}, config).Handshake(); err == nil {
		t.Error("the client is served: crypto/tls accepts the dot now")
	}
	g.Says(`radsec-server.\" ends with a dot`, "without the last dot")
}

// dotted writes the name in a ClientHello with a dot at its end.
type dotted struct{ net.Conn }

func (d dotted) Write(b []byte) (int, error) {
	return d.Conn.Write(bytes.Replace(b, []byte("radsec-server-"), []byte("radsec-server."), 1))
}

// The machines and the users of a Windows domain have a realm.
//
// Fault P-14.
func TestMachinesAndDomainsAreRouted(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.route = `
[[route]]
realms = ["example.org", "domain"]
servers = ["udp"]

[routing]
realm_formats = ["suffix", "prefix", "machine"]
`
	c := b.serve().dial(b.client)
	for _, user := range []string{"host/machine.example.org", `DOMAIN\bob`, "bob@example.org"} {
		expect(t, c.ask(request(accessRequest, 1, userName(user))), accessAccept)
		all := b.server.requests()
		expect(t, all[len(all)-1], accessRequest, userName(user))
	}
	for _, user := range []string{"host/machine.example.net", `OTHER\bob`, "host/machine", "bob"} {
		expectCause(t, c.ask(request(accessRequest, 2, userName(user))), accessReject, 502)
	}
}

// The cause of a server's Protocol-Error reaches the client, those that a NAK may not carry too.
//
// Fault P-16.
func TestCauseOfAProtocolErrorReachesTheClient(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.server.answers(func(request []byte) []byte { // the client's Class says which
		return reply(request, protocolError, attribute(errorCauseNumber, valuesOf(request, classNumber)[0]))
	})
	c := b.serve().dial(b.client)
	for _, cause := range []uint32{201, 601, 700} {
		for _, code := range []byte{accessRequest, accountingRequest} {
			answer := c.ask(request(code, byte(cause), userName("bob"), integerAttribute(classNumber, cause)))
			expectCause(t, answer, protocolError, cause)
		}
	}
}

// A WiMAX key in fragments lets the user in: joined across the attributes between them, and unchanged where a
// broken one is in the middle.
//
// Fault P-17.
func TestFragmentsOfAKeyApartLetTheUserIn(t *testing.T) {
	t.Parallel()
	const key, goesOn = "a key of more than one block of 16", 0x80
	part := func(flags byte, value []byte) []byte {
		return vendorSpecific(wimax, attribute(5, append([]byte{flags}, value...)))
	}
	text, broken := textAttribute(replyMessageNumber, "between"), vendorSpecific(wimax, []byte{5, 99, goesOn, 1, 2, 3})
	b := newBed(t)
	b.server.answers(func(request []byte) []byte {
		hidden := hide(key, [2]byte{0x80, 1}, fromServer(request))
		between := text
		if string(valuesOf(request, 1)[0]) == "broken" {
			between = broken
		}
		return reply(request, accessAccept, part(goesOn, hidden[:32]), between, part(0, hidden[32:]))
	})
	c := b.serve().dial(b.client)
	asked := request(accessRequest, 1, userName("bob"))
	answer := c.ask(asked)
	if got := valuesOf(answer, vendorSpecificNumber); answer[0] != accessAccept || len(got) != 2 || !hides(append(bytes.Clone(got[0][7:]), got[1][7:]...), key, toClient(asked)) {
		t.Errorf("expected an Access-Accept with the key in two parts, got code %d with % x", answer[0], body(answer))
	}
	answer = c.ask(request(accessRequest, 2, userName("broken")))
	if answer[0] != accessAccept || !bytes.Contains(answer, broken) {
		t.Errorf("expected an Access-Accept with the broken part, got code %d with % x", answer[0], body(answer))
	}
}
