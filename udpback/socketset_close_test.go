package udpback

import (
	"syscall"
	"testing"
	"testing/synctest"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// Nothing is left of a port that is closed: its sockets in use, retired and parked, what
// was counted of them, what waited, and the watch over its health.
func TestCloseLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		g := f.group(t, Failover, s)
		auth, acct, coa := s.endpoint(wire.KindAccess), s.endpoint(wire.KindAccounting), s.endpoint(wire.KindCoA)
		var all []*owner
		wait := func(code wire.Code) {
			o := newOwner(code)
			f.start(t, g, o)
			all = append(all, o)
		}
		for range 2 {
			wait(radius.CodeAccessRequest)
			auth.sockets.refresh() // the old socket listens on
		}
		f.net.set(func() { f.net.noWay["a:1813"], f.net.noWay["a:3799"] = syscall.EMFILE, syscall.EMFILE })
		wait(radius.CodeAccountingRequest)
		wait(radius.CodeDisconnectRequest) // parked to the end
		f.net.set(func() { delete(f.net.noWay, "a:1813") })
		pass(openPause)
		wait(radius.CodeAccountingRequest)
		if n := f.backend.sockets.Load(); n != 4 {
			t.Errorf("%d sockets are counted as open, expected 4: three of the auth port", n)
		}
		for _, e := range []*endpoint{auth, acct, coa} {
			open := f.backend.sockets.Load()
			own := map[*endpoint]int64{auth: 3, acct: 1}[e]
			e.close()
			if n := open - f.backend.sockets.Load(); n != own {
				t.Errorf("%s: %d sockets fewer are counted as open, expected %d", e.label, n, own)
			}
			if n := len(e.sockets.all()); n != 0 {
				t.Errorf("%s: it has %d sockets, expected none", e.label, n)
			}
			if n := f.count(t, "radsec_gw_server_open_sockets", "port", string(e.label)); n != 0 {
				t.Errorf("%s: %v sockets are shown as open, expected none", e.label, n)
			}
			e.health.NoAddress(errTest)
			if got := e.health.State(); got != health.Up {
				t.Errorf("%s: it is %v, expected that nobody watches it any more", e.label, got)
			}
		}
		for i, o := range all {
			if len(o.fails) != 1 || o.fails[0] != FailShutdown {
				t.Errorf("request %d: %s, expected one FailShutdown", i, o.outcome())
			}
		}
	})
}

// Closing a port waits for sockets that are being closed already.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		f.net.answering(t, "a")
		f.login(t, f.group(t, Failover, s))
		resume := make(chan struct{})
		f.net.set(func() { f.net.paused = resume })
		f.net.sockets[0].in <- []byte("something") // its reader is busy now
		synctest.Wait()
		e := s.endpoint(wire.KindAccess)
		e.sockets.refresh() // closes it, because it is idle
		closed := make(chan struct{})
		go func() {
			s.Close()
			close(closed)
		}()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("the port is closed, and the reader of one of its sockets runs")
		default:
		}
		close(resume)
		<-closed
	})
}
