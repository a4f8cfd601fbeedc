package tlsfront

import (
	"crypto/tls"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/identity"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// A client that exceeds its rate is read more slowly for a second, then its excess is
// dropped and counted; when it slows down, it is served as before.
//
// Rules: P100
func TestExcessWaitsThenIsShed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, func(cfg *Config) {
			cfg.Clients = []*sessions.Client{{Client: identity.Client{Name: "campus"}, PacketsPerSecond: 100}}
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
			pass(2 * time.Millisecond) // of faked time: 500 a second
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
		f.wantLine("packets of a client are dropped", "level=WARN", "client=campus", "fate=rate_limited", "packets_per_second")
		if n := len(f.log.lines("packets of a client are dropped")); n != 1 {
			t.Errorf("%d lines say that packets are dropped, expected one a minute", n)
		}
		pass(2 * time.Second)
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

// The number of outstanding requests of a connection is limited: more wait, and are
// dropped after a while.
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
		pass(500 * time.Millisecond)
		if n := h.Outstanding(); n != 10 {
			t.Errorf("%d requests are outstanding, want 10", n)
		}
		h.open.Add(-5)
		pass(100 * time.Millisecond)
		if n := len(h.packets); n != 15 {
			t.Errorf("after 5 answers %d packets were taken, want 15", n)
		}
		f.wantMetric(`radsec_gw_requests_total{client="campus",fate="too_many_outstanding",kind="access"}`, 0)
		f.wantMetric(`radsec_gw_tls_throttled_connections`, 1)
		pass(2 * time.Second)
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

// At the limit of outstanding requests the answer to a CoA and a Status-Server are taken at once:
// neither makes anything outstanding.
//
// Rules: P100
func TestWhatIsTakenAtMaxOutstanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l, opened := startCounting(t, func(cfg *Config) { cfg.MaxOutstanding = 1 })
		c, _ := f.dialPipe(l)
		h := <-opened
		c.Write(packet(20, 1))
		codes := []byte{12, 41, 42, 44, 45} // Status-Server, the answers of Disconnect and CoA
		for i, code := range codes {
			p := packet(20, 1)
			p[0] = code
			c.Write(p)
			synctest.Wait()
			if n := len(h.packets); n != i+2 {
				t.Fatalf("a packet of code %d waits for the answer to another", code)
			}
		}
		c.Close()
	})
}

// refusing is a sessions.Handler that answers packets that are shed.
type refusing struct {
	*testHandler
	calls []string
}

func (r *refusing) Packet(b []byte) error {
	r.calls = append(r.calls, fmt.Sprintf("packet %d", b[1]))
	return r.testHandler.Packet(b)
}

func (r *refusing) Flush() error { r.calls = append(r.calls, "flush"); return r.testHandler.Flush() }

func (r *refusing) Refuse(b []byte, fate metrics.Fate) {
	r.calls = append(r.calls, fmt.Sprintf("refuse %d %v", b[1], fate))
	r.testHandler.session.Send(packet(20, 52))
}

// A packet that is shed on a connection of RADIUS/1.1 is passed to the handler, which
// answers and counts it, and is flushed; on one of RADIUS/1.0 it is dropped and counted
// here.
//
// Rules: P96, P100
func TestShedIsAnsweredIn11(t *testing.T) {
	for _, version := range []string{protocol10, protocol11} {
		synctest.Test(t, func(t *testing.T) {
			var h *refusing
			l := newPipeListener()
			f := start(t, l, func(f *front, cfg *Config) {
				cfg.RadiusVersions = []string{Radius10, Radius11}
				cfg.Clients = []*sessions.Client{{Client: identity.Client{Name: "campus"}, PacketsPerSecond: 1}}
				open := f.open
				f.open = func(s *Session) sessions.Handler {
					h = &refusing{testHandler: open(s).(*testHandler)}
					return h
				}
			})
			cfg := f.clientConfig()
			cfg.NextProtos = []string{version}
			c := tls.Client(l.connect(), cfg)
			if err := c.Handshake(); err != nil {
				t.Fatal(err)
			}
			<-f.opened
			answered := make(chan int, 1)
			go func() {
				all, _ := io.ReadAll(c)
				answered <- len(all) / 20
			}()
			for i := range 6 {
				p := packet(20, 1)
				p[1] = byte(i)
				c.Write(p)
				pass(200 * time.Millisecond)
			}
			pass(3 * time.Second)
			c.CloseWrite()
			pass(time.Second)
			c.Close()
			refused := slices.DeleteFunc(slices.Clone(h.calls), func(s string) bool { return s[:2] != "re" })
			dropped := f.metric(`radsec_gw_requests_total{client="campus",fate="rate_limited",kind="access"}`)
			if version == protocol10 {
				if len(refused) != 0 || dropped == 0 {
					t.Errorf("in RADIUS/1.0 the handler refused %q and %v packets were dropped, expected all of them dropped", refused, dropped)
				}
				return
			}
			if len(refused) == 0 || dropped != 0 {
				t.Fatalf("in RADIUS/1.1 the handler refused %q and %v packets were dropped, expected all of them refused", refused, dropped)
			}
			if refused[0][len(refused[0])-len("rate_limited"):] != "rate_limited" {
				t.Errorf("it was told %q, expected the fate", refused[0])
			}
			if h.calls[len(h.calls)-1] != "flush" {
				t.Errorf("the handler was told %q, expected a flush after what was refused", h.calls)
			}
			if n := <-answered; n != len(refused) {
				t.Errorf("the client got %d answers, expected %d", n, len(refused))
			}
		})
	}
}
