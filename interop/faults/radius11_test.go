package faults

import (
	"encoding/binary"
	"testing"
)

// withVersions makes builds speak RADIUS/1.1 that do not by themselves.
const withVersions = `radius_versions = ["1.0", "1.1"]`

// request11 is a request of RADIUS/1.1 (RFC 9765 §4.1).
func request11(code byte, token uint32, attributes ...[]byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{code, 0, 0, 0}, token)
	b = append(b, make([]byte, 12)...)
	for _, a := range attributes {
		b = append(b, a...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// dial11 opens a connection of RADIUS/1.1 from an address.
func (g *gateway) dial11(t *testing.T, source string) *client {
	t.Helper()
	config := g.bed.tlsOf(g.bed.client)
	config.NextProtos = []string{"radius/1.1"}
	c, err := g.tryDial(source, config)
	if err != nil {
		t.Fatalf("the client cannot connect: %v", err)
	}
	c.t = t
	return c
}

// Both versions are spoken unless the file says otherwise (RFC 9765 §3.3).
//
// Fault P-3.
func TestBothVersionsAreSpokenByDefault(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	g := b.serve()
	for want, offered := range map[string][]string{"radius/1.1": {"radius/1.1", "radius/1.0"}, "radius/1.0": {"radius/1.0"}} {
		config := b.tlsOf(b.client)
		config.NextProtos = offered
		c, err := g.tryDial("127.0.0.1", config)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ConnectionState().NegotiatedProtocol; got != want {
			t.Errorf("a client that offers %q gets %q, expected %q", offered, got, want)
		}
	}
}

// refusingClients and refusingRoute are what requests are refused by.
const (
	refusingClients = `
[[client]]
name = "access only"
networks = ["127.0.0.2"]
packets = ["access"]

[[client]]
name = "accounting only"
networks = ["127.0.0.3"]
packets = ["accounting"]

[[client]]
name = "one a second"
networks = ["127.0.0.4"]
packets_per_second = 1

[[client]]
name = "all"
networks = ["127.0.0.1"]
`
	refusingRoute = `
[[route]]
realms = ["example.org"]
servers = ["udp"]
on_unreachable = "silent"

[routing]
on_unroutable = "silent"
`
)

// Each request of RADIUS/1.1 that is not served gets a Protocol-Error with Error-Cause 502 or 505,
// whatever the file says for those of 1.0 (RFC 9765 §6.1).
//
// Fault P-4.
func TestEveryRefusalIsAProtocolError11(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.server.answers(func([]byte) []byte { return nil })
	b.backend, b.listen = quickly, withVersions
	b.clients, b.route = refusingClients, refusingRoute
	g := b.serve()
	bob, unknown := userName("bob@example.org"), userName("bob@nowhere.example")
	for _, c := range []struct {
		name, source string
		request      []byte
		cause        uint32
	}{
		{"access, no route", "127.0.0.1", request11(accessRequest, 1, unknown), 502},
		{"accounting, no route", "127.0.0.1", request11(accountingRequest, 1, unknown), 502},
		{"access, not allowed", "127.0.0.3", request11(accessRequest, 1, bob), 502},
		{"accounting, not allowed", "127.0.0.2", request11(accountingRequest, 1, bob), 502},
		{"access, silent server", "127.0.0.1", request11(accessRequest, 1, bob), 505},
		{"accounting, silent server", "127.0.0.1", request11(accountingRequest, 1, bob), 505},
		{"a password of 129 octets", "127.0.0.1", request11(accessRequest, 1, bob, attribute(userPasswordNumber, make([]byte, 129))), 505},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			expectCause(t, g.dial11(t, c.source).ask(c.request), protocolError, c.cause)
		})
	}
	t.Run("more than the client may send", func(t *testing.T) {
		t.Parallel()
		testTooManyRequests11(t, g.dial11(t, "127.0.0.4"), unknown)
	})
}

// testTooManyRequests11 sends more than one request a second, for a user without a route.
func testTooManyRequests11(t *testing.T, c *client, user []byte) {
	const most = 4
	var all []byte
	for token := range uint32(most) {
		all = append(all, request11(accessRequest, token, user)...)
	}
	c.send(all)
	refused := map[uint32]int{} // by Error-Cause
	for range most {
		answer := c.read()
		expectCause(t, answer, protocolError, errorCause(answer))
		refused[errorCause(answer)]++
	}
	if refused[505] == 0 || refused[502]+refused[505] != most {
		t.Errorf("expected Protocol-Errors with 502, and with 505 when there are too many, got %v", refused)
	}
}

// A key that does not have the form of a hidden one is omitted, and the user is accepted.
//
// Fault P-5.
func TestInvalidKeyDoesNotCostTheLogin11(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.listen = withVersions
	class := textAttribute(classNumber, "class")
	b.server.answers(func(request []byte) []byte {
		return reply(request, accessAccept, vendorSpecific(microsoft, attribute(17, make([]byte, 17))), class)
	})
	answer := b.serve().dial11(t, "127.0.0.1").ask(request11(accessRequest, 1, userName("bob")))
	expect(t, answer, accessAccept, class)
}

// The signatures of RFC 6218 do not cross between the versions.
//
// Fault P-6.
func TestSignaturesOfRFC6218StayOnTheirSide11(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.listen = withVersions
	signed, pair := vendorSpecific(cisco, attribute(17, make([]byte, 32)), attribute(18, make([]byte, 20))), vendorSpecific(cisco, attribute(1, []byte("a=b")))
	b.server.answers(func(request []byte) []byte { return reply(request, accessAccept, signed, pair) })
	answer := b.serve().dial11(t, "127.0.0.1").ask(request11(accessRequest, 1, userName("bob"), signed, pair))
	expect(t, answer, accessAccept, pair)
	expect(t, b.server.firstRequest(t), accessRequest, userName("bob"), pair)
}

// A container without a TLV has nothing to hide: it passes, and costs no login.
//
// Fault P-18.
func TestEmptyContainersPass11(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.listen = withVersions
	ubnt, dhcp := vendorSpecific(ubiquiti, []byte{5, 2}), vendorSpecific(wimax, []byte{86, 3, 0})
	b.server.answers(func(request []byte) []byte { return reply(request, accessAccept, ubnt, dhcp) })
	answer := b.serve().dial11(t, "127.0.0.1").ask(request11(accessRequest, 1, userName("bob"), ubnt, dhcp))
	expect(t, answer, accessAccept, ubnt, dhcp)
	expect(t, b.server.firstRequest(t), accessRequest, userName("bob"), ubnt, dhcp)
}

// A key whose length inside its Vendor-Specific does not fit goes to no server in clear.
//
// Fault P-19.
func TestKeyWithAWrongLengthIsNotSentInClear11(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.listen = withVersions
	key := vendorSpecific(microsoft, []byte("\x11\x63a key in clear")) // type 17, length 99
	answer := b.serve().dial11(t, "127.0.0.1").ask(request11(accessRequest, 1, userName("bob"), key))
	expect(t, answer, accessAccept)
	expect(t, b.server.firstRequest(t), accessRequest, userName("bob"))
}
