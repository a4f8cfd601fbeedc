package udpback

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// A verified reply ends the exchange and its schedule; whatever follows for the
// same request is dropped.
// Rules: P21, P57, P64
func TestReplyEndsTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		f.net.serve = func(_ string, q []byte) [][]byte {
			r := answer(t, q, radius.CodeAccountingResponse)
			return [][]byte{r, r}
		}
		o := newOwner(radius.CodeAccountingRequest)
		f.start(t, f.group(t, Failover, s), o)
		<-o.ended
		pass(time.Minute)
		if got := o.outcome(); got != "replies [Accounting-Response] fails []" {
			t.Errorf("%s, expected one Accounting-Response", got)
		}
		if n := len(f.net.seen("a:1813")); n != 1 {
			t.Errorf("%d transmissions, expected the first only", n)
		}
		if n := f.count(t, "radsec_gw_server_replies_total", "result", "unmatched"); n != 1 {
			t.Errorf("%v replies counted as unmatched, expected the doubled one", n)
		}
		if n := f.count(t, "radsec_gw_server_outstanding_requests"); n != 0 {
			t.Errorf("%v requests outstanding, expected none", n)
		}
	})
}

// What does not verify is counted and changes nothing: the timers run on and the
// true reply is still taken.
// Rules: P2, P16, P21
func TestBadRepliesChangeNothing(t *testing.T) {
	forged := func(q []byte) []byte {
		b := answer(t, q, radius.CodeAccountingResponse)
		b[5] ^= 1
		return b
	}
	rows := []struct {
		name, result string
		make         func(q []byte) []byte
	}{
		{"a wrong Response Authenticator", "bad_response_authenticator", forged},
		{"a code that does not answer", "wrong_code", func(q []byte) []byte { return answer(t, q, radius.CodeAccessAccept) }},
		{"another Identifier", "unmatched", func(q []byte) []byte {
			b := answer(t, q, radius.CodeAccountingResponse)
			b[1]++
			return b
		}},
		{"nineteen octets", "malformed", func(q []byte) []byte { return answer(t, q, radius.CodeAccountingResponse)[:19] }},
		{"a Length beyond the datagram", "malformed", func(q []byte) []byte {
			b := answer(t, q, radius.CodeAccountingResponse)
			b[3] += 4
			return b
		}},
		{"nothing", "malformed", func(q []byte) []byte { return nil }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				s := f.server(t, "a", nil)
				defer s.Close()
				f.net.serve = func(_ string, q []byte) [][]byte {
					if len(f.net.seen("a:1813")) == 1 {
						return [][]byte{row.make(q)}
					}
					// The padding behind Length is ignored (RFC 2865 §3).
					return [][]byte{append(answer(t, q, radius.CodeAccountingResponse), 1, 2, 3)}
				}
				o := newOwner(radius.CodeAccountingRequest)
				f.start(t, f.group(t, Failover, s), o)
				<-o.ended
				if got := o.outcome(); got != "replies [Accounting-Response] fails []" {
					t.Errorf("%s, expected the true reply to the second transmission", got)
				}
				if took := time.Since(f.net.start); took < 1800*time.Millisecond-sweepGrain || took > 2200*time.Millisecond+sweepGrain {
					t.Errorf("answered after %v, expected the first wait of about 2s: a bad reply leaves the timers alone", took)
				}
				if n := f.count(t, "radsec_gw_server_replies_total", "result", row.result); n != 1 {
					t.Errorf("%v counted as %s, expected 1", n, row.result)
				}
			})
		})
	}
}

// A Protocol-Error is not a reply to relay: it ends the schedule and is reported
// with its cause.
// Rules: P97, P98
func TestProtocolErrorEndsTheExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		f.net.serve = func(_ string, q []byte) [][]byte {
			return [][]byte{protocolError(q, 502-256)}
		}
		o := newOwner(radius.CodeAccountingRequest)
		f.start(t, f.group(t, Failover, s), o)
		<-o.ended
		if len(o.fails) != 1 || o.fails[0] != FailProtocolError || o.causes[0] != 502 {
			t.Errorf("%s causes %v, expected one FailProtocolError with 502", o.outcome(), o.causes)
		}
	})
}

// A cancelled exchange is not resent; its Identifier rests until the schedule's
// end (RFC 5080 §2.2.2), and a late reply is counted and dropped.
// Rules: P26, P59
func TestCancelStopsTheScheduleAndKeepsTheIdentifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", func(c *ServerConfig) { c.MaxSockets = 1 })
		defer s.Close()
		g := f.group(t, Failover, s)
		o := newOwner(radius.CodeAccountingRequest)
		f.start(t, g, o)
		if !o.Cancel() {
			t.Fatal("Cancel found nothing to take back, expected the waiting exchange")
		}
		for range 255 {
			f.start(t, g, newOwner(radius.CodeAccountingRequest))
		}
		b := f.backend.AcquireBatch()
		if err := g.Start(&newOwner(radius.CodeAccountingRequest).Exchange, b); !errors.Is(err, ErrNoIdentifier) {
			t.Errorf("Start gave %v while the cancelled Identifier must rest, expected ErrNoIdentifier", err)
		}
		f.backend.ReleaseBatch(b)
		pass(31 * time.Second)
		if got := o.outcome(); got != "replies [] fails []" {
			t.Errorf("%s after Cancel, expected silence", got)
		}
		first := f.net.seen("a:1813")[0].octets
		copies := 0
		for _, tr := range f.net.seen("a:1813") {
			if string(tr.octets) == string(first) {
				copies++
			}
		}
		if copies != 1 {
			t.Errorf("the cancelled request was sent %d times, expected once", copies)
		}
		f.start(t, g, newOwner(radius.CodeAccountingRequest)) // the Identifiers are free again
	})
}

// Rules: P21, P26, P59
func TestLateReplyOfACancelledExchangeFreesItsIdentifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		o := newOwner(radius.CodeAccountingRequest)
		f.start(t, f.group(t, Failover, s), o)
		o.Cancel()
		f.net.sockets[0].in <- answer(t, f.net.seen("a:1813")[0].octets, radius.CodeAccountingResponse)
		synctest.Wait()
		if n := f.count(t, "radsec_gw_server_outstanding_requests"); n != 0 {
			t.Errorf("%v outstanding, expected the valid reply to free the Identifier", n)
		}
		if got := o.outcome(); got != "replies [] fails []" {
			t.Errorf("%s, expected nothing for a cancelled exchange", got)
		}
	})
}

// The 257th request opens a second socket; at the ceiling the group's next
// server takes over, and only then Start fails.
// Rules: P26
func TestFullSocketsOpenAnotherThenSpill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		two := func(c *ServerConfig) { c.MaxSockets = 2 }
		one := func(c *ServerConfig) { c.MaxSockets = 1 }
		a, b := f.server(t, "a", two), f.server(t, "b", one)
		defer a.Close()
		defer b.Close()
		g := f.group(t, Failover, a, b)
		for range 768 {
			f.start(t, g, newOwner(radius.CodeAccountingRequest))
		}
		type key struct {
			address string
			socket  int
			id      byte
		}
		used := map[key]bool{}
		for _, address := range []string{"a:1813", "b:1813"} {
			for _, tr := range f.net.seen(address) {
				k := key{address, tr.socket, tr.octets[1]}
				if used[k] {
					t.Fatalf("Identifier %d of socket %d to %s is used twice", k.id, k.socket, address)
				}
				used[k] = true
			}
		}
		if na, nb := len(f.net.seen("a:1813")), len(f.net.seen("b:1813")); na != 512 || nb != 256 {
			t.Errorf("%d requests to a and %d to b, expected 512 and the spilled 256", na, nb)
		}
		batch := f.backend.AcquireBatch()
		defer f.backend.ReleaseBatch(batch)
		o := newOwner(radius.CodeAccountingRequest)
		if err := g.Start(&o.Exchange, batch); !errors.Is(err, ErrNoIdentifier) {
			t.Errorf("the 769th request: %v, expected ErrNoIdentifier", err)
		}
		if o.writes != 0 {
			t.Error("a request that was not started was written")
		}
	})
}

// What the owner cannot write is not sent, and costs no Identifier.
func TestUnwritableRequestLeavesNoTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		g := f.group(t, Failover, s)
		batch := f.backend.AcquireBatch()
		defer f.backend.ReleaseBatch(batch)
		for range 300 {
			o := newOwner(radius.CodeAccessRequest)
			o.writeErr = errTest
			if err := g.Start(&o.Exchange, batch); !errors.Is(err, errTest) {
				t.Fatalf("Start: %v, expected the owner's own error", err)
			}
		}
		batch.Flush()
		if n := f.count(t, "radsec_gw_server_outstanding_requests"); n != 0 || len(f.net.seen("a:1812")) != 0 {
			t.Errorf("%v outstanding and %d sent, expected nothing", n, len(f.net.seen("a:1812")))
		}
	})
}

// Closing fails what still waits, once, and ends every goroutine.
func TestCloseFailsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, s), o)
		s.Close()
		if len(o.fails) != 1 || o.fails[0] != FailShutdown {
			t.Errorf("%s, expected one FailShutdown", o.outcome())
		}
		if n := f.count(t, "radsec_gw_server_open_sockets"); n != 0 {
			t.Errorf("%v sockets open after Close", n)
		}
	})
}

// Served names the server and port that had the exchange last and counts its
// transmissions; after ClearServed, as before the first Start, it names none.
func TestServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		g := f.group(t, Failover, s)
		o := newOwner(radius.CodeAccountingRequest)
		check := func(when, wantServer string, wantPort metrics.Port, wantSends int) {
			t.Helper()
			if server, port, sends := o.Served(); server != wantServer || port != wantPort || sends != wantSends {
				t.Errorf("%s: %q, %q, %d; expected %q, %q, %d", when, server, port, sends, wantServer, wantPort, wantSends)
			}
		}
		check("before Start", "", "", 0)
		f.start(t, g, o)
		pass(3 * time.Second)
		f.net.sockets[0].in <- answer(t, f.net.seen("a:1813")[0].octets, radius.CodeAccountingResponse)
		<-o.ended
		check("after two transmissions", "a", "acct", 2)
		o.ClearServed()
		check("after ClearServed", "", "", 0)
		f.net.answering(t, "a")
		f.start(t, g, o)
		<-o.ended
		check("started again", "a", "acct", 1)
	})
}

// Started again before it has been flushed, an exchange is not found where it waited
// the time before: Cancel stops nothing there.
// Rules: P59
func TestCancelBeforeTheFirstTransmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		g := f.group(t, Failover, s)
		o := newOwner(radius.CodeAccountingRequest)
		f.start(t, g, o)
		f.net.sockets[0].in <- answer(t, f.net.seen("a:1813")[0].octets, radius.CodeAccountingResponse)
		<-o.ended
		b := f.backend.AcquireBatch()
		defer f.backend.ReleaseBatch(b)
		if err := g.Start(&o.Exchange, b); err != nil {
			t.Fatal(err)
		}
		if o.Exchange.socket != nil {
			t.Error("the exchange waits where it waited before it was started again, expected nowhere yet")
		}
		if o.Cancel() {
			t.Error("Cancel reports that it took the exchange back, expected false: it is in a batch")
		}
		b.Flush()
		pass(31 * time.Second)
		if n := len(f.net.seen("a:1813")); n != 2 {
			t.Errorf("%d transmissions, expected the first request's and one of the cancelled one", n)
		}
		if got := o.outcome(); got != "replies [Accounting-Response] fails [0]" {
			t.Errorf("%s, expected the first reply and one end of the cancelled exchange", got)
		}
	})
}

// When an exchange looks for another server although it is not due: one that only
// tries its server after a moment, the others when the route's patience is over.
// Rules: P65
func TestMoveAt(t *testing.T) {
	end := new(endpoint)
	end.addressSince.Store(int64(3 * second))
	group := func(patience time.Duration) *Group { return &Group{patience: patience} }
	for _, row := range []struct {
		name string
		code wire.Code
		j    progress
		want time.Duration
	}{
		{"a check", radius.CodeAccessRequest, progress{ep: end, firstSent: 7 * second}, 0},
		{"CoA", radius.CodeCoARequest, progress{group: group(second), ep: end, firstSent: 7 * second}, 0},
		{"Disconnect", radius.CodeDisconnectRequest, progress{group: group(second), ep: end, firstSent: 7 * second}, 0},
		{"a try", radius.CodeAccessRequest, progress{group: group(second), ep: end, firstSent: 7 * second, trying: true}, 9*second + tryWait},
		{"a try, with little patience", radius.CodeAccountingRequest, progress{group: group(time.Millisecond), ep: end, trying: true}, 9*second + time.Millisecond},
		{"asked at this address", radius.CodeAccessRequest, progress{group: group(second), ep: end, firstSent: 7 * second}, 8 * second},
		{"asked at an earlier address", radius.CodeAccountingRequest, progress{group: group(second), ep: end, firstSent: 2 * second}, 4 * second},
	} {
		ex := &Exchange{Kind: wire.KindOf(row.code), progress: row.j}
		if got := ex.moveAt(9 * second); got != row.want {
			t.Errorf("%s, at 9s: %v, expected %v", row.name, got, row.want)
		}
	}
}
