package udpback

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/datagram"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// from1 and from2 are sources of clients.
var from1, from2 = netip.MustParseAddr("192.0.2.101"), netip.MustParseAddr("192.0.2.102")

// machine is a network seen from a machine with addresses of its own: it has those that are
// not missing, and servers do not reply to those that they do not know.
type machine struct {
	*network

	mu      sync.Mutex
	missing map[netip.Addr]bool
	unknown map[netip.Addr]bool
	sent    map[netip.Addr]int // datagrams, by the address that they come from
	last    netip.Addr         // that the datagram being served comes from
}

// machine has the fixture's sockets opened from addresses that the test changes.
func (f *fixture) machine() *machine {
	m := &machine{network: f.net, missing: map[netip.Addr]bool{}, unknown: map[netip.Addr]bool{}, sent: map[netip.Addr]int{}}
	f.backend.dial = func(from netip.Addr, to netip.AddrPort) (datagram.Conn, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.missing[from] {
			return nil, os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)
		}
		c, err := f.net.dial(from, to)
		if err != nil {
			return nil, err
		}
		return &boundSocket{c.(*fakeSocket), from, m}, nil
	}
	return m
}

// change changes what the machine has, or the servers know.
func (m *machine) change(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// count returns how many datagrams were sent from an address.
func (m *machine) count(from netip.Addr) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sent[from]
}

type boundSocket struct {
	*fakeSocket
	from    netip.Addr
	machine *machine
}

func (s *boundSocket) Send(bufs [][]byte) (int, error) {
	m := s.machine
	m.mu.Lock()
	missing, unknown := m.missing[s.from], m.unknown[s.from]
	if !missing {
		m.sent[s.from] += len(bufs)
		m.last = s.from
	}
	m.mu.Unlock()
	switch {
	case missing:
		return 0, os.NewSyscallError("sendto", syscall.EINVAL)
	case unknown:
		return len(bufs), nil
	}
	return s.fakeSocket.Send(bufs)
}

// source acquires a source for a test.
func (f *fixture) source(t *testing.T, a netip.Addr, secret string) *Source {
	t.Helper()
	var s *wire.ServerSecret
	if secret != "" {
		s = serverSecret(t, secret)
	}
	source, err := f.backend.AcquireSource(a, s, nil, "ap", nil)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func serverSecret(t *testing.T, text string) *wire.ServerSecret {
	t.Helper()
	s, err := wire.NewServerSecret([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// try starts an Access-Request from a source, and returns how it ended, or the error.
func (f *fixture) try(g *Group, source *Source) string {
	o := newOwner(radius.CodeAccessRequest)
	o.Source = source
	b := f.backend.AcquireBatch()
	err := g.Start(&o.Exchange, b)
	b.Flush()
	f.backend.ReleaseBatch(b)
	if err != nil {
		return err.Error()
	}
	<-o.ended
	return o.outcome()
}

// Requests of a client are sent from its source and no other address. A reply verifies under
// the secret that the server knows the source with.
// Rules: ID6, P24
func TestSourcesAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		m := f.machine()
		own := map[netip.Addr]string{from1: "secret-of-the-first", from2: "secret-of-the-second"}
		f.net.serve = func(_ string, q []byte) [][]byte {
			p, err := radius.Parse(q, []byte(secretText))
			if secret, ok := own[m.last]; ok && err == nil {
				p.Secret = []byte(secret)
			}
			b, _ := p.Response(radius.CodeAccessAccept).Encode()
			return [][]byte{b}
		}
		a := f.server(t, "a", nil)
		defer a.Close()
		g := f.group(t, Failover, a)
		one, two, wrong := f.source(t, from1, own[from1]), f.source(t, from2, own[from2]), f.source(t, from1, "another-secret")
		for _, source := range []*Source{nil, one, two, one} {
			if got := f.try(g, source); got != accepted {
				t.Errorf("a request from %v: %s, expected an Access-Accept that verifies", source, got)
			}
		}
		if m.count(netip.Addr{}) != 1 || m.count(from1) != 2 || m.count(from2) != 1 {
			t.Errorf("datagrams by address: %v, expected 1 from the server's own, 2 and 1", m.sent)
		}
		if got := f.try(g, wrong); !strings.Contains(got, fmt.Sprint(FailUnverified)) {
			t.Errorf("a request whose secret is another: %s, expected that no reply verifies", got)
		}
	})
}

// While this machine does not have a source, its client's requests are refused, and none is
// sent from another address; others are not concerned. The log says so once, with address and
// error.
// Rules: ID8
func TestSourceIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		j := f.journal()
		m := f.machine()
		a := f.server(t, "a", nil)
		defer a.Close()
		f.net.answering(t, "a")
		g := f.group(t, Failover, a)
		source := f.source(t, from1, "")
		m.change(func() { m.missing[from1] = true })
		for range 3 {
			if got := f.try(g, source); got != ErrNoSource.Error() {
				t.Errorf("a request from a missing source: %s, expected %v", got, ErrNoSource)
			}
		}
		if got := f.try(g, nil); got != accepted {
			t.Errorf("a request of another client: %s, expected an Access-Accept", got)
		}
		if m.count(from1) != 0 || m.count(netip.Addr{}) != 1 {
			t.Errorf("datagrams by address: %v, expected only that of the other client", m.sent)
		}
		j.mu.Lock()
		lines := strings.Join(j.lines, "\n")
		j.mu.Unlock()
		if n := strings.Count(lines, "the source address of a client cannot be used"); n != 1 || !strings.Contains(lines, "source=192.0.2.101") || !strings.Contains(lines, "cannot assign requested address") {
			t.Errorf("expected one line with the address and the error, got:\n%s", lines)
		}
		m.change(func() { m.missing[from1] = false })
		pass(openPause)
		if got := f.try(g, source); got != accepted {
			t.Errorf("after the address has returned: %s, expected an Access-Accept", got)
		}

		// It goes away under open sockets: the first request finds it out.
		m.change(func() { m.missing[from1] = true })
		o := newOwner(radius.CodeAccessRequest)
		o.Source = source
		f.start(t, g, o)
		pass(time.Second)
		if got := f.try(g, source); got != ErrNoSource.Error() {
			t.Errorf("after the source has gone: %s, expected %v", got, ErrNoSource)
		}
		if got := f.try(g, nil); got != accepted || a.endpoint(wire.KindAccess).rank() != health.Up {
			t.Errorf("a request of another client: %s, with the port %v; expected an Access-Accept, and that it is up", got, a.endpoint(wire.KindAccess).rank())
		}
		m.change(func() { m.missing[from1] = false })
		pass(2 * time.Second)
		if got := f.try(g, source); got != accepted {
			t.Errorf("after it has returned again: %s, expected an Access-Accept", got)
		}
	})
}

// A server of another address family is not sent to: the group's next is, or the request is
// refused.
// Rules: ID8
func TestSourceOfAnotherFamily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		m := f.machine()
		six := netip.MustParseAddr("2001:db8::7")
		a := f.server(t, "a", nil)
		defer a.Close()
		f.net.answering(t, "a")
		if got := f.try(f.group(t, Failover, a), f.source(t, six, "")); got != ErrNoSource.Error() {
			t.Errorf("from IPv6 to a server of IPv4: %s, expected %v", got, ErrNoSource)
		}
		b := f.server(t, "b", func(c *ServerConfig) { c.Address = "2001:db8::1" })
		defer b.Close()
		if got := f.try(f.group(t, Failover, b, a), f.source(t, from1, "")); got != accepted {
			t.Errorf("from IPv4 where the first server is of IPv6: %s, expected that the second is asked", got)
		}
		if m.count(six) != 0 || m.count(from1) != 1 {
			t.Errorf("datagrams by address: %v, expected 1 from the IPv4 source", m.sent)
		}
	})
}

// A server that does not know the source of one client stays up for the others; the log says
// whose requests it does not answer. Once it has answered a source, its silence there counts.
// Rules: ID6, P83
func TestServerDoesNotKnowASource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		j := f.journal()
		m := f.machine()
		a := f.server(t, "a", checked)
		defer a.Close()
		f.net.answering(t, "a")
		g := f.group(t, Failover, a)
		e := a.endpoint(wire.KindAccess)
		pass(5 * time.Second)
		source := f.source(t, from1, "")
		m.change(func() { m.unknown[from1] = true })
		silence := func() {
			for range 12 {
				o := newOwner(radius.CodeAccessRequest)
				o.Source = source
				f.start(t, g, o)
				pass(10 * time.Second)
			}
		}
		silence()
		if s := e.health.State(); s != health.Up && s != health.Suspect {
			t.Errorf("a server that does not know one source is %v, expected up", s)
		}
		if got := f.try(g, nil); got != accepted {
			t.Errorf("a request of another client: %s, expected an Access-Accept", got)
		}
		j.mu.Lock()
		lines := strings.Join(j.lines, "\n")
		j.mu.Unlock()
		if !strings.Contains(lines, "does not reply to the source address of a client, although it replies to others") || !strings.Contains(lines, "client=ap source=192.0.2.101") {
			t.Errorf("expected a line about the source, got:\n%s", lines)
		}
		m.change(func() { m.unknown[from1] = false })
		if got := f.try(g, source); got != accepted {
			t.Errorf("after the server knows it: %s, expected an Access-Accept", got)
		}
		m.change(func() { m.unknown[from1] = true })
		silence()
		if s := e.health.State(); s != health.Failing {
			t.Errorf("a server that no longer answers a source that it has answered is %v, expected failing", s)
		}
	})
}

// Two certificates with one address do not have it at the same time.
// Rules: ID7
func TestTwoHoldersOfASource(t *testing.T) {
	f := newFixture(t)
	acquire := func(holder string) (*Source, error) {
		return f.backend.AcquireSource(from1, nil, []byte(holder), "ap", nil)
	}
	one, err := acquire("one")
	if err != nil {
		t.Fatal(err)
	}
	again, err := acquire("one")
	if err != nil || again != one {
		t.Errorf("the second connection of a certificate: %v, expected the same source", err)
	}
	if _, err := acquire("other"); !errors.Is(err, ErrSourceTaken) {
		t.Errorf("another certificate: %v, expected %v", err, ErrSourceTaken)
	}
	f.backend.ReleaseSource(one, nil)
	if _, err := acquire("other"); !errors.Is(err, ErrSourceTaken) {
		t.Errorf("another certificate while one of two connections is open: %v, expected %v", err, ErrSourceTaken)
	}
	f.backend.ReleaseSource(one, nil)
	other, err := acquire("other")
	if err != nil || other == one {
		t.Errorf("another certificate after the first has gone: %v, expected a source of its own", err)
	}
	if _, err := acquire("one"); !errors.Is(err, ErrSourceTaken) {
		t.Errorf("the first again: %v, expected %v", err, ErrSourceTaken)
	}
	secret := serverSecret(t, "a-secret-of-its-own")
	if s, err := f.backend.AcquireSource(from1, secret, []byte("other"), "ap", nil); err != nil || s == other {
		t.Errorf("another secret of the same holder: %v, expected another source", err)
	}
	same := serverSecret(t, "a-secret-of-its-own")
	x, _ := f.backend.AcquireSource(from2, secret, nil, "ap", nil)
	y, _ := f.backend.AcquireSource(from2, same, nil, "ap", nil)
	if x == nil || x != y {
		t.Error("an equal secret after a reload: expected the same source, which keeps its sockets")
	}
}

// A request that leaves a silent server keeps its source at the next.
// Rules: ID6, P65
func TestMovedRequestKeepsItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		m := f.machine()
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "b")
		if got := f.try(f.group(t, Failover, a, b), f.source(t, from1, "")); got != accepted {
			t.Errorf("a request whose first server is silent: %s, expected an Access-Accept of the second", got)
		}
		if m.count(netip.Addr{}) != 0 || m.count(from1) < 3 {
			t.Errorf("datagrams by address: %v, expected all from the source", m.sent)
		}
	})
}
