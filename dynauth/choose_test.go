package dynauth

import (
	"net/netip"
	"testing"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// choices are what a request says, and where it goes: the connection, or the Error-Cause.
func choices() []struct {
	name, want string
	attrs      attrs
} {
	realm := func(s string) attr { return attr{126, "1" + s} }
	oni := func(s string) attr { return attr{241, "\x08" + s} }
	return []struct {
		name, want string
		attrs      attrs
	}{
		{"Acct-Session-Id", "a", attrs{session("s-a")}},
		{"Acct-Session-Id of another", "b", attrs{session("s-b")}},
		{"Acct-Multi-Session-Id", "a", attrs{{50, "m-a"}}},
		{"Calling-Station-Id and User-Name", "b", attrs{station("02-00-00-00-00-0b"), user("bob")}},
		{"the same MAC in another notation", "b", attrs{station("0200.0000.000B"), user("bob")}},
		{"Calling-Station-Id alone", "502", attrs{station("02-00-00-00-00-0b")}},
		{"User-Name alone", "502", attrs{user("bob")}},
		{"Class of the Access-Accept", "a", attrs{{25, "class-a"}}},
		{"NAS-Identifier", "b", attrs{nasID("ap-b")}},
		{"NAS-IP-Address", "a", attrs{nasIP("192.0.2.1")}},
		{"NAS-IPv6-Address", "a", attrs{{95, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"}}},
		{"Called-Station-Id", "b", attrs{{30, "02-AA:guests"}}},
		{"Operator-NAS-Identifier that it sends", "a", attrs{oni("oni-a"), realm("elsewhere.example")}},
		{"Operator-NAS-Identifier that is its NAS-Identifier", "b", attrs{oni("ap-b")}},
		{"all of one", "a", attrs{session("s-a"), nasID("ap-a"), nasIP("192.0.2.1"), {25, "class-a"}}},
		{"an unknown name beside a known one", "a", attrs{session("s-a"), nasIP("192.0.2.200")}},
		{"session of one, NAS of the other", "403", attrs{session("s-a"), nasID("ap-b")}},
		{"NAS-Identifier of one, address of the other", "403", attrs{nasID("ap-b"), nasIP("192.0.2.1")}},
		{"nothing at all", "502", nil},
		{"unknown names", "502", attrs{session("s-x"), nasID("ap-x"), nasIP("192.0.2.200")}},
		{"Operator-Name", "a", attrs{realm("a.example")}},
		{"Operator-Name, other case", "a", attrs{realm("A.Example")}},
		{"Operator-Name below *.b.example", "b", attrs{realm("x.y.b.example")}},
		{"Operator-Name b.example itself", "502", attrs{realm("b.example")}},
		{"Operator-Name of another namespace", "b", attrs{{126, "4ACME:US"}}},
		{"Operator-Name of a whole namespace", "b", attrs{{126, "2310150"}}},
		{"Operator-Name of two clients", "a b", attrs{realm("both.example")}},
		{"Operator-Name of nobody", "502", attrs{realm("x.example")}},
		{"Operator-Name of one, session of the other", "403", attrs{realm("a.example"), session("s-b")}},
		{"Operator-Name of both, session of one", "b", attrs{realm("both.example"), session("s-b")}},
		{"nas_identifier of one that has not sent it", "a", attrs{nasID("ap-configured")}},
		{"the same as Operator-NAS-Identifier", "a", attrs{oni("ap-configured")}},
		{"nas_identifier of one, session of the other", "403", attrs{nasID("ap-configured"), session("s-b")}},
		{"nas_identifier of one, Operator-Name of the other", "403", attrs{nasID("ap-configured"), {126, "4ACME:US"}}},
		{"a client without reverse_coa", "502", attrs{nasID("ap-c")}},
	}
}

// Each name of a session or a NAS that was learned, or is configured, leads to its connection
// and to no other; names that nobody has get 502, names that contradict each other 403.
//
// Rules: P133, P134, RC2, RC8
func TestChoose(t *testing.T) {
	for _, x := range choices() {
		t.Run(x.name, func(t *testing.T) {
			b := newBed(t)
			b.change("a", func(c *ClientConfig) {
				c.Identifiers, c.Operators = []string{"ap-configured"}, []string{"a.example", "both.example"}
			})
			b.change("b", func(c *ClientConfig) {
				c.Operators = []string{"*.b.example", "both.example", "wbaid:acme:us", "e212:*"}
			})
			b.change("c", func(c *ClientConfig) { c.Identifiers = []string{"ap-c"} })
			links := map[string]*link{"a": b.open("a"), "b": b.open("b"), "c": b.open("c")}
			links["a"].answered(radius.CodeAccessRequest, radius.CodeAccessAccept, "class-a", user("al"), nasID("ap-a"), nasIP("192.0.2.1"),
				attr{95, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"}, attr{241, "\x08oni-a"})
			links["a"].account(1, user("al"), nasID("ap-a"), nasIP("192.0.2.1"), attr{95, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"}, session("s-a"), attr{50, "m-a"})
			links["b"].login(user("bob"), station("02:00:00:00:00:0B"), nasID("ap-b"), attr{30, "02-AA:guests"}, session("s-b"))
			links["c"].login(user("eve"), nasID("ap-c"), session("s-c"))

			p := b.ask(1, x.attrs...)
			got := ""
			for _, name := range []string{"a", "b", "c"} {
				if len(links[name].got()) > 0 {
					got += name
				}
			}
			switch x.want {
			case "403":
				b.wantNAK(p, 403)
			case "502":
				b.wantNAK(p, 502)
			case "a b":
				if got != "a" && got != "b" {
					t.Errorf("went to %q, expected one of two", got)
				}
				return
			default:
				if len(b.answers()) > 0 || got != x.want {
					t.Errorf("went to %q, expected %q", got, x.want)
				}
				return
			}
			if got != "" {
				t.Errorf("went to %q, expected a NAK", got)
			}
		})
	}
}

// A session whose Acct-Session-Id another NAS has, too, is told apart by any name of its NAS,
// or of itself; alone it may be either's, and is refused.
//
// Rules: RC8
func TestAcctSessionIDOfTwo(t *testing.T) {
	b := newBed(t)
	first, second, third := b.open("a"), b.open("a"), b.open("b")
	first.account(1, session("1"), nasID("ap-1"), nasIP("192.168.1.1"), user("u"))
	second.account(1, session("1"), nasID("ap-2"), nasIP("192.168.1.1"), user("v"))
	b.wantNAK(b.ask(1, session("1")), 403)
	b.wantNAK(b.ask(2, session("1"), nasIP("192.168.1.1")), 403)
	b.ask(3, session("1"), nasID("ap-1"))
	first.one()
	b.ask(4, session("1"), nasIP("192.168.1.1"), nasID("ap-2"))
	second.one()
	third.account(1, session("1"), nasID("ap-3"))
	b.wantNAK(b.ask(5, session("1")), 403)
	b.ask(6, session("1"), nasID("ap-3"))
	third.one()
	b.ask(7, session("1"), nasID("ap-2"))
	second.one()
	if log := b.log.String(); log == "" {
		t.Error("nothing is logged about 403")
	}
}

// A request to the address that a client's own requests come from is for that client, without
// any name; what belongs to another contradicts it. The servers' secret for the address counts.
//
// Rules: ID6, RC8
func TestChooseBySource(t *testing.T) {
	b := newBed(t)
	own, pooled := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("198.51.101.9")
	b.change("a", func(c *ClientConfig) { c.Source = own })
	b.change("b", func(c *ClientConfig) {
		c.Pool, c.SourceSecret = netip.MustParsePrefix("198.51.101.0/24"), must(wire.NewServerSecret([]byte("of the pool")))
	})
	source := func(a netip.Addr) func(*LinkConfig) {
		return func(c *LinkConfig) { c.Source = func() netip.Addr { return a } }
	}
	first, second := b.open("a", source(own), device("one")), b.open("b", source(pooled), device("two"))
	second.account(1, session("s-b"), nasID("ap-b"))
	to := func(a netip.Addr, id byte, secret string, list ...attr) *radius.Packet {
		p := packet(radius.CodeDisconnectRequest, id, secret, list...)
		b.put(senderAddress, a, must(p.Encode()))
		return p
	}
	to(own, 1, senderSecret)
	first.one()
	to(own, 2, senderSecret, session("unknown"))
	first.one()
	b.wantNAK(to(own, 3, senderSecret, session("s-b")), 403)
	to(pooled, 4, "of the pool")
	second.one()
	to(pooled, 5, senderSecret, nasID("ap-b")) // a server that has not been told of the pool's
	second.one()
	b.wantNAK(to(netip.MustParseAddr("198.51.101.10"), 6, "of the pool"), 502) // nobody has it now
	third := b.open("a", source(own), device("three"))
	b.wantNAK(to(own, 7, senderSecret), 403) // two devices have it
	third.Close()
	to(own, 8, senderSecret)
	first.one()
	first.SetSource(netip.Addr{})
	b.wantNAK(to(own, 9, senderSecret), 502)
}
