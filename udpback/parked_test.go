package udpback

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/udpback/datagram"

	"layeh.com/radius"
)

// What one client has parked goes out when a socket is there, though it holds as much of
// the port as a client may: it takes nothing more.
func TestParkedRequestsOfOneClientGoOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", func(c *ServerConfig) { c.MaxSockets = 1 })
		defer a.Close()
		f.net.answering(t, "a")
		f.net.set(func() { f.net.noWay["a:1813"] = syscall.EMFILE })
		g, quota := f.group(t, Failover, a), new(Quota)
		var all []*owner
		for {
			o := newOwner(radius.CodeAccountingRequest)
			o.Quota = quota
			b := f.backend.AcquireBatch()
			err := g.Start(&o.Exchange, b)
			b.Flush()
			f.backend.ReleaseBatch(b)
			if err == ErrQuota {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, o)
		}
		pass(4 * time.Second)
		f.net.set(func() { clear(f.net.noWay) })
		for i, o := range all {
			<-o.ended
			if took := time.Since(f.net.start); !o.answered() || took > 7*time.Second {
				t.Fatalf("request %d of %d: %s after %v, expected an answer at its next transmission, 6.6s at the latest", i, len(all), o.outcome(), took)
			}
		}
		pass(time.Minute)
		if n := f.count(t, "radsec_gw_server_outstanding_requests"); n != 0 {
			t.Errorf("%v requests outstanding, expected none", n)
		}
	})
}

// A socket that leads nowhere sends nothing, and receives nothing until it is closed.
func TestNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNowhere()
		if sent, err := n.Send([][]byte{{1}}); sent != 0 || !errors.Is(err, errNowhere) {
			t.Errorf("send returned %d, %v; expected 0 and that there is no socket", sent, err)
		}
		ended := make(chan error, 1)
		go func() { ended <- n.Receive(func(*datagram.Inbox) {}) }()
		synctest.Wait()
		if len(ended) != 0 {
			t.Error("receive has ended, and the socket is open")
		}
		for range 2 {
			if err := n.Close(); err != nil {
				t.Errorf("close returned %v", err)
			}
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("receive returned %v, expected net.ErrClosed", err)
		}
	})
}
