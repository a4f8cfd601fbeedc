package udpback

import (
	"crypto/md5"
	"fmt"
	"testing"
	"testing/synctest"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// slowOwner is interrupted while it writes.
type slowOwner struct {
	*owner
	during func()
}

func (o *slowOwner) Write(d *wire.Digests, dst []byte, s Hop, id wire.ServerID) (int, error) {
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

// What is counted for a reply that does not verify.
// Rules: P21
func TestResultOf(t *testing.T) {
	for _, row := range []struct {
		err  error
		want metrics.Result
	}{
		{wire.ErrResponseAuthenticator, metrics.ReplyBadResponseAuthenticator},
		{fmt.Errorf("more: %w", wire.ErrNoMessageAuthenticator), metrics.ReplyMissingMessageAuthenticator},
		{wire.ErrMessageAuthenticator, metrics.ReplyBadMessageAuthenticator},
	} {
		if got := resultOf(row.err); got != row.want {
			t.Errorf("%v is counted as %v, expected %v", row.err, got, row.want)
		}
	}
}

// An Access-Reject answers the gateway's own Status-Server, and nothing else that an
// Access-Reject does not answer anyway.
// Rules: P84
func TestRejectsStatusServer(t *testing.T) {
	for _, row := range []struct {
		request, reply radius.Code
		want           bool
	}{
		{radius.CodeStatusServer, radius.CodeAccessReject, true},
		{radius.CodeStatusServer, radius.CodeAccessAccept, false},
		{radius.CodeAccountingRequest, radius.CodeAccessReject, false},
		{radius.CodeDisconnectRequest, radius.CodeAccessReject, false},
	} {
		c := &candidate{code: row.request}
		b := make([]byte, 20)
		b[0], b[3] = byte(row.reply), 20
		if err := c.view.Parse(b); err != nil {
			t.Fatal(err)
		}
		if got := rejectsStatusServer(c); got != row.want {
			t.Errorf("%v to %v: %t, expected %t", row.reply, row.request, got, row.want)
		}
	}
}

// A reply that verifies shows that the network gets there again.
// Rules: P84
func TestReplyShowsThatItIsReachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		e := s.endpoint(wire.KindAccess)
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, s), o)
		e.unreachableAt.Store(int64(f.backend.Now()))
		if got := e.rank(); got != health.Down {
			t.Fatalf("rank %v while the network cannot get there, expected down", got)
		}
		f.net.sockets[0].in <- answer(t, f.net.seen("a:1812")[0].octets, radius.CodeAccessAccept)
		<-o.ended
		if got := e.rank(); got != health.Up || e.unreachableAt.Load() != 0 {
			t.Errorf("rank %v after a verified reply, expected up", got)
		}
	})
}
