package udpback

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/datagram"
	"radsec-gw/wire"
)

// What was reserved on a socket that is closed before the batch is flushed ends, each
// request once, and nothing stays outstanding.
// Rules: P26
func TestCloseBeforeFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		g := f.group(t, Failover, s)
		b := f.backend.AcquireBatch()
		all := []*owner{newOwner(radius.CodeAccessRequest), newOwner(radius.CodeAccessRequest), newOwner(radius.CodeAccessRequest)}
		for _, o := range all {
			if err := g.Start(&o.Exchange, b); err != nil {
				t.Fatal(err)
			}
		}
		d := new(gathered)
		o := &gathering{owner: newOwner(radius.CodeAccessRequest), to: d}
		o.Handler = o
		if err := g.Start(&o.Exchange, b); err != nil {
			t.Fatal(err)
		}
		all = append(all, o.owner)
		e := s.endpoint(wire.KindAccess)
		socket := e.sockets.all()[0]
		s.Close()
		b.Flush()
		f.backend.ReleaseBatch(b)
		if len(d.flushes) != 1 {
			t.Errorf("%d flushes of what a failed request has written, expected 1", len(d.flushes))
		}
		for i, o := range all {
			if len(o.fails) != 1 || o.fails[0] != FailShutdown || o.causes[0] != 0 || len(o.replies) != 0 {
				t.Errorf("request %d: %s, expected one FailShutdown", i, o.outcome())
			}
		}
		if n := e.outstanding.Load(); n != 0 {
			t.Errorf("%d outstanding, expected none", n)
		}
		if socket.ids.free != 256 {
			t.Errorf("%d Identifiers are free, expected 256", socket.ids.free)
		}
	})
}

// A closed socket gives nothing out, and its timer does not run any more: with what
// waited on it all has ended.
// Rules: P26
func TestClosedSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		e := s.endpoint(wire.KindAccess)
		d := new(gathered)
		o := &gathering{owner: newOwner(radius.CodeAccessRequest), to: d}
		o.Handler = o
		f.startHandler(t, f.group(t, Failover, s), &o.Exchange)
		socket := e.sockets.all()[0]
		socket.close()
		select {
		case <-socket.done:
		default:
			t.Error("the reader runs on after close")
		}
		if len(o.fails) != 1 || o.fails[0] != FailShutdown || o.causes[0] != 0 || len(d.flushes) != 1 {
			t.Errorf("%s, causes %v, %d flushes; expected one FailShutdown without a cause, and one flush", o.outcome(), o.causes, len(d.flushes))
		}
		if _, ok := socket.reserve(&newOwner(radius.CodeAccessRequest).Exchange, nil); ok {
			t.Error("a closed socket gave out an Identifier")
		}
		socket.mu.Lock()
		if socket.timer.Stop() {
			t.Error("the timer of a closed socket still runs")
		}
		socket.arm(f.backend.Now()+time.Second, f.backend.Now())
		if socket.timer.Stop() {
			t.Error("the timer of a closed socket was set")
		}
		socket.mu.Unlock()
	})
}

// Nothing is due on a new socket.
func TestNewSocketRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		socket := newSocket(&s.endpoint(wire.KindAccess).sockets, netip.MustParseAddr("192.0.2.1"), newNowhere())
		if socket.timer.Stop() {
			t.Error("the timer of a new socket runs, expected that nothing is due")
		}
		socket.close()
	})
}

// The timer fires for what is due first, and is not set for what is later.
func TestArm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		server := f.server(t, "a", nil)
		defer server.Close()
		s := newSocket(&server.endpoint(wire.KindAccess).sockets, netip.MustParseAddr("192.0.2.1"), newNowhere())
		defer s.close()
		for _, row := range []struct{ when, now, want time.Duration }{
			{10 * second, 1 * second, 10 * second},
			{20 * second, 2 * second, 10 * second},
			{5 * second, 3 * second, 5 * second},
			{5*second + 1, 3 * second, 5 * second},
			{5*second - 1, 3 * second, 5*second - 1},
		} {
			s.mu.Lock()
			s.arm(row.when, row.now)
			if s.timerAt != row.want {
				t.Errorf("armed for %v at %v: it fires at %v, expected %v", row.when, row.now, s.timerAt, row.want)
			}
			s.mu.Unlock()
		}
	})
}

// What is seen on a socket says something about its server only while it leads to the
// address that the server has.
func TestCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		server := f.server(t, "a", nil)
		defer server.Close()
		e := server.endpoint(wire.KindAccess)
		for _, row := range []struct {
			address         netip.Addr
			current, parked bool
		}{
			{ipOf("a"), true, false},
			{ipOf("b"), false, false},
			{netip.Addr{}, false, true},
		} {
			s := newSocket(&e.sockets, row.address, newNowhere())
			if s.current() != row.current || s.parked() != row.parked {
				t.Errorf("%v: current %t, parked %t; expected %t, %t", row.address, s.current(), s.parked(), row.current, row.parked)
			}
			s.close()
		}
		nameless := f.server(t, "pods", func(c *ServerConfig) { c.Address = "pods.example" })
		defer nameless.Close()
		s := newSocket(&nameless.endpoint(wire.KindAccess).sockets, netip.Addr{}, newNowhere())
		defer s.close()
		if s.current() {
			t.Error("a socket that leads nowhere is current for a server without an address")
		}
	})
}

// A socket that is replaced while nothing waits on it is closed at once, and gives out
// nothing any more.
// Rules: P26
func TestIdleSocketIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		f.net.answering(t, "a")
		g := f.group(t, Failover, s)
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, g, o)
		<-o.ended
		e := s.endpoint(wire.KindAccess)
		old := e.sockets.all()[0]
		e.sockets.refresh()
		synctest.Wait()
		select {
		case <-f.net.sockets[0].closed:
		default:
			t.Error("the old socket is open, expected it closed: nothing waits there")
		}
		if _, ok := old.reserve(&newOwner(radius.CodeAccessRequest).Exchange, nil); ok {
			t.Error("the old socket gave out an Identifier")
		}
		if len(e.sockets.retired) != 0 {
			t.Errorf("%d retired sockets, expected none", len(e.sockets.retired))
		}
		if n := f.count(t, "radsec_gw_server_open_sockets"); n != 1 {
			t.Errorf("%v sockets are open, expected the new one", n)
		}
	})
}

// A retired socket on which a request waits stays open until that is answered or its
// schedule is over; its reply counts also when the request was sent again from the new
// socket.
// Rules: P26, P64
func TestBusySocketListensOn(t *testing.T) {
	for _, again := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", nil)
			defer s.Close()
			g := f.group(t, Failover, s)
			o := newOwner(radius.CodeAccessRequest)
			f.start(t, g, o)
			if again {
				s.endpoint(wire.KindAccess).sockets.renew(false)
				pass(3 * time.Second)
				if sent := f.net.seen("a:1812"); len(sent) != 2 || sent[1].socket == sent[0].socket {
					t.Fatalf("expected a second transmission from the new socket, got %d in all", len(sent))
				}
			} else {
				s.endpoint(wire.KindAccess).sockets.refresh()
				synctest.Wait()
			}
			f.net.sockets[0].in <- answer(t, f.net.seen("a:1812")[0].octets, radius.CodeAccessAccept)
			<-o.ended
			if got := o.outcome(); got != "replies [Access-Accept] fails []" {
				t.Errorf("%s, expected the reply that came to the old socket", got)
			}
		})
	}
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
