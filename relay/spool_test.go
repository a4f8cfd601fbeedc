package relay

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/spool"
)

// While a server answers, the spool has nothing to do; when none does, it takes over after
// spool_after, and the client gets a signed Accounting-Response with its Proxy-State.
//
// Rules: SP1, SP2, SP3
func TestSpoolTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, "")
		conn, p := b.open()
		b.answering()
		b.send(conn, record(1, 1, "s1"))
		if got := p.got(); len(got) != 1 || b.spool.State().Records != 0 {
			t.Fatalf("expected the server's answer and nothing in the spool, got %d answers and %d records", len(got), b.spool.State().Records)
		}
		b.silent()
		q := record(2, 1, "s2", proxyState("one"))
		b.send(conn, q)
		b.passing(testSpoolAfter - 100*time.Millisecond)
		if got := p.got(); len(got) != 0 {
			t.Fatalf("expected no answer before spool_after, got %d", len(got))
		}
		b.passing(200 * time.Millisecond)
		checkAnswer(t, q, one(t, "the client got", p.got()), 5)
		if n := b.spool.State().Records; n != 1 {
			t.Errorf("expected 1 record in the spool, got %d", n)
		}
		b.send(conn, q) // again, as a client does that has missed the answer
		checkAnswer(t, q, one(t, "the client got again", p.got()), 5)
		b.wantFates("accounting/duplicate_answered=1 accounting/relayed=1 accounting/spooled=1")
		if n := conn.Outstanding(); n != 0 {
			t.Errorf("expected nothing outstanding, got %d", n)
		}
	})
}

// A server that answers later than spool_after has the record: it leaves the spool, and is not
// sent again.
//
// Rules: SP3
func TestServerAnswersLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, "")
		conn, p := b.open()
		b.send(conn, record(1, 1, "s1"))
		b.passing(testSpoolAfter + 100*time.Millisecond)
		one(t, "the client got", p.got())
		b.answering() // the third transmission
		b.passing(time.Minute)
		if got := p.got(); len(got) != 0 {
			t.Errorf("expected no second answer, got %d", len(got))
		}
		for _, s := range b.sentRecords() {
			if s != "s1/1" {
				t.Errorf("unexpected record %s", s)
			}
		}
		if n := b.spool.State().Records; n != 0 {
			t.Errorf("expected an empty spool, got %d records", n)
		}
		if n := b.sum("radsec_gw_spool_answered_late_total"); n != 1 {
			t.Errorf("expected 1 record that was answered late, got %v", n)
		}
	})
}

// The records of a session are sent in order: what arrives while an earlier one is on its way,
// or in the spool, goes through the spool, although a server is there again.
//
// Rules: SP5
func TestSessionStaysInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, "")
		conn, p := b.open()
		b.send(conn, record(1, 1, "s1")) // Start: on its way for 2 s until it is sent again
		pass(100 * time.Millisecond)
		b.net.seen()
		b.answering()
		b.send(conn, record(2, 3, "s1")) // Interim-Update
		b.send(conn, record(3, 2, "s1")) // Stop
		b.send(conn, record(4, 1, "s2")) // another session
		b.settle()
		if got := len(p.got()); got != 4 {
			t.Errorf("expected 4 acknowledgements, of the gateway for three and of the server for the other session, got %d", got)
		}
		if got := b.sentRecords(); !slices.Equal(got, []string{"s2/1"}) {
			t.Errorf("expected that only the other session's Start is sent, got %v", got)
		}
		b.passing(10 * time.Second)
		if got, want := b.sentRecords(), []string{"s1/1", "s1/3", "s1/2"}; !slices.Equal(got, want) {
			t.Errorf("expected %v, got %v", want, got)
		}
		b.wantFates("accounting/relayed=1 accounting/spooled=3")
	})
}

// A record that cannot be stored is not acknowledged, and its server may still answer it.
//
// Rules: SP2, SP10
func TestSpoolThatCannotStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, "")
		b.spool.SetLimits(spool.Limits{MaxRecords: 0, Rate: 1, Window: 1})
		conn, p := b.open()
		b.send(conn, record(1, 1, "s1"))
		b.passing(testSpoolAfter + 100*time.Millisecond)
		if got := p.got(); len(got) != 0 {
			t.Fatalf("expected no answer from a full spool, got %d", len(got))
		}
		b.answering() // the third transmission
		b.passing(2 * time.Second)
		one(t, "the client got", p.got())
		b.silent()
		b.send(conn, record(2, 1, "s2"))
		b.passing(time.Minute)
		if got := p.got(); len(got) != 0 {
			t.Errorf("expected no answer from a full spool, got %d", len(got))
		}
		b.wantFates("accounting/relayed=1 accounting/server_silent=1")
	})
}

// A record that must wait for an earlier one of its session, but cannot be stored, is not
// acknowledged, and does not overtake that one.
//
// Rules: SP5, SP10
func TestSessionThatCannotBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, "")
		b.spool.SetLimits(spool.Limits{MaxRecords: 0, Rate: 1, Window: 1})
		conn, p := b.open()
		b.send(conn, record(1, 1, "s1"))
		b.net.seen()
		b.answering()
		b.send(conn, record(2, 2, "s1"))
		b.settle()
		if sent, got := b.sentRecords(), p.got(); len(sent) != 0 || len(got) != 0 {
			t.Errorf("expected that the Stop is neither sent nor acknowledged, got %v, %d answers", sent, len(got))
		}
		b.wantFates("accounting/spool_failed=1")
		b.passing(10 * time.Second)
		b.wantFates("accounting/relayed=1 accounting/spool_failed=1")
	})
}

// A record with a password that is too long to be encrypted is not stored, and not acknowledged.
//
// Rules: SP2, SP4
func TestRecordThatCannotBeEncrypted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, "")
		conn, _ := b.open()
		b.down(conn)
		conn, p := b.open11()
		b.send(conn, makeRequest11(4, 9, nemo, integer(40, 1), text(44, "s1"), attr{69, make([]byte, 250)}))
		b.settle()
		if got := p.got(); len(got) != 0 {
			t.Errorf("expected no answer, got %d", len(got))
		}
		if n := conn.Outstanding(); n != 0 {
			t.Errorf("expected nothing outstanding, got %d", n)
		}
		b.wantFates("accounting/spool_failed=1 accounting/spooled=1")
		if n := b.counts("radsec_gw_spool_refused_total", "reason"); n != "unreadable=1" {
			t.Errorf("expected one record that was unreadable, got %s", n)
		}
	})
}

// Only accounting is spooled, and only that of routes that ask for it.
//
// Rules: SP1
func TestOnlyAccountingOfTheRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, "")
		conn, _ := b.open()
		for _, code := range []radius.Code{1, 40, 43} {
			b.send(conn, makeRequest(code, 1, 1, nemo, mac))
		}
		b.rules.Routes[0].SpoolAfter = 0
		b.send(conn, record(2, 1, "s1"))
		b.passing(time.Minute)
		if n := b.sum("radsec_gw_spool_stored_total"); n != 0 {
			t.Errorf("expected nothing in the spool, got %v records", n)
		}
	})
}

// A client that is gone when its record is stored gets nothing, and the record is sent later.
// Nothing of the connection is used then.
//
// Rules: SP2, SP5
func TestClientGoneMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, "")
		conn, p := b.open()
		b.send(conn, record(1, 1, "s1"))
		b.send(conn, record(2, 2, "s1")) // to the spool at once
		conn.Closed()
		b.passing(time.Minute)
		if got := p.got(); len(got) > 2 {
			t.Errorf("expected at most the answers of what was stored at once, got %d", len(got))
		}
		b.answering()
		b.passing(2 * time.Minute)
		if n := b.spool.State().Records; n != 0 {
			t.Errorf("expected an empty spool, got %d records", n)
		}
	})
}

// The schedule may end before spool_after: then the spool takes over at its end.
//
// Rules: SP3
func TestScheduleEndsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, "")
		b.rules.Routes[0].SpoolAfter = time.Hour
		conn, p := b.open()
		q := record(1, 1, "s1")
		b.send(conn, q)
		b.passing(time.Minute)
		checkAnswer(t, q, one(t, "the client got", p.got()), 5)
		b.wantFates("accounting/spooled=1")
	})
}

// A Start that no server has answered yet is stored before its Stop is acknowledged: were only
// the Stop there after a crash, it would be sent alone. All are sent in the order in which they
// arrived, also if they arrived in one burst.
//
// Rules: SP5, SP9
func TestBurstOfASession(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			b := newSpoolBed(t, settings{}, "")
			conn, p := b.open()
			for i, status := range []uint32{1, 3, 2} {
				b.put(conn, record(byte(i+1), status, "s1"))
			}
			conn.Flush()
			b.settle()
			if got := len(p.got()); got != 3 {
				t.Errorf("expected that all three are stored and acknowledged at once, got %d answers", got)
			}
			b.net.seen()
			b.passing(time.Minute)
			b.net.seen()
			b.answering()
			b.passing(2 * time.Minute)
			if got, want := b.sentRecords(), []string{"s1/1", "s1/3", "s1/2"}; !slices.Equal(got, want) {
				t.Errorf("expected %v, got %v", want, got)
			}
		})
	}
}
