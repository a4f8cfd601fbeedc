package tlsfront

import (
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/identity"
)

// Over any time, no more comes through than the rate and a second's worth.
func TestPace(t *testing.T) {
	for _, c := range []struct {
		says   string
		client Client
		size   int
		most   int // in ten seconds
	}{
		{"packets", Client{PacketsPerSecond: 100}, 200, 1100},
		{"octets", Client{OctetsPerSecond: 20000}, 200, 1100},
		{"packets before octets", Client{PacketsPerSecond: 10, OctetsPerSecond: 1 << 30}, 200, 110},
		{"one packet a second", Client{PacketsPerSecond: 1}, 4096, 11},
		{"less than a packet a second", Client{OctetsPerSecond: 1000}, 4096, 3},
	} {
		p := newRateLimiter(&c.client)
		start := time.Unix(1_000_000, 0)
		n := 0
		for now := start; now.Before(start.Add(10 * time.Second)); now = now.Add(time.Millisecond) {
			for {
				wait, _ := p.allow(now, c.size)
				if wait < 0 {
					t.Fatalf("%s: a wait of %v", c.says, wait)
				}
				if wait > 0 {
					break
				}
				n++
			}
		}
		if n > c.most+1 || n < c.most*8/10 {
			t.Errorf("%s: %d packets come through in 10 s, want about %d", c.says, n, c.most)
		}
	}
	if newRateLimiter(&Client{}) != nil {
		t.Error("a client without limits has a pace")
	}
}

// A client beyond its rate is read more slowly for a second, then its excess is
// dropped under a name; when it slows down it is served as before.
//
// Rules: P100
func TestExcessWaitsThenIsShed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, func(cfg *Config) {
			cfg.Clients = []*Client{{Client: identity.Client{Name: "campus"}, PacketsPerSecond: 100}}
		})
		c, p := f.dialPipe(l)
		go io.Copy(io.Discard, c)
		start := time.Now()
		for range 150 { // 100 at once, 50 in half a second more
			c.Write(packet(20, 1))
		}
		synctest.Wait()
		if d := time.Since(start); d < 400*time.Millisecond || d > 600*time.Millisecond {
			t.Errorf("150 packets at 100 a second are taken in %v, want about 0.5 s", d)
		}
		f.wantMetric(`radsec_gw_requests_total{client="campus",fate="rate_limited",kind="access"}`, 0)
		if got := f.metric(`radsec_gw_tls_throttled_connections`); got > 1 {
			t.Errorf("%v connections are throttled", got)
		}

		start = time.Now()
		for range 1000 {
			c.Write(packet(20, 1))
			sleep(2 * time.Millisecond) // of faked time: 500 a second
		}
		synctest.Wait()
		shed := f.metric(`radsec_gw_requests_total{client="campus",fate="rate_limited",kind="access"}`)
		taken := float64(len(p.packets))
		if taken+shed != 1150 {
			t.Errorf("of 1150 packets %v were taken and %v shed", taken, shed)
		}
		if d := time.Since(start); d > 4*time.Second || shed < 500 {
			t.Errorf("1000 packets took %v and %v were shed: the excess was not dropped", d, shed)
		}
		sleep(2 * time.Second)
		for range 50 {
			c.Write(packet(20, 1))
		}
		synctest.Wait()
		if got := float64(len(p.packets)); got != taken+50 {
			t.Errorf("after it has slowed down %v of 50 packets are taken", got-taken)
		}
		c.Close()
	})
}

// counting is a Handler with requests outstanding.
type counting struct {
	*testHandler
	open atomic.Int64
}

func (c *counting) Packet(b []byte) error { c.open.Add(1); return c.testHandler.Packet(b) }
func (c *counting) Outstanding() int      { return int(c.open.Load()) }

// startCounting is startPipe with handlers that count.
func startCounting(t *testing.T, change func(*Config)) (*front, *pipeListener, chan *counting) {
	opened := make(chan *counting, 10)
	l := newPipeListener()
	f := start(t, l, func(f *front, cfg *Config) {
		open := f.open
		f.open = func(s *Session) Handler {
			c := &counting{testHandler: open(s).(*testHandler)}
			opened <- c
			return c
		}
		change(cfg)
	})
	return f, l, opened
}

// A connection has a bounded number of requests outstanding: more wait, and are
// dropped when that lasts.
//
// Rules: P100
func TestOutstandingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l, opened := startCounting(t, func(cfg *Config) { cfg.MaxOutstanding = 10 })
		c, _ := f.dialPipe(l)
		h := <-opened
		go func() {
			for range 30 {
				c.Write(packet(20, 1))
			}
		}()
		sleep(500 * time.Millisecond)
		if n := h.Outstanding(); n != 10 {
			t.Errorf("%d requests are outstanding, want 10", n)
		}
		h.open.Add(-5)
		sleep(100 * time.Millisecond)
		if n := len(h.packets); n != 15 {
			t.Errorf("after 5 answers %d packets were taken, want 15", n)
		}
		f.wantMetric(`radsec_gw_requests_total{client="campus",fate="too_many_outstanding",kind="access"}`, 0)
		f.wantMetric(`radsec_gw_tls_throttled_connections`, 1)
		sleep(2 * time.Second)
		f.wantMetric(`radsec_gw_requests_total{client="campus",fate="too_many_outstanding",kind="access"}`, 15)
		h.open.Store(0)
		c.Write(packet(20, 1))
		synctest.Wait()
		if n := len(h.packets); n != 16 {
			t.Errorf("when all is answered, %d packets were taken, want 16", n)
		}
		f.wantMetric(`radsec_gw_tls_throttled_connections`, 0)
		c.Close()
	})
}
