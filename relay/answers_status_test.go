package relay

import (
	"testing"
	"testing/synctest"

	"radsec-gw/wire"
)

// The answer to a Status-Server has Message-Authenticator first, and the request's
// Proxy-State. It has nothing else, whatever the request has, and it is one packet (RFC 5997
// §3).
// Rules: P77, P78, P79
func TestStatusAnswerHoldsNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		for i, attrs := range [][]attr{
			{mac},
			{nemo, text(32, "nas"), mac},
			{mac, user("nobody@nowhere.example"), text(24, "state"), text(18, "hello"), eap(2, 1, 0, 4)},
		} {
			q := makeRequest(12, byte(i), i, append(attrs, proxyState("one"), proxyState("two"))...)
			b.send(conn, q)
			a := one(t, "the client got", p.got())
			checkAnswer(t, q, a, 2)
			var types []byte
			for at := 20; at < len(a); at += int(a[at+1]) {
				types = append(types, a[at])
			}
			if string(types) != "\x50\x21\x21" {
				t.Errorf("the answer has the attributes %d, expected 80 and twice 33", types)
			}
		}
		b.wantFates("status/status_answered=3")
	})
}

// A Status-Server gets no answer if that would be too long with its Proxy-State. A request
// with a Message-Authenticator is never that long.
// Rules: P15, P34
func TestStatusAnswerThatDoesNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		work := conn.acquireBurst()
		if err := conn.parse(&work.view, makeRequest(12, 1, 1, fill(33, 4096-20)...)); err != nil {
			t.Fatal(err)
		}
		b.packets++
		req := conn.newRequest(&work.view)
		conn.finish(req, work.answerStatus(req))
		conn.Flush()
		none(t, "the client got", p.got())
		b.wantFates("status/reply_too_long=1")
		b.send(conn, makeRequest(12, 2, 2, append([]attr{mac}, fill(33, 4096-20-18)...)...))
		if a := one(t, "the client got", p.got()); len(a) != wire.MaxLength {
			t.Errorf("the answer has %d octets, expected %d", len(a), wire.MaxLength)
		}
	})
}
