package tlsfront

import (
	"crypto/tls"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/metrics"
)

// A client that shares its source with handshakes that do not continue, as behind NAT,
// gets a slot once these take long. Peers that send slowly are displaced, too.
//
// Rules: P112
func TestSlowHandshakesAreDisplacedByTheirSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, func(cfg *Config) { cfg.MaxHandshakes = 4 })
		for range 4 {
			go func() {
				slow := l.connect()
				slow.Write(helloStart)
				drip(slow, make([]byte, 30))
			}()
		}
		pass(500 * time.Millisecond)
		f.wantMetric("radsec_gw_tls_handshakes_in_progress", 4)
		if n, d := f.goodFrom(l, "192.0.2.1"); n > 1 || d > displaceAfter+time.Second {
			t.Errorf("an honest client is in at try %d after %v, want the first and at most %v", n, d, displaceAfter+time.Second)
		}
		pass(time.Minute)
		f.stop()
	})
}

// farConn is a connection whose other end is a round trip away, in fake time: what is
// written after a read arrives that much later.
type farConn struct {
	net.Conn
	roundTrip time.Duration
	hasRead   bool
}

func (c *farConn) Read(b []byte) (int, error) {
	c.hasRead = true
	return c.Conn.Read(b)
}

func (c *farConn) Write(b []byte) (int, error) {
	if c.hasRead {
		c.hasRead = false
		sleep(c.roundTrip)
	}
	return c.Conn.Write(b)
}

// When more honest clients than slots connect at once, almost as far away as yieldAfter
// allows, all are accepted: none is displaced, from one source or from many.
//
// Rules: P112
func TestManyHonestClientsAtOnce(t *testing.T) {
	const clients = 60
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, sources := range []int{1, 7, clients} {
			synctest.Test(t, func(t *testing.T) {
				f, l := startPipe(t, func(cfg *Config) { cfg.MaxHandshakes = 4 })
				failed := make(chan error)
				for i := range clients {
					go func() {
						raw := &farConn{Conn: l.connectFrom(fmt.Sprint("192.0.2.", i%sources)), roundTrip: yieldAfter * 4 / 5}
						defer raw.Close()
						cfg := f.clientConfig()
						cfg.MaxVersion = version
						err := tls.Client(raw, cfg).Handshake()
						if err == nil {
							<-f.opened
						}
						failed <- err
					}()
				}
				for range clients {
					if err := <-failed; err != nil {
						t.Errorf("%s: of %d clients from %d sources one sees %v", tls.VersionName(version), clients, sources, err)
					}
				}
				f.stop()
				f.wantMetric(`radsec_gw_tls_handshakes_total{result="ok"}`, clients)
				f.wantMetric(`radsec_gw_tls_handshakes_in_progress`, 0)
			})
		}
	}
}

// A handshake that takes long because of our own computing keeps its slot, even if
// others wait: only the time in which it waits for its peer counts.
//
// Rules: P112
func TestOurComputingIsNotThePeersWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestAdmission(1)
		computing, queued := arrivalFrom("192.0.2.1"), arrivalFrom("192.0.2.2")
		for _, a := range []*arrival{computing, queued} {
			d.enter(a, false, admissionLimits{connections: 100, silent: 100})
			d.requestSlot(a, time.Now().Add(time.Hour))
		}
		stage := func() *arrivals {
			d.mu.Lock()
			defer d.mu.Unlock()
			return queued.stage
		}
		pass(displaceAfter * 2)
		computing.waited.Store(int64(displaceAfter / 2))
		computing.waitingSince.Store(time.Now().UnixNano())
		pass(displaceAfter/2 - slotInterval)
		if stage() != d.queued {
			t.Errorf("a handshake has lost its slot when its peer had kept us waiting for less than %v", displaceAfter)
		}
		pass(3 * slotInterval)
		if stage() != d.handshaking {
			t.Errorf("a handshake has its slot still when its peer has kept us waiting for more than %v", displaceAfter)
		}
		d.stop()
	})
}

// The number of handshakes at one time is limited, and the limit can be changed.
//
// Rules: P112
func TestHandshakesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, func(cfg *Config) { cfg.MaxHandshakes = 2 })
		for range 5 {
			go l.connect().Write(helloStart)
		}
		synctest.Wait()
		f.wantMetric("radsec_gw_tls_handshakes_in_progress", 2)
		f.wantMetric("radsec_gw_tls_handshakes_waiting", 3)
		f.wantMetric("radsec_gw_tls_handshake_slots_full_total", 3)
		f.wantLine("all handshake slots are in use", "in_progress=2", "largest_source=192.0.2.1", "raise [listen].max_handshakes")
		if n := len(f.server.cfg.Shared.CPU); n != 0 {
			t.Errorf("%d processors are held by handshakes that wait for their peers, want none", n)
		}
		f.change(func(cfg *Config) { cfg.MaxHandshakes = 4 })
		f.wantMetric("radsec_gw_tls_handshakes_in_progress", 4)
		f.wantMetric("radsec_gw_tls_handshakes_waiting", 1)
		f.stop()
		f.wantMetric(`radsec_gw_tls_handshakes_total{result="shutdown"}`, 5)
	})
}

// The slot of a slow handshake goes to a connection that has waited for one, not to a
// new connection.
func TestQueuedBeforeNewConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestAdmission(1)
		begin := func(from string) *arrival {
			a := arrivalFrom(from)
			d.enter(a, false, admissionLimits{connections: 100, silent: 100})
			d.requestSlot(a, time.Now().Add(time.Hour))
			a.waitingSince.Store(time.Now().UnixNano())
			return a
		}
		slow := begin("192.0.2.1")
		pass(displaceAfter - slotInterval/2)
		waiting := begin("192.0.2.2")
		pass(slotInterval * 3 / 4) // the slow one may be displaced, and the sweep has not come yet
		newcomer := begin("192.0.2.3")
		pass(slotInterval)
		synctest.Wait()
		d.mu.Lock()
		if slow.result != metrics.HandshakeDisplaced || waiting.stage != d.handshaking || newcomer.stage != d.queued {
			t.Errorf("the slow handshake ended as %v; the one that waited has the slot: %v, the newcomer waits: %v; want displaced, true and true",
				slow.result, waiting.stage == d.handshaking, newcomer.stage == d.queued)
		}
		d.mu.Unlock()
		d.stop()
	})
}

// When all slots are in use, the source with the most loses one to another source after
// a round trip, and to itself only when a handshake is slow.
//
// Rules: P112
func TestLargestSourceYieldsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestAdmission(2)
		begin := func(from string) *arrival {
			a := arrivalFrom(from)
			d.enter(a, false, admissionLimits{connections: 100, silent: 100})
			d.requestSlot(a, time.Now().Add(time.Hour))
			a.waitingSince.Store(time.Now().UnixNano())
			return a
		}
		first, second := begin("192.0.2.1"), begin("192.0.2.1")
		pass(yieldAfter)
		if same := begin("192.0.2.1"); same.stage != d.queued {
			t.Error("a third of the same source has a slot, expected it to wait")
		}
		other := begin("192.0.2.2")
		if other.stage != d.handshaking || first.result != metrics.HandshakeDisplaced || second.stage != d.handshaking {
			t.Errorf("another source has a slot: %v, the oldest of the largest source ended with %v; expected its slot to go to the other source", other.stage == d.handshaking, first.result)
		}
		if third := begin("192.0.2.3"); third.stage == d.handshaking {
			t.Error("a third source has a slot, though each of the others has one")
		}
		d.stop()
	})
}
