package relay

import (
	"bytes"
	"testing"
	"testing/synctest"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// A route with accounting = "answer" acknowledges accounting of any type itself, with
// the client's Proxy-State and signed for it. No server is sent any of it; Access-Requests
// of the route go to the server as ever.
// Rules: AR12, P34
func TestAccountingIsAnsweredHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.rules.Routes[0].AnswersAccounting = true
		conn, p := b.open()
		for i, status := range []uint32{1, 2, 3, 7, 8, 15, 4711} { // Start, Stop, Interim-Update, On, Off, Failed, unknown
			q := makeRequest(4, byte(i), 0, nemo, integer(40, status), text(44, "session"), proxyState("one"), proxyState("two"))
			b.send(conn, q)
			a := one(t, "the client got", p.got())
			checkAnswer(t, q, a, 5)
			if len(a) != 20+5+5 {
				t.Errorf("the answer to Acct-Status-Type %d has %d octets, expected the header and two Proxy-State", status, len(a))
			}
		}
		if seen := b.net.seen(); len(seen) != 0 {
			t.Errorf("the server got %d datagrams, expected none", len(seen))
		}
		b.send(conn, makeRequest(1, 1, 1, nemo, mac))
		if q := b.oneSeen(); q[0] != 1 {
			t.Errorf("the server got code %d, expected the Access-Request", q[0])
		}
		if n := conn.Outstanding(); n != 1 {
			t.Errorf("%d requests are outstanding, expected only the Access-Request", n)
		}
		b.stop()
		b.wantFates("access/client_gone=1 accounting/accounting_answered=7")
	})
}

// The same request again gets the same answer, as long as that is kept; another with
// its Identifier gets its own.
// Rules: AR12, P60
func TestAnsweredAccountingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.rules.Routes[0].AnswersAccounting = true
		conn, p := b.open()
		q, other := makeRequest(4, 1, 0, nemo, integer(40, 1)), makeRequest(4, 1, 0, nemo, integer(40, 2))
		b.send(conn, q)
		first := one(t, "the client got", p.got())
		b.send(conn, q)
		if again := one(t, "the client got for the duplicate", p.got()); !bytes.Equal(first, again) {
			t.Errorf("the duplicate got % x, expected the first answer % x", again, first)
		}
		b.send(conn, other)
		checkAnswer(t, other, one(t, "the client got", p.got()), 5)
		pass(2 * keepAnswers)
		b.send(conn, other)
		checkAnswer(t, other, one(t, "the client got long after", p.got()), 5)
		b.wantFates("accounting/accounting_answered=3 accounting/duplicate_answered=1")
	})
}

// In RADIUS/1.1 the answer has the request's Token, and no authenticator.
// Rules: AR12
func TestAccountingIsAnsweredHere11(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.rules.Routes[0].AnswersAccounting = true
		conn, p := b.open11()
		for range 2 { // a Token may be used again as soon as its request is answered
			q := makeRequest11(4, 77, nemo, integer(40, 1), proxyState("one"))
			b.send(conn, q)
			checkAnswer11(t, q, one(t, "the client got", p.got()), 5)
		}
		b.wantFates("accounting/accounting_answered=2")
	})
}

// The answer needs no server: the route may have none, and then refuses
// Access-Requests as ever; or its server may be silent.
// Rules: AR12
func TestAccountingIsAnsweredWithoutServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.rules.Routes[0] = Route{AnswersAccounting: true}
		conn, p := b.open()
		q := makeRequest(4, 1, 0, nemo, integer(40, 1))
		b.send(conn, q)
		checkAnswer(t, q, one(t, "the client got", p.got()), 5)
		q = makeRequest(1, 1, 1, nemo, mac)
		b.send(conn, q)
		checkAnswer(t, q, one(t, "the client got", p.got()), 3)
		b.wantFates("access/no_route=1 accounting/accounting_answered=1")
	})
}

// What a client may not send is not acknowledged, nor what does not verify; and an
// answer that would be too long is not sent.
// Rules: AR12, P15
func TestAccountingThatIsNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, allowed: []wire.Kind{wire.KindAccess}})
		b.rules.Routes[0].AnswersAccounting = true
		conn, p := b.open()
		b.send(conn, makeRequest(4, 1, 0, nemo))
		none(t, "the client got for accounting that it may not send", p.got())
		allowed := *b.client
		allowed.Allowed[wire.KindAccounting] = true
		b.known.Reconfigure(&allowed)
		b.send(conn, makeRequest(4, 2, 0, user("x@nowhere.example")))
		none(t, "the client got for a realm without a route", p.got())
		wrong := makeRequest(4, 3, 0, nemo)
		wrong[4] ^= 1
		if err := b.send(conn, wrong); err == nil {
			t.Error("the connection goes on after a wrong Request Authenticator, expected it closed")
		}
		none(t, "the client got for a wrong Request Authenticator", p.got())
		b.wantFates("accounting/bad_request_authenticator=1 accounting/no_route=1 accounting/not_allowed=1")
	})
}

// The answer is counted by route, and an answer that the connection does not accept is
// counted as such.
// Rules: AR12
func TestAnsweredAccountingIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.rules.Routes[0].AnswersAccounting = true
		b.rules.Routes[0].Metrics = b.relay.metrics.Route("example.org")
		conn, p := b.open()
		b.send(conn, makeRequest(4, 1, 0, nemo))
		one(t, "the client got", p.got())
		p.deaf, p.ended = true, metrics.ClosedNotReading
		b.send(conn, makeRequest(4, 2, 0, nemo))
		b.wantFates("accounting/accounting_answered=1 accounting/client_not_reading=1")
		if got := b.counts("radsec_gw_route_answers_total", "code"); got != "Accounting-Response=1" {
			t.Errorf("the route's answers are %q, expected one Accounting-Response", got)
		}
		if got := b.counts("radsec_gw_route_requests_total", "fate"); got != "accounting_answered=1 client_not_reading=1" {
			t.Errorf("the route's requests are %q, expected both", got)
		}
	})
}

// By default the server alone acknowledges accounting: until it does, the client gets
// nothing.
// Rules: AR12, P71
func TestAccountingIsForwardedByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		q := makeRequest(4, 1, 0, nemo, integer(40, 1))
		b.send(conn, q)
		seen := b.net.seen()
		if len(seen) != 1 || seen[0].octets[0] != 4 {
			t.Fatalf("the server got %d datagrams, expected the Accounting-Request", len(seen))
		}
		none(t, "the client got before the server's answer", p.got())
		seen[0].from.in <- respond(seen[0].octets, 5)
		synctest.Wait()
		checkAnswer(t, q, one(t, "the client got", p.got()), 5)
		b.wantFates("accounting/relayed=1")
	})
}
