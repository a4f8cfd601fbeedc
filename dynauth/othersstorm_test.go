package dynauth

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"
)

// busyOthers are gateways that answer at once or later, or not at all, on goroutines of their own.
type busyOthers struct {
	b       *bed
	running sync.WaitGroup
}

func (o *busyOthers) Here(Name) {}

func (o *busyOthers) Ask(q *Question) bool {
	n := rand.IntN(8)
	if n == 0 {
		return false
	}
	o.running.Go(func() {
		p, err := radius.Parse(q.Datagram, []byte(senderSecret))
		if err != nil {
			panic(err)
		}
		if n > 5 {
			select {
			case <-q.Done():
			case <-time.After(time.Duration(rand.IntN(30)) * time.Millisecond):
			}
		}
		switch n % 5 {
		case 0:
			q.Nobody()
		case 1, 2:
			q.Answered(answerTo(p, radius.CodeCoAACK))
			q.Nobody()
		case 3:
			q.Unanswered(rand.IntN(2) == 0)
		}
	})
	return true
}

// Many requests that other gateways answer, refuse, lose or forget at the same time as their
// deadlines pass: every request has one fate, no sender gets two answers, and nothing is left.
//
// Rules: GW3, RC6, RC7, RC19
func TestStormOfQuestions(t *testing.T) {
	const listeners, each = 3, 2000
	b := newBed(t)
	o := &busyOthers{b: b}
	b.s.UseOthers(o)
	b.cfg.Timeout = 10 * time.Millisecond
	b.configure()
	var asking sync.WaitGroup
	for n := range listeners {
		asking.Go(func() {
			w, from := newWorker(b.s), netip.AddrPortFrom(senderAddress.Addr(), uint16(1000+n))
			for i := range each {
				p := packet(radius.CodeCoARequest, byte(i), senderSecret, nasID("ap"), attr{18, fmt.Sprint(n, i)})
				w.parse(must(p.Encode()), origin{address: from, local: gatewayAddr})
				w.handleParsed(b.l)
			}
		})
	}
	asking.Wait()
	o.running.Wait()
	for end := time.Now().Add(10 * time.Second); b.waiting() && time.Now().Before(end); {
		<-time.After(time.Millisecond)
	}
	if n := total(t, b); n != listeners*each {
		t.Errorf("%v fates of %d requests: %s", n, listeners*each, b.fates())
	}
	seen := map[string]bool{}
	for _, a := range b.answers() {
		key := fmt.Sprint(a.to, a.packet[1], string(a.packet[4:20]))
		if seen[key] {
			t.Fatalf("two answers: % x", a.packet)
		}
		seen[key] = true
	}
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	for dup, n := range b.s.dups.last {
		if n == 0 {
			t.Fatalf("request %x is pending for ever", dup)
		}
	}
	b.s.timer.Stop()
	t.Log(b.fates())
}
