package udpback

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/udpback/datagram"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// brokenSocket fails to receive some times, one error after the other.
type brokenSocket struct {
	*nowhere
	errs []error
}

func (s *brokenSocket) Receive(handle func(*datagram.Inbox)) error {
	if len(s.errs) == 0 {
		return s.nowhere.Receive(handle)
	}
	err := s.errs[0]
	s.errs = s.errs[1:]
	return err
}

// An error that may persist makes the reader pause. One that speaks of an earlier
// datagram does not: replies may be there.
func TestReaderPauses(t *testing.T) {
	for _, row := range []struct {
		err  error
		want time.Duration
	}{
		{syscall.EIO, 4 * readErrorPause},
		{errors.New("unknown"), 4 * readErrorPause},
		{syscall.ECONNREFUSED, 0},
		{syscall.EHOSTUNREACH, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			server := f.server(t, "a", nil)
			defer server.Close()
			conn := &brokenSocket{nowhere: newNowhere(), errs: []error{row.err, row.err, row.err, row.err, net.ErrClosed}}
			began := time.Now()
			s := newSocket(server.endpoint(wire.KindAccess), netip.MustParseAddr("192.0.2.1"), conn)
			<-s.done
			if took := time.Since(began); took != row.want {
				t.Errorf("four times %v: read ended after %v, expected %v", row.err, took, row.want)
			}
			s.close()
		})
	}
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
