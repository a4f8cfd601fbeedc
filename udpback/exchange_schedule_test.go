package udpback

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
)

// RFC 5080 §2.2.1: IRT 2 s, MRT 16 s, MRC 5, MRD 30 s. Without jitter the sends
// are at 0, 2, 6, 14 s and the request has failed at 30 s.
// Rules: P55
func TestScheduleWithoutJitter(t *testing.T) {
	s := Schedule{}.withDefaults()
	at, wait := time.Duration(0), s.first(0)
	var sends []time.Duration
	for at < s.Duration {
		sends = append(sends, at)
		at += wait
		wait = s.next(wait, 0)
	}
	want := []time.Duration{0, 2 * time.Second, 6 * time.Second, 14 * time.Second}
	if len(sends) != len(want) {
		t.Fatalf("sends at %v, expected %v", sends, want)
	}
	for i := range want {
		if sends[i] != want[i] {
			t.Errorf("send %d at %v, expected %v", i, sends[i], want[i])
		}
	}
	if at != 30*time.Second {
		t.Errorf("the next send would be due at %v, expected 30s, the failure", at)
	}
}

// RFC 5080 §2.2.1: RT = 2·RTprev + RAND·RTprev, and MRT + RAND·MRT once RT would
// exceed MRT; RAND in ±0.1.
// Rules: P55, P56
func TestScheduleJitter(t *testing.T) {
	s := Schedule{}.withDefaults()
	least, most := 0.0, 0.0
	for range 1000 {
		j := jitter()
		if j < -0.1 || j > 0.1 {
			t.Fatalf("jitter %v is outside ±0.1", j)
		}
		least, most = min(least, j), max(most, j)
	}
	if least > -0.08 || most < 0.08 {
		t.Errorf("of 1000 draws all are between %v and %v, expected nearly all of ±0.1", least, most)
	}
	if got, want := s.first(0.1), 2200*time.Millisecond; got != want {
		t.Errorf("first wait with RAND 0.1 is %v, expected %v", got, want)
	}
	if got, want := s.next(2*time.Second, -0.1), 3800*time.Millisecond; got != want {
		t.Errorf("second wait with RAND -0.1 is %v, expected %v", got, want)
	}
	if got, want := s.next(10*time.Second, 0.1), 17600*time.Millisecond; got != want {
		t.Errorf("a wait beyond MRT with RAND 0.1 is %v, expected %v", got, want)
	}
	s.Max = 2100 * time.Millisecond
	if got, want := s.next(time.Second, 0.1), s.Max; got != want {
		t.Errorf("a wait that is MRT exactly is %v, expected %v: it does not exceed MRT", got, want)
	}
}

// A silent server is sent octet-identical copies from the same port (RFC 2865
// §2.5), each wait within RFC 5080 §2.2.1, and the exchange fails at MRD.
// Rules: P54, P55, P56, P57
func TestSilentServerIsSentTheSameOctetsOnSchedule(t *testing.T) {
	for range 20 { // the jitter differs each time
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", nil)
			defer s.Close()
			o := newOwner(radius.CodeAccountingRequest)
			f.start(t, f.group(t, Failover, s), o)
			<-o.ended
			if took := time.Since(f.net.start); took < 29900*time.Millisecond || took > 30100*time.Millisecond {
				t.Errorf("the exchange failed after %v, expected MRD = 30s", took)
			}
			if got := o.outcome(); got != "replies [] fails [0]" {
				t.Errorf("outcome %s, expected one FailSilent", got)
			}
			checkTransmissions(t, f.net.seen("a:1813"))
		})
	}
}

func checkTransmissions(t *testing.T, seen []transmission) {
	t.Helper()
	// 4 sends, or a fifth when the jitter lets it fall before MRD.
	if len(seen) < 4 || len(seen) > 5 {
		t.Fatalf("%d transmissions, expected 4 or 5", len(seen))
	}
	prev := time.Duration(0)
	for i := 1; i < len(seen); i++ {
		if !bytes.Equal(seen[i].octets, seen[0].octets) {
			t.Errorf("transmission %d differs from the first", i)
		}
		if seen[i].socket != seen[0].socket {
			t.Errorf("transmission %d came from another source port", i)
		}
		wait := seen[i].at - seen[i-1].at
		low, high := 1800*time.Millisecond, 2200*time.Millisecond
		if i > 1 {
			low, high = min(prev*19/10, 14400*time.Millisecond), min(prev*21/10, 17600*time.Millisecond)
		}
		// A sweep takes what falls due within its grain along.
		if wait < low-2*sweepGrain || wait > high+2*sweepGrain {
			t.Errorf("wait %d is %v, expected %v to %v", i, wait, low, high)
		}
		prev = wait
	}
}

// The waits of a request that stays unanswered, as `check` explains them.
// Rules: P55
func TestWaits(t *testing.T) {
	for _, x := range []struct {
		s      Schedule
		jitter float64
		want   string
	}{
		{Schedule{}, 0, "[2s 4s 8s 16s]"},
		{Schedule{}, 0.1, "[2.2s 4.62s 9.702s 17.6s]"},
		{Schedule{Count: 2}, 0, "[2s 4s]"},
		{Schedule{Max: 3 * time.Second, Duration: 9 * time.Second}, 0, "[2s 3s 3s 3s]"},
		{Schedule{Max: 1 << 62, Count: 1 << 30, Duration: 40 * time.Second}, 0, "[2s 4s 8s 16s 32s]"},
	} {
		if got := fmt.Sprint(x.s.Waits(x.jitter)); got != x.want {
			t.Errorf("%+v, %v longer: got %s, expected %s", x.s, x.jitter, got, x.want)
		}
	}
}

// With short waits it is the number of transmissions that ends a schedule: five, where
// nothing else is set, and the wait after the last (RFC 5080 §2.2.1, MRC).
// Rules: P55
func TestFiveTransmissionsAreAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", func(c *ServerConfig) { c.Schedule = Schedule{Initial: time.Second, Max: time.Second} })
		defer a.Close()
		o := newOwner(radius.CodeAccountingRequest)
		began := time.Now()
		f.start(t, f.group(t, Failover, a), o)
		<-o.ended
		if got := o.outcome(); got != "replies [] fails [0]" {
			t.Errorf("%s, expected one FailSilent", got)
		}
		if n := len(f.net.seen("a:1813")); n != 5 {
			t.Errorf("%d transmissions, expected 5", n)
		}
		if took := time.Since(began); took < 4400*time.Millisecond || took > 5600*time.Millisecond {
			t.Errorf("failed after %v, expected five waits of about 1s", took)
		}
	})
}

// Since when a server has a request: since it was first sent to it, whichever of its
// sockets that was; not since it waits there for a socket.
// Rules: P65
func TestUnansweredSince(t *testing.T) {
	for _, row := range []struct {
		name   string
		asked  time.Duration
		parked bool
		want   time.Duration
	}{
		{"sent", 0, false, 100 * second},
		{"sent again, by another socket", 98 * second, false, 98 * second},
		{"parked", 0, true, 0},
		{"parked, and sent before", 98 * second, true, 98 * second},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", nil)
			defer s.Close()
			if row.parked {
				f.net.set(func() { f.net.noWay["a:1812"] = syscall.EMFILE })
			}
			g := f.group(t, Failover, s)
			pass(100*second - 1)
			o := newOwner(radius.CodeAccessRequest)
			b := f.backend.AcquireBatch()
			if err := g.Start(&o.Exchange, b); err != nil {
				t.Fatal(err)
			}
			o.firstSent = row.asked
			b.Flush()
			f.backend.ReleaseBatch(b)
			so := o.Exchange.socket
			so.mu.Lock()
			defer so.mu.Unlock()
			if o.firstSent != row.want || so.parked() != row.parked {
				t.Errorf("%s: asked at %v, expected %v", row.name, o.firstSent, row.want)
			}
		})
	}
}
