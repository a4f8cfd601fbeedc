package udpback

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/config/defaults"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// addressesOf are the addresses of servers.
func addressesOf(names ...string) (all []netip.Addr) {
	for _, name := range names {
		all = append(all, ipOf(name))
	}
	return all
}

// Each address of a name is tried at once when those before it are silent, and then for a
// while each. With new addresses this begins again.
func TestTurnsOfAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.name(host, "a", "b", "c")
		s := f.server(t, "x", named(0, health.CheckNone))
		defer s.Close()
		pass(time.Second)
		for i, row := range []struct {
			after time.Duration
			found []netip.Addr // looked up just before
			from  string       // which address is silent; empty: the one in use
			want  string       // which is in use then
		}{
			{want: "b"},
			{from: "a", want: "b"}, // it was left
			{want: "c"},
			{want: "c"},
			{after: addressInterval - 1, want: "c"},
			{after: 1, want: "a"},
			{want: "a"},
			{found: addressesOf("a", "b", "c"), want: "a"}, // no change
			{found: addressesOf("d", "e", "f"), want: "e"},
			{want: "f"},
			{want: "f"},
			{after: addressInterval, want: "d"},
			{after: addressInterval, found: addressesOf("d"), want: "d"}, // there is no other
		} {
			pass(row.after)
			if row.found != nil {
				s.setAddresses(row.found)
			}
			from := s.Address()
			if row.from != "" {
				from = ipOf(row.from)
			}
			s.tryNextAddress(from)
			if got := s.Address(); got != ipOf(row.want) {
				t.Errorf("step %d: %v is in use, expected %v", i, got, ipOf(row.want))
			}
		}
		s.setAddresses(addressesOf("a", "b"))
		s.Close()
		pass(addressInterval)
		s.tryNextAddress(s.Address())
		s.setAddresses(addressesOf("c"))
		if got := s.Address(); got != ipOf("a") {
			t.Errorf("%v is in use once the server is closed, expected no change", got)
		}
	})
}

// What the log says of a name's look-ups, and what they mean for the server: without any
// address it is down, and while look-ups fail it keeps the one that it has.
func TestLogOfNames(t *testing.T) {
	const of = " server=x name=" + host + " "
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		journal := f.journal()
		s := f.server(t, "x", func(c *ServerConfig) {
			named(0, health.CheckNone)(c)
			c.AcctPort, c.CoAPort = 0, 0
		})
		defer s.Close()
		for i, row := range []struct {
			names []string // what the name stands for
			state health.State
			want  []string // how the lines begin
		}{
			{nil, health.Down, []string{
				`level=ERROR msg="the server is down" server=x port=auth `,
				`level=ERROR msg="the server's name cannot be looked up: its requests go to other servers or wait; is the name right, and does the name server answer?"` + of + "error=",
			}},
			{[]string{"a", "b"}, health.Up, []string{
				`level=INFO msg="the server's name was looked up"` + of + "address=192.0.2.1 addresses=2",
				`level=INFO msg="the server is assumed to be up until something else is known" server=x port=auth was=down `,
			}},
			{[]string{"a", "b"}, health.Up, nil},
			{nil, health.Up, []string{`level=ERROR msg="the server's name cannot be looked up; its last address stays in use"` + of + "error="}},
			{[]string{"c"}, health.Up, []string{`level=INFO msg="the server's name has another address now"` + of + "was=192.0.2.1 is=192.0.2.3"}},
		} {
			f.net.name(host, row.names...)
			if i > 0 {
				f.backend.Refresh()
			}
			synctest.Wait()
			got := journal.take()
			if !slices.EqualFunc(got, row.want, strings.HasPrefix) {
				t.Errorf("step %d: the log says\n%s\nexpected\n%s", i, strings.Join(got, "\n"), strings.Join(row.want, "\n"))
			}
			if state := s.endpoint(wire.KindAccess).health.State(); state != row.state {
				t.Errorf("step %d: the server is %v, expected %v", i, state, row.state)
			}
			pass(2*time.Minute + 100*time.Millisecond) // and no look-up or line falls due at that moment
			journal.take()                             // a failure is notified of again, each minute
			journal.take()
		}
	})
}

// When something is heard from an address each is tried at once again.
func TestTurnsBeginAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.name(host, "a", "b", "c")
		s := f.server(t, "x", named(0, health.CheckNone))
		defer s.Close()
		pass(time.Second)
		turn := func(want string) {
			t.Helper()
			s.tryNextAddress(s.Address())
			if got := s.Address(); got != ipOf(want) {
				t.Errorf("%v is in use, expected %v", got, ipOf(want))
			}
		}
		turn("b")
		turn("c")
		turn("c")
		pass(time.Second)
		p := s.endpoint(wire.KindAccess).health
		p.Answered(f.backend.Now(), time.Millisecond)
		for range defaults.SuspectAfter { // and it is silent once more
			p.Silent(f.backend.Now() + 1)
		}
		turn("a")
		turn("b")
		turn("b")
	})
}

// A look-up that lists the address in use behind others has the server leave it, unless
// something was heard from there.
func TestAddressBehindOthers(t *testing.T) {
	const never = time.Duration(-1 << 62)
	for _, row := range []struct {
		heard time.Duration // after the address was taken
		want  string
	}{{never, "a"}, {-1, "a"}, {0, "b"}, {1, "b"}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			f.net.name(host, "b")
			s := f.server(t, "x", named(0, health.CheckNone))
			defer s.Close()
			pass(time.Second)
			e := s.endpoint(wire.KindAccounting)
			e.addressSince.Store(int64(f.backend.Now()))
			if row.heard != never {
				e.health.Answered(f.backend.Now()+row.heard, time.Millisecond)
			}
			s.setAddresses(addressesOf("a", "b"))
			if got := s.Address(); got != ipOf(row.want) {
				t.Errorf("heard %v after the address was taken: %v is in use, expected %v", row.heard, got, ipOf(row.want))
			}
		})
	}
}

// A group has the addresses of all its servers, those of expanded names among them, in
// both spellings.
func TestHasAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.name(host, "b", "c")
		a, pods := f.server(t, "a", nil), f.server(t, "pods", func(c *ServerConfig) { c.Address, c.Expand = host, true })
		defer a.Close()
		defer pods.Close()
		synctest.Wait()
		g := f.group(t, Failover, a, pods)
		for name, want := range map[string]bool{"a": true, "b": true, "c": true, "d": false} {
			if got := g.HasAddress(ipOf(name)); got != want {
				t.Errorf("%v: %t, expected %t", ipOf(name), got, want)
			}
			if got := g.HasAddress(netip.AddrFrom16(ipOf(name).As16())); got != want {
				t.Errorf("%v as IPv6: %t, expected %t", ipOf(name), got, want)
			}
		}
	})
}
