package resolve

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Names that hang keep one that can be answered waiting for a second or so, and no
// more than a bounded number of look-ups runs at once.
func TestHungNamesLeavePlaces(t *testing.T) {
	// The race detector crashes when goroutines of a bubble use as many timers in parallel
	// (golang/go#78156); what it finds does not depend on how many processors there are.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		r := New(z.lookup)
		var names []*Name
		for i := range 200 {
			host := fmt.Sprint("hung", i)
			z.set("ip4 "+host, hang)
			z.set("ip6 "+host, hang)
			names = append(names, r.Name(host, 30*time.Second, (&story{}).watcher(false)))
			names[i].Start()
		}
		<-time.After(2 * time.Minute) // the first tries are spread by now
		z.set("ip4 good", addrs("192.0.2.1"))
		s := &story{start: time.Now()}
		names = append(names, r.Name("good", 30*time.Second, s.watcher(true)))
		names[200].Start()
		<-time.After(20 * time.Second)
		synctest.Wait()
		if got := s.text(); !strings.HasSuffix(got, "found [192.0.2.1]") {
			t.Errorf("the watcher was told %q, expected the address within 20 s", got)
		}
		z.mu.Lock()
		most := z.most
		z.mu.Unlock()
		if most > MaxLookups {
			t.Errorf("%d look-ups at once, expected at most %d", most, MaxLookups)
		}
		before := time.Now()
		for _, n := range names {
			n.Close()
		}
		if took := time.Since(before); took != 0 {
			t.Errorf("closing took %v, expected no wait for a look-up", took)
		}
	})
}

// A look-up that has ended leaves its place to the next; who waits for a place can be
// closed.
func TestPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		r, s := New(z.lookup), &story{start: time.Now()}
		for i := range 3 * starts {
			host := fmt.Sprint("quick", i)
			z.set("ip4 "+host, addrs("192.0.2.1"))
			n := r.Name(host, time.Hour, s.watcher(true))
			n.Start()
			defer n.Close()
		}
		synctest.Wait()
		if n := strings.Count(s.text(), "0s found"); n != 3*starts {
			t.Errorf("%d names were found at once, expected all %d: %s", n, 3*starts, s.text())
		}
		for i := range starts + 1 { // the last waits for a place
			host := fmt.Sprint("hung", i)
			z.set("ip4 "+host, hang)
			n := r.Name(host, time.Hour, s.watcher(true))
			n.Start()
			defer n.Close()
			synctest.Wait()
		}
	})
}
