package udpback

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// A socket on which nothing waits takes little memory: a gateway may have thousands of
// servers that get nothing but checks.
func TestIdleSocketIsSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		server := f.server(t, "a", nil)
		defer server.Close()
		const count, most = 200, 3000
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var all []*socket
		for range count {
			all = append(all, newSocket(&server.endpoint(wire.KindAccess).sockets, ipOf("a"), newNowhere()))
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / count; each > most {
			t.Errorf("an idle socket takes %d bytes, expected %d at the most", each, most)
		}
		for _, s := range all {
			s.close()
		}
	})
}

// Closing an idle socket allocates next to nothing: it happens all the time where servers
// do not answer.
func TestClosingAnIdleSocketIsCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		server := f.server(t, "a", nil)
		defer server.Close()
		const count, most = 100, 4000 // a hasher alone takes 17 kB; recording the order of locks, 200 bytes
		var all []*socket
		for range count {
			all = append(all, newSocket(&server.endpoint(wire.KindAccess).sockets, ipOf("a"), newNowhere()))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for _, s := range all {
			s.close()
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / count; each > most {
			t.Errorf("closing an idle socket allocates %d bytes, expected %d at the most", each, most)
		}
	})
}

// The memory of slots is there while they are in use, and every use has a number of its
// own.
func TestSlotsAreReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", nil)
		defer a.Close()
		g := f.group(t, Failover, a)
		blocks := func() (n int) {
			for _, s := range a.endpoint(wire.KindAccess).sockets.all() {
				s.mu.Lock()
				for _, b := range s.slots.blocks {
					if b != nil {
						n++
					}
				}
				s.mu.Unlock()
			}
			return n
		}
		seen := map[uint32]bool{}
		for _, row := range []struct{ requests, blocks int }{{1, 1}, {16, 2}, {200, 13}} {
			f.net.answering(t)
			var all []*owner
			for range row.requests {
				all = append(all, newOwner(radius.CodeAccessRequest))
			}
			f.start(t, g, all...)
			if n := blocks(); n != row.blocks {
				t.Errorf("%d requests: memory for %d times 16 slots, expected %d", row.requests, n, row.blocks)
			}
			s := a.endpoint(wire.KindAccess).sockets.all()[0]
			s.mu.Lock()
			for id := range identifierCount {
				if sl := s.slot(wire.ServerID(id)); sl.state != slotFree {
					if sl.generation == 0 || seen[sl.generation] {
						t.Errorf("slot %d has number %d, expected one that no use had before", id, sl.generation)
					}
					seen[sl.generation] = true
				}
			}
			s.mu.Unlock()
			f.net.answering(t, "a")
			for _, o := range all {
				<-o.ended
			}
			if n := blocks(); n != 0 {
				t.Errorf("%d requests were answered: memory for %d times 16 slots, expected none", row.requests, n)
			}
		}
	})
}

// A port that answers nothing, and has nothing but checks, gets a new local port less and
// less often, whether the network reports that nobody listens or says nothing.
func TestDeadPortKeepsItsSocket(t *testing.T) {
	for _, refused := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			f.net.unreachable = map[string]bool{"a:1812": refused, "a:1813": refused}
			a := f.server(t, "a", checked)
			defer a.Close()
			most := 0
			for range 600 { // ten minutes
				pass(time.Second)
				most = max(most, len(a.endpoint(wire.KindAccess).sockets.all()))
			}
			f.net.mu.Lock()
			made, checks := len(f.net.sockets), len(f.net.received["a:1812"])
			f.net.mu.Unlock()
			if made < 2*3 || made > 2*12 { // of two ports
				t.Errorf("refused %t: %d sockets in ten minutes, expected some, and no more than 12 of each port", refused, made)
			}
			if most > 3 {
				t.Errorf("refused %t: %d sockets were open at a time, expected few", refused, most)
			}
			if checks < 100 {
				t.Errorf("refused %t: %d checks in ten minutes, expected one every 3 s", refused, checks)
			}
		})
	}
}
