package udpback

import (
	"crypto/md5"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// slowOwner is interrupted while it writes.
type slowOwner struct {
	*owner
	during func()
}

func (o *slowOwner) Write(d *wire.Digests, dst []byte, s *Server, id wire.ServerID) (int, error) {
	o.during()
	return o.owner.Write(d, dst, s, id)
}

// A doubled reply to the last user of an Identifier does not end the request of
// the next, not even while that one is being written.
// Rules: P21, P64
func TestDoubledReplyWhileIdentifierIsReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", func(c *ServerConfig) { c.MaxSockets = 1 })
		defer s.Close()
		g := f.group(t, Failover, s)
		var all []*owner
		for range 256 {
			all = append(all, newOwner(radius.CodeAccountingRequest))
		}
		f.start(t, g, all...)
		socket := f.net.sockets[0]
		reply := answer(t, f.net.seen("a:1813")[0].octets, radius.CodeAccountingResponse)
		socket.in <- reply
		<-all[0].ended
		bob := newOwner(radius.CodeAccountingRequest)
		bob.Handler = &slowOwner{owner: bob, during: func() {
			socket.in <- reply
			synctest.Wait()
		}}
		f.start(t, g, bob)
		socket.in <- reply
		synctest.Wait()
		if got := bob.outcome(); got != "replies [] fails []" {
			t.Errorf("bob: %s, expected that alice's doubled reply means nothing to him", got)
		}
	})
}

// A client that burns Identifiers by giving its requests up leaves a quarter of
// them to the others.
// Rules: P26
func TestOneClientCannotTakeEveryIdentifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", func(c *ServerConfig) { c.MaxSockets = 4 })
		defer s.Close()
		g := f.group(t, Failover, s)
		greedy, modest := new(Quota), new(Quota)
		started := 0
		for range 1024 {
			o := newOwner(radius.CodeAccountingRequest)
			o.Quota = greedy
			b := f.backend.AcquireBatch()
			err := g.Start(&o.Exchange, b)
			b.Flush()
			f.backend.ReleaseBatch(b)
			if err == nil {
				started++
				o.Cancel()
			} else if !errors.Is(err, ErrQuota) {
				t.Fatalf("Start: %v, expected ErrQuota", err)
			}
		}
		if started != 768 {
			t.Errorf("the greedy client got %d of 1024 Identifiers, expected three quarters", started)
		}
		o := newOwner(radius.CodeAccountingRequest)
		o.Quota = modest
		f.start(t, g, o)
		pass(31 * time.Second)
		e := s.endpoint(wire.KindAccounting)
		if held := greedy.at(e).n.Load() + modest.at(e).n.Load(); held != 0 {
			t.Errorf("%d Identifiers are still held after the schedules' end", held)
		}
	})
}

// A Protocol-Error that names another Code than the request's is dropped.
// Rules: P98
func TestProtocolErrorForAnotherCodeIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		o := newOwner(radius.CodeAccountingRequest)
		f.start(t, f.group(t, Failover, s), o)
		q := f.net.seen("a:1813")[0].octets
		for _, code := range []byte{43, 4} {
			b := []byte{byte(wire.CodeProtocolError), q[1], 0, 27}
			b = append(b, q[4:20]...)
			b = append(b, 241, 7, 4, 0, 0, 0, code)
			sum := md5.Sum(append(append([]byte(nil), b...), secretText...))
			copy(b[4:20], sum[:])
			f.net.sockets[0].in <- b
			synctest.Wait()
			want := "replies [] fails []"
			if code == 4 {
				want = "replies [] fails [1]"
			}
			if got := o.outcome(); got != want {
				t.Errorf("Original-Packet-Code %d: %s, expected %s", code, got, want)
			}
		}
		if n := f.count(t, "radsec_gw_server_replies_total", "result", "wrong_code"); n != 1 {
			t.Errorf("%v counted as wrong_code, expected 1", n)
		}
	})
}
