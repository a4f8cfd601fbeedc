package relay

import (
	"strings"
	"testing"
	"testing/synctest"

	"layeh.com/radius"
)

// fill returns attributes of type t with so many octets in total.
func fill(t byte, octets int) (attrs []attr) {
	for octets > 0 {
		n := min(octets, 255)
		if octets-n == 1 {
			n--
		}
		attrs = append(attrs, attr{t, make([]byte, n-2)})
		octets -= n
	}
	return attrs
}

// Rules: P15, P34
func TestRequestThatOutgrows4096(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		attrs := append([]attr{nemo, proxyState("one")}, fill(200, 4096-20-18-5)...)
		q := makeRequest(1, 9, 1, attrs...)
		if len(q) != 4096 {
			t.Fatalf("the request has %d octets", len(q))
		}
		b.send(conn, q) // 18 more of Message-Authenticator, 5 less of Proxy-State
		checkOwn(t, q, p.got(), expectation{3, 505})
		if n := len(b.net.seen()); n != 0 {
			t.Errorf("the server got %d datagrams, expected none", n)
		}
		b.wantFates("access/too_long=1")
		// Proxy-State is not passed on, so this one has exactly 4096 octets.
		attrs = append([]attr{nemo, proxyState("sixteen octets..")}, fill(200, 4096-20-18-18)...)
		q = makeRequest(1, 10, 1, attrs...)
		b.send(conn, q)
		if s := b.oneSeen(); len(s) != 4096 {
			t.Errorf("the server got %d octets, expected 4096", len(s))
		}
	})
}

// Rules: P14, P15, P34
func TestReplyThatOutgrows4096(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		b.net.setServe(func(s []byte) [][]byte {
			return [][]byte{respond(s, 2, append(fill(200, 4096-20-18), mac)...)}
		})
		q := makeRequest(1, 9, 1, nemo, proxyState("one"))
		b.send(conn, q)
		checkOwn(t, q, p.got(), expectation{3, 505})
		b.wantFates("access/reply_too_long=1")
		q = makeRequest(1, 10, 1, nemo)
		b.send(conn, q) // exactly 4096 octets without Proxy-State
		if a := one(t, "the client got", p.got()); len(a) != 4096 {
			t.Errorf("the client got %d octets, expected 4096", len(a))
		}
		b.net.setServe(func(s []byte) [][]byte {
			return [][]byte{respond(s, 5, fill(200, 4096-20)...)}
		})
		q = makeRequest(4, 9, 0, nemo, proxyState("one"))
		b.send(conn, q)
		checkOwn(t, q, p.got(), expectation{})
		b.wantFates("access/relayed=1 access/reply_too_long=1 accounting/reply_too_long=1")
	})
}

// The NAS has acted: its ACK is too long, and a NAK would be wrong, so there is no answer
// (RFC 5176 §3.5).
// Rules: P15, P92, P94
func TestACKThatOutgrows4096(t *testing.T) {
	for asked, ack := range map[radius.Code]radius.Code{40: 41, 43: 44} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict})
			conn, p := b.open()
			b.net.setServe(func(s []byte) [][]byte { return [][]byte{respond(s, ack, fill(200, 4096-20)...)} })
			b.send(conn, makeRequest(asked, 9, 0, nemo, proxyState("one")))
			none(t, "the client got", p.got())
			if !strings.HasSuffix(b.fates(), "/reply_too_long=1") {
				t.Errorf("fates: %s, expected reply_too_long", b.fates())
			}
		})
	}
}

// An answer of the gateway's that would exceed 4096 octets with the client's Proxy-State is
// not sent; the request has the fate that it has anyway.
// Rules: P14, P15
func TestOwnAnswerThatOutgrows4096(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, onUnroutable: Reject})
		conn, p := b.open()
		nobody := user("@x.example") // shorter than what the answer has besides
		q := makeRequest(1, 9, 1, append([]attr{nobody}, fill(33, 4096-20-2-len("@x.example"))...)...)
		if len(q) != 4096 {
			t.Fatalf("the request has %d octets", len(q))
		}
		b.send(conn, q)
		none(t, "the client got", p.got())
		b.wantFates("access/no_route=1")
	})
}
