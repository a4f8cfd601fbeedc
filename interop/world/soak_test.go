//go:build linux

package world

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"radsec-gw/interop/testbed"

	"golang.org/x/net/dns/dnsmessage"
	"layeh.com/radius"
)

// A soak with churn of connections, servers, names and reloads: afterwards
// goroutines, descriptors and memory are where they began, the healthy realm has
// lost nothing, and the counts agree: each packet that clients have sent has one
// fate, and servers saw what counts as sent and resent.
//
// It lasts 20 s unless -soak says otherwise.
func TestSoak(t *testing.T) {
	t.Parallel()
	s := newSoak(t)
	s.churn(5 * time.Second) // what is made once is made
	before := s.rest()
	t.Logf("at rest before: %v", before)
	s.churn(*soakFlag)
	var after resting
	ok := testbed.Eventually(time.Minute, func() bool {
		after = s.rest()
		return after.goroutines <= before.goroutines+2 && after.descriptors <= before.descriptors+2
	})
	t.Logf("at rest after %v: %v", *soakFlag, after)
	if !ok {
		t.Errorf("goroutines or descriptors, those of sockets to servers apart, are more than before, a minute after the soak: %v, before %v", after, before)
		_, text, _ := s.g.Get("/debug/pprof/goroutine?debug=1", patience)
		t.Logf("goroutines:\n%.6000s", text)
	}
	// Pools and maps may have grown to what a busier moment needed.
	if bound := before.heap*5/4 + 4<<20; after.heap > bound {
		t.Errorf("the heap after a collection is %.1f MB, expected at most %.1f", after.heap/1e6, bound/1e6)
	}
	if bound := before.resident + 32<<20; after.resident > bound {
		t.Errorf("resident memory is %.1f MB, expected at most %.1f", after.resident/1e6, bound/1e6)
	}
	if sum := s.healthy.sum(); !sum.all() {
		t.Errorf("the healthy realm: %v, expected all granted", sum)
	} else {
		t.Logf("the healthy realm: %v", sum)
	}
	s.checkCounts()
}

// soak is a world that changes all the time.
type soak struct {
	w     *world
	g     *gateway
	names *nameserver
	fixed []*server // those whose metrics live as long as the gateway

	mu      sync.Mutex // guards the fields below
	packets int        // that clients have sent and the gateway has read
	healthy exchanges
}

// realms of the soak, the healthy one first. That of extra exists now and then.
var soakRealms = []string{"healthy.test", "group.test", "alone.test", "moving.test", "pool.test", "extra.test", "nowhere.test"}

func newSoak(t *testing.T) *soak {
	w := newWorld(t)
	s := &soak{w: w, names: w.names()}
	for i := range 8 { // 10.0.0.10 … 17
		server := w.server(fmt.Sprintf("10.0.0.%d", 10+i), func(request) reply {
			return reply{after: time.Duration(rand.IntN(20)) * time.Millisecond}
		})
		if i < 5 {
			s.fixed = append(s.fixed, server)
		}
	}
	s.names.set("moving.test", at("10.0.0.13"))
	s.names.set("pool.test", at("10.0.0.15"))
	s.g = w.start(s.config(false))
	return s
}

// config is the configuration, with or without the server extra.
func (s *soak) config(extra bool) setup {
	keys := []string{"acct_port = 1812", `retransmit_initial = "300ms"`, `retransmit_duration = "3s"`, `probe_interval = "500ms"`}
	both := []string{`packets = ["access", "accounting"]`, `patience = "1s"`}
	text := backend("healthy", "10.0.0.10", keys...) + route("healthy.test", to("healthy"), both...) +
		backend("a", "10.0.0.11", keys...) + backend("b", "10.0.0.12", keys...) +
		route("group.test", to("a", "b"), append(both, `balance = "least-outstanding"`)...) + route("alone.test", to("b"), both...) +
		backend("moving", "moving.test", append(keys, `resolve_interval = "1s"`)...) + route("moving.test", to("moving"), both...) +
		backend("pool", "pool.test", append(keys, `resolve_interval = "1s"`, "expand = true")...) + route("pool.test", to("pool"), both...)
	if extra {
		text += backend("extra", "10.0.0.17", keys...) + route("extra.test", to("extra"), both...)
	}
	// pprof, to have garbage collected and goroutines named.
	return setup{listen: `reload_interval = "1s"`, rest: text, metrics: "pprof = true"}
}

// churn goes on for d, and returns when all that it has begun has ended.
func (s *soak) churn(d time.Duration) {
	ctx, stop := context.WithTimeout(s.w.t.Context(), d)
	defer stop()
	var running sync.WaitGroup
	for range 6 {
		running.Go(func() {
			for ctx.Err() == nil {
				s.connection(ctx)
			}
		})
	}
	repeat := func(interval time.Duration, do func(turn int)) {
		running.Go(func() {
			ticker := time.NewTicker(interval)
			defer ticker.Stop()
			for turn := 0; ; turn++ {
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
					do(turn)
				}
			}
		})
	}
	repeat(700*time.Millisecond, func(int) { s.fixed[1+rand.IntN(len(s.fixed)-1)].hang(rand.IntN(2) == 0) })
	repeat(900*time.Millisecond, func(int) { s.moveNames() })
	repeat(1300*time.Millisecond, func(turn int) {
		s.w.configure(s.config(turn%2 == 0))
		s.g.Reload()
	})
	running.Wait()
	for _, server := range s.fixed {
		server.hang(false)
	}
	s.names.set("moving.test", at("10.0.0.13"))
	s.names.set("pool.test", at("10.0.0.15"))
	s.w.configure(s.config(false))
	s.g.Reload()
}

// moveNames changes what the name server says.
func (s *soak) moveNames() {
	switch rand.IntN(4) {
	case 0:
		s.names.set("moving.test", at(fmt.Sprintf("10.0.0.%d", 13+rand.IntN(2))))
	case 1:
		pools := []entry{at("10.0.0.15"), at("10.0.0.15", "10.0.0.16"), at("10.0.0.16")}
		s.names.set("pool.test", pools[rand.IntN(len(pools))])
	case 2:
		s.names.set("moving.test", entry{silent: true})
	case 3:
		s.names.set("moving.test", entry{code: dnsmessage.RCodeServerFailure})
	}
}

// connection is one client connection: some requests, and now and then closed while they wait.
func (s *soak) connection(ctx context.Context) {
	c, err := s.w.tryDial()
	if err != nil {
		s.w.t.Errorf("a connection during the soak: %v", err)
		return
	}
	var all, healthy exchanges
	for range 1 + rand.IntN(100) {
		realm := soakRealms[rand.IntN(len(soakRealms))]
		e := c.send(message{code: []radius.Code{radius.CodeAccessRequest, radius.CodeAccountingRequest}[rand.IntN(2)], user: fmt.Sprintf("u%d@%s", rand.IntN(1000), realm)})
		all = append(all, e)
		if realm == "healthy.test" {
			healthy = append(healthy, e)
		}
		select {
		case <-time.After(time.Duration(rand.IntN(40)) * time.Millisecond):
		case <-ctx.Done():
		}
	}
	for _, e := range healthy {
		e.within(patience)
	}
	if rand.IntN(2) == 0 {
		all.wait(4 * time.Second) // more than the schedule
	}
	// Whatever was sent before has been read when this is answered.
	if status := c.send(message{code: radius.CodeStatusServer}); !status.within(patience) {
		s.w.t.Errorf("Status-Server during the soak: %v, expected Access-Accept", status)
	}
	c.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.packets += len(all) + 1
	s.healthy = append(s.healthy, healthy...)
}

// resting is what a gateway without work uses, without the sockets to servers and their
// readers, which stay open for the next busy moment.
type resting struct {
	goroutines, descriptors, sockets, heap, resident float64
}

func (r resting) String() string {
	return fmt.Sprintf("%.0f goroutines and %.0f descriptors beside those of %.0f sockets to servers, heap %.1f MB, resident %.1f MB",
		r.goroutines, r.descriptors, r.sockets, r.heap/1e6, r.resident/1e6)
}

// rest waits until no request waits, has garbage collected, and looks.
func (s *soak) rest() resting {
	s.w.t.Helper()
	if !testbed.Eventually(patience, func() bool {
		m := s.g.Metrics()
		return m.Sum("radsec_gw_server_outstanding_requests") == 0 && m.Sum("radsec_gw_tls_client_connections") == 0
	}) {
		s.w.t.Errorf("requests still wait, or connections are open, %v after the last one has ended", patience)
	}
	for range 2 { // pools are emptied by the second
		if status, text, _ := s.g.Get("/debug/pprof/heap?gc=1", patience); status != http.StatusOK {
			s.w.t.Fatalf("/debug/pprof/heap: status %d: %.100s", status, text)
		}
	}
	m := s.g.Metrics()
	sockets := m.Sum("radsec_gw_server_open_sockets")
	return resting{m.Sum("go_goroutines") - sockets, m.Sum("process_open_fds") - sockets, sockets, m.Sum("go_memstats_heap_alloc_bytes"), m.Sum("process_resident_memory_bytes")}
}

// checkCounts compares what the gateway has counted with what clients sent and servers saw.
func (s *soak) checkCounts() {
	m := s.g.Metrics()
	fates := m.Sum("radsec_gw_requests_total")
	s.w.t.Logf("clients sent %d packets; the sum of fates is %.0f", s.packets, fates)
	if fates != float64(s.packets) {
		s.w.t.Errorf("clients sent %d packets, and the sum of fates is %.0f", s.packets, fates)
		for series, value := range m {
			if strings.HasPrefix(series, "radsec_gw_requests_total") && value > 0 {
				s.w.t.Logf("%s %.0f", series, value)
			}
		}
	}
	for name, servers := range map[string][]*server{"healthy": s.fixed[:1], "a": s.fixed[1:2], "b": s.fixed[2:3], "moving": s.fixed[3:5]} {
		label := `server="` + name + `"`
		var sent, resent float64
		var saw int
		// A probe may be on its way.
		if !testbed.Eventually(patience, func() bool {
			m := s.g.Metrics()
			sent, resent, saw = m.Sum("radsec_gw_server_requests_sent_total", label), m.Sum("radsec_gw_server_requests_resent_total", label), 0
			for _, server := range servers {
				saw += server.count()
			}
			return sent+resent == float64(saw)
		}) {
			s.w.t.Errorf("server %s: the gateway sent %.0f and resent %.0f, together %.0f, and it saw %d", name, sent, resent, sent+resent, saw)
			continue
		}
		s.w.t.Logf("server %s: the gateway sent %.0f and resent %.0f, probes included, and it saw %d", name, sent, resent, saw)
	}
}
