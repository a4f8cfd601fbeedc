package udpback

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// What the log suggests to look at after an error.
// Rules: P84
func TestHintOf(t *testing.T) {
	for _, row := range []struct {
		err  syscall.Errno
		hint string
	}{
		{syscall.EHOSTUNREACH, "no route to the server's address"},
		{syscall.ENETUNREACH, "no route to the server's address"},
		{syscall.ENETDOWN, "no route to the server's address"},
		{syscall.EHOSTDOWN, "no route to the server's address"},
		{syscall.EPERM, "packet filter"},
		{syscall.EACCES, "packet filter"},
		{syscall.ENODEV, "check the network"},
		{syscall.ENXIO, "check the network"},
		{syscall.ENOPROTOOPT, "takes no UDP"},
		{syscall.EOPNOTSUPP, "check the network"},
		{syscall.EPROTO, "check the network"},
		{syscall.EADDRNOTAVAIL, "own address has changed"},
		{syscall.EINVAL, "own address has changed"},
		{syscall.EMFILE, "too many files"},
		{syscall.ENFILE, "too many files"},
		{syscall.ENOBUFS, "short of memory"},
		{syscall.ENOMEM, "short of memory"},
		{syscall.EAGAIN, "check the network"},
		{syscall.ECONNREFUSED, "check the network"},
		{syscall.EIO, "check the network"},
	} {
		if hint := hintOf(row.err); !strings.Contains(hint, row.hint) {
			t.Errorf("%v: the hint is %q, expected something of %q", row.err, hint, row.hint)
		}
	}
}

// What follows from an error: what is counted and logged of it, and what it says of the
// server. On a socket that leads nowhere, or to an address that the server has left, it
// says nothing.
// Rules: P84
func TestFailed(t *testing.T) {
	here, left := ipOf("a"), ipOf("b")
	const failed = `level=WARN msg="sending to or receiving from the server failed" server=a port=auth address=192.0.2.1:1812 error=`
	for _, row := range []struct {
		name              string
		leadsTo           netip.Addr
		err               error
		counted           float64
		line              string // how the first line begins; empty: none is written
		blocked, troubled bool
		state             health.State
		orders            orders
	}{
		{name: "no socket", err: errNowhere},
		{name: "refused, left", leadsTo: left, err: syscall.ECONNREFUSED, counted: 1},
		{name: "no way, left", leadsTo: left, err: syscall.EHOSTUNREACH, counted: 1},
		{name: "refused", leadsTo: here, err: syscall.ECONNREFUSED, counted: 1, state: health.Suspect, orders: moveServer,
			line: `level=WARN msg="nobody listens on the server's port: is the RADIUS server running?" server=a port=auth address=192.0.2.1:1812 error="connection refused"`},
		{name: "no way", leadsTo: here, err: syscall.EHOSTUNREACH, counted: 1, blocked: true, troubled: true, orders: renewSocket | moveServer,
			line: failed + `"no route to host" hint="there is no route to the server's address: check the routes and the links"`},
		{name: "own address gone", leadsTo: here, err: syscall.EADDRNOTAVAIL, counted: 1, blocked: true, troubled: true, orders: renewSocket | moveSocket | moveServer,
			line: failed + `"cannot assign requested address" hint="this machine's own address has changed"`},
		{name: "own want", leadsTo: here, err: syscall.ENOBUFS, counted: 1, troubled: true,
			line: failed + `"no buffer space available" hint="the system is short of memory for packets"`},
		{name: "unknown", leadsTo: here, err: syscall.EIO, counted: 1,
			line: failed + `"input/output error" hint="check the network between here and the server"`},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			journal := f.journal()
			server := f.server(t, "a", checked)
			defer server.Close()
			e := server.endpoint(wire.KindAccess)
			s := newSocket(e, row.leadsTo, newNowhere())
			defer s.close()
			pass(time.Second)
			journal.take()
			s.timerAt = 1 // so that no sweep carries the orders out
			s.failed(row.err)
			s.mu.Lock()
			troubled, given := s.sendFailedAt, s.orders
			s.mu.Unlock()
			if got := e.health.State(); got != row.state || given != row.orders {
				t.Errorf("%s: the port is %v, orders %b; expected %v, %b", row.name, got, given, row.state, row.orders)
			}
			if blocked := e.unreachableAt.Load(); (blocked == int64(f.backend.Now())) != row.blocked || (troubled == f.backend.Now()) != row.troubled {
				t.Errorf("%s: blocked at %v, troubled at %v; expected now: %t, %t", row.name, time.Duration(blocked), troubled, row.blocked, row.troubled)
			}
			if n := f.count(t, "radsec_gw_server_socket_errors_total", "port", "auth"); n != row.counted {
				t.Errorf("%s: %v errors are counted, expected %v", row.name, n, row.counted)
			}
			if got := journal.take(); len(got) > 0 != (row.line != "") || row.line != "" && got[0] != row.line {
				t.Errorf("%s: the log says %q, expected %q", row.name, got, row.line)
			}
		})
	}
}

// What the log says of a reply that does not verify depends on what else was seen.
// Rules: P51
func TestLogOfBadReplies(t *testing.T) {
	for _, row := range []struct {
		name        string
		err         error
		answered    bool
		outstanding int64 // of 256
		want        string
	}{
		{"without Message-Authenticator", wire.ErrNoMessageAuthenticator, false, 0, "has no Message-Authenticator and was dropped; update the server"},
		{"the first", wire.ErrResponseAuthenticator, false, 256, "nor did any before; the likeliest cause is that the secret here and on the server differ"},
		{"later", wire.ErrResponseAuthenticator, true, 0, "it may be an answer that was too late, or forged, or the secret was changed on one side"},
		{"later, and a quarter is free", wire.ErrMessageAuthenticator, true, 191, "it may be an answer that was too late, or forged, or the secret was changed on one side"},
		{"later, and less is free", wire.ErrMessageAuthenticator, true, 192, "nearly all Identifiers are in use, so it is likely an answer that was too late"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			journal := f.journal()
			s := f.server(t, "a", func(c *ServerConfig) { c.MaxSockets = 1 })
			defer s.Close()
			e := s.endpoint(wire.KindAccess)
			if row.answered {
				e.health.Answered(f.backend.Now(), time.Second)
			}
			e.outstanding.Store(row.outstanding)
			defer e.outstanding.Store(0)
			e.log.unverifiedReply(row.err)
			if got := journal.take(); len(got) != 1 || !strings.HasPrefix(got[0], `level=WARN msg="a reply from the server `) || !strings.Contains(got[0], row.want) || !strings.Contains(got[0], " server=a port=auth address=192.0.2.1:1812 error=") {
				t.Errorf("%s: the log says %q, expected one line with %q", row.name, got, row.want)
			}
		})
	}
}
