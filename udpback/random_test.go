package udpback

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// stormTally counts what the schedules came to, to see that they reach everywhere.
type stormTally struct {
	mu                                           sync.Mutex
	requests, replies, fails, taken, moves, full int
}

// Ten thousand random schedules of faults: servers that answer, stay silent, are
// late, answer twice, forge, refuse and vanish; requests that move and are taken
// back; servers that are closed. Each request has exactly one end, no reply goes
// to the wrong owner, no Identifier is reused before a valid reply or the end of
// its schedule, every deadline holds, nothing stays outstanding.
// Rules: P21, P26, P54, P57, P59, P64, P65, P81, P95, P97
func TestRandomFaultSchedules(t *testing.T) {
	schedules, first := stormSchedules, rand.Uint64()
	if testing.Short() { // the same few each time: for tools/mutants, which runs this once for each mutant, and for the order of locks, whose recording is slow
		schedules, first = 150, 1
	}
	t.Logf("seeds %d and the %d after", first, schedules)
	var tally stormTally
	workers := runtime.GOMAXPROCS(0)
	t.Run("schedules", func(t *testing.T) {
		for worker := range workers {
			t.Run(fmt.Sprint(worker), func(t *testing.T) {
				t.Parallel()
				m := metrics.New(prometheus.NewRegistry())
				for i := worker; i < schedules && !t.Failed(); i += workers {
					synctest.Test(t, func(t *testing.T) { weather(t, first+uint64(i), m, &tally) })
				}
			})
		}
	})
	t.Logf("%d requests: %d replies, %d failed, %d taken back, %d moves, %d found no Identifier",
		tally.requests, tally.replies, tally.fails, tally.taken, tally.moves, tally.full)
	for _, n := range []int{tally.replies, tally.fails, tally.taken, tally.moves, tally.full} {
		if n < schedules/10 {
			t.Error("something of the above hardly ever happened, expected all of it to be tried")
			break
		}
	}
}

// weather runs the schedule of one seed.
func weather(t *testing.T, seed uint64, m *metrics.Metrics, tally *stormTally) {
	w := &storm{t: t, start: time.Now(), rnd: rand.New(rand.NewPCG(seed, 0)), ports: map[string]*stormPort{}, flights: map[place]*flight{}}
	// The driver draws from a generator of its own: what it does repeats with the
	// seed, whatever order the datagrams come in.
	rnd := rand.New(rand.NewPCG(seed, 1))
	w.crowded = seed%100 == 0 // in each run, not by chance
	back := newBackend(m, slog.New(slog.NewTextHandler(io.Discard, nil)), w.dial, net.DefaultResolver.LookupNetIP)
	servers := w.servers(t, back, rnd)
	group, err := back.NewGroup(GroupConfig{Balance: Balance(rnd.IntN(3)), MoveAfter: 1 + rnd.IntN(3)}, servers...)
	if err != nil {
		t.Fatal(err)
	}
	w.travel(back, group, rnd)
	stopped := rnd.IntN(10) == 0
	if stopped { // the gateway stops while requests are on their way
		for _, s := range servers {
			s.Close()
		}
	}
	pass(40 * time.Second) // longer than any schedule
	for _, s := range servers {
		for _, e := range s.endpoints() {
			e.health.Stop()
		}
	}
	pass(10 * time.Second) // longer than any check
	for _, s := range servers {
		w.checkEmpty(s)
		if !stopped {
			s.Close()
		}
	}
	w.check(t, seed, tally)
}

// servers makes one to three servers with random timers and plans; in a crowded
// storm a single one, with a single socket a port.
func (w *storm) servers(t *testing.T, back *Backend, rnd *rand.Rand) []*Server {
	secret, err := wire.NewServerSecret([]byte(secretText))
	if err != nil {
		t.Fatal(err)
	}
	var all []*Server
	count := 1 + rnd.IntN(3)
	if w.crowded {
		count = 1
	}
	for i := range count {
		c := ServerConfig{
			Name: fmt.Sprint("s", i), Address: ipOf(fmt.Sprint("s", i)).String(), AuthPort: 1812, AcctPort: 1813, CoAPort: 3799,
			Secret: secret, MaxSockets: 1 + rnd.IntN(2),
			Schedule: Schedule{
				Initial:  time.Duration(100+rnd.IntN(3000)) * time.Millisecond,
				Max:      time.Duration(4+rnd.IntN(12)) * time.Second,
				Count:    1 + rnd.IntN(7),
				Duration: time.Duration(4+rnd.IntN(26)) * time.Second,
			},
			Health: health.Config{
				Check: health.Check(rnd.IntN(3)), User: "probe", Password: "probe-password", SuspectAfter: 1 + rnd.IntN(4),
				Watchdog: time.Duration(6+rnd.IntN(20)) * time.Second, CheckInterval: time.Duration(1+rnd.IntN(4)) * time.Second,
				DownAfter: 1 + rnd.IntN(3), UpAfter: 1 + rnd.IntN(3),
			},
		}
		if w.crowded {
			c.MaxSockets = 1
		}
		for _, port := range []string{":1812", ":1813", ":3799"} {
			p := &stormPort{schedule: c.Schedule, check: c.Health.CheckInterval}
			for until := time.Duration(0); until < 30*time.Second; {
				until += time.Duration(1+rnd.IntN(15)) * time.Second
				p.plan = append(p.plan, phase{until, fault(rnd.IntN(int(numFaults)))})
			}
			w.mu.Lock() // the servers that are there check already
			w.ports[c.Name+port] = p
			w.mu.Unlock()
		}
		all = append(all, back.NewServer(c))
	}
	return all
}

// travel starts requests over some seconds, and takes some of them back.
func (w *storm) travel(back *Backend, g *Group, rnd *rand.Rand) {
	for range 1 + rnd.IntN(8) {
		pass(time.Duration(rnd.IntN(3000)) * time.Millisecond)
		n := 1 + rnd.IntN(3)
		if rnd.IntN(200) == 0 {
			n = 300 + rnd.IntN(1500) // more than there are Identifiers, perhaps
		}
		if w.crowded {
			n = 1000 + rnd.IntN(1000)
		}
		batch := back.AcquireBatch()
		for range n {
			w.setOut(g, batch, rnd)
		}
		batch.Flush()
		back.ReleaseBatch(batch)
		if rnd.IntN(3) == 0 {
			w.mu.Lock()
			t := w.travellers[rnd.IntN(len(w.travellers))]
			out := !t.refused
			w.mu.Unlock()
			if out {
				t.cancel()
			}
		}
	}
}

// setOut starts one request.
func (w *storm) setOut(g *Group, batch *Batch, rnd *rand.Rand) {
	codes := [...]wire.Code{radius.CodeAccessRequest, radius.CodeAccessRequest, radius.CodeAccountingRequest, radius.CodeCoARequest, radius.CodeDisconnectRequest}
	t := &traveller{storm: w, cancelsMoving: rnd.IntN(4) == 0}
	t.Handler, t.Code = t, codes[rnd.IntN(len(codes))]
	t.Kind, t.Key, t.Conversation = wire.KindOf(t.Code), rnd.Uint64(), rnd.IntN(2) == 0
	w.mu.Lock()
	t.number, t.began = len(w.travellers), w.now()
	if rnd.IntN(3) == 0 && t.number > 0 { // the State of a reply that may have come
		t.HasState, t.StateHash = true, Hash([]byte(fmt.Sprintf("s%07d", rnd.IntN(t.number))))
	}
	w.travellers = append(w.travellers, t)
	w.mu.Unlock()
	if err := g.Start(&t.Exchange, batch); err != nil {
		w.mu.Lock()
		t.refused = true
		w.mu.Unlock()
	}
}

// checkEmpty sees that nothing of a server is in use.
func (w *storm) checkEmpty(s *Server) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range s.endpoints() {
		if n := e.outstanding.Load(); n != 0 {
			w.wrong("%d Identifiers of %s are outstanding when all is over", n, e.addressText())
		}
		for _, so := range *e.sockets.current.Load() {
			so.mu.Lock()
			if so.ids.free != 256 {
				w.wrong("%d Identifiers of a socket to %s are free when all is over, expected 256", so.ids.free, e.addressText())
			}
			so.mu.Unlock()
		}
	}
}

// check checks that each request ended once, and reports what was wrong.
func (w *storm) check(t *testing.T, seed uint64, tally *stormTally) {
	w.mu.Lock()
	defer w.mu.Unlock()
	tally.mu.Lock()
	defer tally.mu.Unlock()
	tally.requests += len(w.travellers)
	for _, r := range w.travellers {
		want := 1
		switch {
		case r.refused:
			want = 0
			tally.full++
		case r.taken:
			want = 0
			tally.taken++
		case r.failed:
			tally.fails++
		default:
			tally.replies++
		}
		tally.moves += r.moves
		if r.ends != want {
			w.wrong("request %d (%v, taken back %t, not started %t) had %d ends, expected %d", r.number, r.Kind, r.taken, r.refused, r.ends, want)
		}
	}
	for _, text := range w.wrongs {
		t.Errorf("seed %d: %s", seed, text)
	}
}
