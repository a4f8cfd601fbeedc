package dynauth

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// answering is the client's end of a connection that answers most of what it is sent, on a
// goroutine of its own, and closes now and then.
type answering struct {
	peer
	in chan []byte
}

func (p *answering) Send(b []byte) bool {
	select {
	case p.in <- append([]byte(nil), b...):
		return true
	default:
		return false
	}
}

// Listeners, connections that answer, twice or not at all, connections that close, and deadlines
// at the same time: every request has one fate, no sender gets two answers, and nothing is left.
//
// Rules: RC6, RC7, RC10, RC19
func TestStorm(t *testing.T) {
	const listeners, each, nases = 3, 3000, 6
	b := newBed(t)
	b.cfg.Timeout = 20 * time.Millisecond
	b.configure()
	done := make(chan struct{})
	var running, asking sync.WaitGroup
	for i := range nases {
		running.Go(func() { runNAS(b, i, done) })
	}
	for n := range listeners {
		asking.Go(func() {
			w, from := newWorker(b.s), netip.AddrPortFrom(senderAddress.Addr(), uint16(1000+n))
			random := rand.New(rand.NewPCG(1, uint64(n)))
			for i := 0; i < each; {
				for range min(1+random.IntN(8), each-i) {
					p := packet(radius.CodeCoARequest, byte(i), senderSecret, nasID(fmt.Sprint("ap-", random.IntN(nases))), attr{18, fmt.Sprint(n, i)})
					w.parse(must(p.Encode()), origin{address: from, local: gatewayAddr})
					i++
				}
				w.handleParsed(b.l)
			}
		})
	}
	asking.Wait()
	for end := time.Now().Add(10 * time.Second); b.counts("radsec_gw_reverse_pending_requests") != "" && time.Now().Before(end); {
		<-time.After(time.Millisecond)
	}
	close(done)
	running.Wait()
	if n := total(t, b); n != listeners*each {
		t.Errorf("%v fates of %d requests: %s", n, listeners*each, b.fates())
	}
	seen := map[string]bool{}
	for _, a := range b.answers() {
		key := fmt.Sprint(a.to, string(a.packet[:20]))
		if seen[key] {
			t.Fatalf("two answers: % x", a.packet)
		}
		seen[key] = true
	}
	if b.s.oldest != nil || b.counts("radsec_gw_reverse_pending_requests") != "" {
		t.Error("something still waits")
	}
	b.s.mu.Lock()
	b.s.timer.Stop()
	b.s.mu.Unlock()
	t.Log(b.fates())
}

// runNAS is a NAS that connects again and again until done is closed.
func runNAS(b *bed, i int, done chan struct{}) {
	random := rand.New(rand.NewPCG(2, uint64(i)))
	for {
		p := &answering{in: make(chan []byte, 300)}
		l := b.s.Open(b.clients["a"], LinkConfig{Peer: p, Device: fmt.Sprint(i), Remote: senderAddress})
		v := new(wire.View)
		if v.Parse(must(packet(radius.CodeAccessRequest, 1, "radsec", nasID(fmt.Sprint("ap-", i))).Encode())) != nil {
			panic("no packet")
		}
		l.Arrived(v, b.s.now())
		for range 200 + random.IntN(2000) {
			select {
			case request := <-p.in:
				answerSome(b, l, request, random)
				continue
			case <-done:
				l.Close()
				return
			}
		}
		l.Close()
	}
}

// answerSome answers a request, twice, or not.
func answerSome(b *bed, l *Link, request []byte, random *rand.Rand) {
	times := [...]int{0, 1, 1, 1, 1, 1, 1, 2}[random.IntN(8)]
	r, d := l.AcquireReplies(), wire.NewDigests()
	defer r.Release()
	for range times {
		v := new(wire.View)
		if v.Parse(ack(b.t, request, radius.CodeCoAACK)) != nil {
			panic("no packet")
		}
		r.Add(d, v)
	}
	d.Run()
	for _, o := range r.Finish(d) {
		if o.Fate != metrics.FateReverseAnswer && o.Fate != metrics.FateLateAnswer || o.Err != nil {
			b.t.Errorf("an answer ends as %v", o)
		}
	}
}
