package udpback

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/datagram"
	"radsec-gw/wire"
)

// A request for which no socket can be opened waits like one whose server is silent:
// it goes to the next server at once if there is one, else it is tried again at each
// of its transmissions, and goes out as soon as a socket is there.
func TestNoSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "a", "b")
		f.net.set(func() {
			for _, port := range []string{"a:1812", "a:1813", "a:3799"} {
				f.net.noWay[port] = syscall.ENETUNREACH
			}
		})
		for _, code := range []radius.Code{radius.CodeAccessRequest, radius.CodeAccountingRequest} {
			o := newOwner(code)
			f.start(t, f.group(t, Failover, a, b), o)
			synctest.Wait()
			if got := o.outcome(); !o.answered() {
				t.Errorf("a %v: %s, expected b's answer at once", code, got)
			}
		}
		for _, want := range []struct {
			server *Server
			why    string
		}{{a, "no socket to it can be opened; there is no route to the server's address: check the routes and the links"}, {b, ""}} {
			if got := want.server.Status()[0].NoSocket; got != want.why {
				t.Errorf("%s: the status says %q, expected %q", want.server.Name, got, want.why)
			}
		}
		g := f.group(t, Failover, a)
		all := f.everyKind(t, g)
		forgotten := newOwner(radius.CodeAccountingRequest)
		f.start(t, g, forgotten)
		forgotten.Cancel()
		pass(5 * time.Second)
		f.net.set(func() { clear(f.net.noWay) })
		for _, o := range all {
			<-o.ended
			if took := time.Since(f.net.start); !o.answered() || took > 7*time.Second {
				t.Errorf("a %v: %s after %v, expected an answer at its next transmission, 6.6s at the latest", o.code, o.outcome(), took)
			}
			if _, _, sends := o.Served(); sends != 1 {
				t.Errorf("a %v was sent %d times by its own count, expected once", o.code, sends)
			}
		}
		if n := len(f.net.seen("a:1813")); n != 1 {
			t.Errorf("%d accounting requests were sent, expected the one whose client still waits", n)
		}
		pass(time.Minute)
		if n := f.count(t, "radsec_gw_server_outstanding_requests"); n != 0 {
			t.Errorf("%v requests outstanding, expected none", n)
		}
		if n := len(a.endpoint(wire.KindAccess).sockets.all()); n != 1 {
			t.Errorf("%d sockets, expected the one that was opened", n)
		}
		if got := a.Status()[0].NoSocket; got != "" {
			t.Errorf("the status says %q though a socket is open", got)
		}
	})
}

// Without a socket to the end a request fails at its deadline, and not before.
func TestNoSocketToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.set(func() { f.net.noWay["a:1813"] = syscall.EMFILE })
		a := f.server(t, "a", func(c *ServerConfig) { c.MaxSockets = 1 })
		defer a.Close()
		g := f.group(t, Failover, a)
		var all []*owner
		for range 256 {
			all = append(all, newOwner(radius.CodeAccountingRequest))
		}
		f.start(t, g, all...)
		b := f.backend.AcquireBatch()
		if err := g.Start(&newOwner(radius.CodeAccountingRequest).Exchange, b); err != ErrNoIdentifier {
			t.Errorf("one more: %v, expected ErrNoIdentifier: what waits has a bound", err)
		}
		f.backend.ReleaseBatch(b)
		for _, o := range all {
			<-o.ended
			if took := time.Since(f.net.start); len(o.fails) != 1 || o.fails[0] != FailSilent || took < 30*time.Second-sweepGrain {
				t.Fatalf("%s after %v, expected silence for 30s", o.outcome(), took)
			}
		}
	})
}

// The sockets of all servers together have a bound; each port gets its first all the same.
func TestLimitSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.backend.LimitSockets(3)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		g, h := f.group(t, Failover, a), f.group(t, Failover, b)
		started := 0
		batch := f.backend.AcquireBatch()
		for range 2000 {
			if g.Start(&newOwner(radius.CodeAccountingRequest).Exchange, batch) == nil {
				started++
			}
		}
		batch.Flush()
		f.backend.ReleaseBatch(batch)
		if started != 3*256 {
			t.Errorf("%d requests were started, expected those of three sockets", started)
		}
		f.start(t, h, newOwner(radius.CodeAccountingRequest))
		if n := len(f.net.seen("b:1813")); n != 1 {
			t.Errorf("b got %d requests, expected one: its first socket is always there", n)
		}
	})
}

// After a failure no request tries to open a socket for a moment; each failure is
// counted, and reported once a minute.
func TestOpenPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		journal := f.journal()
		tries, dial := 0, f.backend.dial
		f.backend.dial = func(from netip.Addr, to netip.AddrPort) (datagram.Conn, error) {
			tries++
			return dial(from, to)
		}
		f.net.set(func() { f.net.noWay["a:1813"] = syscall.EMFILE })
		s := f.server(t, "a", nil)
		defer s.Close()
		e := s.endpoint(wire.KindAccounting)
		for _, row := range []struct {
			after time.Duration
			tries int
		}{{0, 1}, {0, 1}, {openPause - 1, 1}, {1, 2}, {0, 2}, {openPause - 1, 2}, {1, 3}} {
			pass(row.after)
			if _, err := e.reserve(&newOwner(radius.CodeAccountingRequest).Exchange); err != ErrNoSocket {
				t.Errorf("%v, expected ErrNoSocket", err)
			}
			if tries != row.tries {
				t.Errorf("%v after the first: %d tries, expected %d", time.Since(f.net.start), tries, row.tries)
			}
		}
		if n := f.count(t, "radsec_gw_server_socket_errors_total", "server", "a", "port", "acct"); n != 3 {
			t.Errorf("%v errors are counted, expected 3", n)
		}
		if got := journal.take(); len(got) != 1 || !strings.HasPrefix(got[0], `level=ERROR msg="cannot open a socket to the server; its requests go to other servers or wait" server=a port=acct address=192.0.2.1:1813 `) || !strings.Contains(got[0], "LimitNOFILE") {
			t.Errorf("the log is %q, expected one line that says so, and what to do", got)
		}
		pass(time.Minute)
	})
}

// A port that has a socket and gets no other goes on with that: its requests wait for an
// Identifier.
func TestPortKeepsToItsSocket(t *testing.T) {
	for _, row := range []struct {
		name    string
		prepare func(f *fixture)
		want    error
	}{
		{"more may be opened", func(*fixture) {}, nil},
		{"none can be opened", func(f *fixture) { f.net.noWay["a:1813"] = syscall.EMFILE }, ErrNoIdentifier},
		{"none may be opened", func(f *fixture) { f.backend.LimitSockets(1) }, ErrNoIdentifier},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", nil)
			defer s.Close()
			g := f.group(t, Failover, s)
			for range 256 {
				f.start(t, g, newOwner(radius.CodeAccountingRequest))
			}
			f.net.set(func() { row.prepare(f) })
			if _, err := s.endpoint(wire.KindAccounting).reserve(&newOwner(radius.CodeAccountingRequest).Exchange); err != row.want {
				t.Errorf("%s: %v for one more than a socket has, expected %v", row.name, err, row.want)
			}
			if n := len(f.net.sockets); row.want != nil && n != 1 {
				t.Errorf("%s: %d sockets were opened, expected 1", row.name, n)
			}
		})
	}
}

// An address of an expanded name that may have no socket is counted and reported.
func TestAddressWithoutSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		journal := f.journal()
		f.backend.LimitSockets(1)
		f.net.name(host, "a", "b")
		s := f.server(t, "pods", func(c *ServerConfig) { c.Address, c.Expand = host, true })
		defer s.Close()
		synctest.Wait()
		journal.take()
		for i, want := range []error{nil, ErrNoSocket, ErrNoSocket} {
			e := (*s.members.Load())[min(i, 1)].endpoint(wire.KindAccounting)
			if _, err := e.reserve(&newOwner(radius.CodeAccountingRequest).Exchange); err != want {
				t.Errorf("%v, expected %v", err, want)
			}
		}
		if n := f.count(t, "radsec_gw_server_socket_errors_total", "server", "pods@192.0.2.2", "port", "acct"); n != 2 {
			t.Errorf("%v errors are counted, expected one for each request", n)
		}
		if got := journal.take(); len(got) != 1 || !strings.Contains(got[0], "server=pods@192.0.2.2 port=acct address=192.0.2.2:1813 most=1 hint=") {
			t.Errorf("the log is %q, expected one line that names the address and the limit", got)
		}
	})
}

// Where the limit of sockets is reached a port has one besides, to renew its own; an
// address of an expanded name has not.
func TestMayNotRenew(t *testing.T) {
	for _, row := range []struct {
		name    string
		full    bool
		retired int
		member  bool
		want    bool
	}{
		{"below the limit", false, 0, false, false},
		{"below the limit, with retired ones", false, 2, false, false},
		{"below the limit, an address", false, 0, true, false},
		{"at the limit", true, 0, false, false},
		{"at the limit, with a retired one", true, 1, false, true},
		{"at the limit, an address", true, 0, true, true},
		{"at the limit, an address with a retired one", true, 1, true, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			f.backend.LimitSockets(5)
			f.backend.sockets.Store(4)
			if row.full {
				f.backend.sockets.Store(5)
			}
			s := f.server(t, "a", func(c *ServerConfig) {
				if row.member {
					c.parent = new(Server)
				}
			})
			e := s.endpoint(wire.KindAccess)
			e.sockets.retired = make([]*socket, row.retired)
			if got := e.sockets.mayNotRenew(); got != row.want {
				t.Errorf("%s: %t, expected %t", row.name, got, row.want)
			}
			e.sockets.retired = nil
			s.Close()
		})
	}
}

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
