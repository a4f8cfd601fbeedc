package udpback

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// serves logs in once and returns the name of the server that answered, or the error.
func (f *fixture) serves(t *testing.T, g *Group, state string) string {
	t.Helper()
	o := newOwner(radius.CodeAccessRequest)
	if state != "" {
		o.HasState, o.StateHash = true, Hash([]byte(state))
	}
	b := f.backend.AcquireBatch()
	defer f.backend.ReleaseBatch(b)
	if err := g.Start(&o.Exchange, b); err != nil {
		return err.Error()
	}
	b.Flush()
	<-o.ended
	name, _, _ := o.Served()
	return name
}

// order orders maintenance, or its end.
func (f *fixture) order(t *testing.T, name string, on bool) {
	t.Helper()
	if err := f.backend.SetMaintenance(name, on); err != nil {
		t.Fatal(err)
	}
}

// A server in maintenance finishes what it has, a request that is sent again included, and
// gets nothing new but the next rounds of its conversations.
//
// Fault O9.
func TestMaintenanceOfAServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", checked), f.server(t, "b", checked)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "a", "b")
		pass(2 * time.Second)
		g := f.group(t, Failover, a, b)
		g.rememberIssuer(&Exchange{progress: progress{ep: a.endpoint(wire.KindAccess)}}, []byte("of a"))
		f.net.hung("a")
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, g, o)
		f.order(t, "a", true)
		f.net.answering(t, "a", "b")
		<-o.ended
		var sent []transmission
		for _, one := range f.net.seen("a:1812") {
			if one.octets[0] == byte(radius.CodeAccessRequest) {
				sent = append(sent, one)
			}
		}
		if name, _, _ := o.Served(); name != "a" || o.outcome() != accepted || len(sent) != 2 || !slices.Equal(sent[0].octets, sent[1].octets) {
			t.Errorf("the request in flight: %s of %s, sent %d times to a; expected an answer of a to the same octets, sent twice", o.outcome(), name, len(sent))
		}
		for state, want := range map[string]string{"": "b", "of a": "a", "of nobody": "b"} {
			if got := f.serves(t, g, state); got != want {
				t.Errorf("in maintenance, State %q: served by %s, expected %s", state, got, want)
			}
		}
		if n := f.count(t, "radsec_gw_server_state", "server", "a", "state", "maintenance"); n != 3 {
			t.Errorf("%v ports of a are shown in maintenance, expected 3", n)
		}
		before := len(f.net.seen("a:1812"))
		pass(2 * time.Minute)
		if n := len(f.net.seen("a:1812")) - before; n < 2 {
			t.Errorf("%d checks of a in 2 minutes, expected that it is still checked", n)
		}
		f.order(t, "a", false)
		if got := f.serves(t, g, ""); got != "a" {
			t.Errorf("after maintenance: served by %s, expected a", got)
		}
	})
}

// A request whose server is silent leaves it in maintenance, too, but never goes to one in
// maintenance, which is not tried either.
//
// Fault O9.
func TestNothingMovesToMaintenance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b, c := f.server(t, "a", nil), f.server(t, "b", checked), f.server(t, "c", checked)
		for _, s := range []*Server{a, b, c} {
			defer s.Close()
		}
		f.net.answering(t, "b", "c")
		pass(2 * time.Second)
		g := f.group(t, Failover, a, b, c)
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, g, o)
		f.order(t, "a", true)
		f.order(t, "b", true)
		f.bring(t, b, health.Failing)
		<-o.ended
		if name, _, _ := o.Served(); name != "c" {
			t.Errorf("served by %s, expected c: a is silent, and b is in maintenance", name)
		}
		pass(time.Hour) // a try of b would be due
		if got := f.serves(t, g, ""); got != "c" {
			t.Errorf("served by %s, expected c", got)
		}
		for _, one := range f.net.seen("b:1812") {
			if one.octets[0] == byte(radius.CodeAccessRequest) {
				t.Error("b got a request, expected none")
			}
		}
	})
}

// Where every server is in maintenance, a request is not started, and the error says why;
// the only server of a group still gets the next rounds of its conversations.
//
// Fault O9.
func TestMaintenanceOfAllServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", func(c *ServerConfig) { c.Maintenance = true })
		b := f.server(t, "b", func(c *ServerConfig) { c.Maintenance, c.CoAPort = true, 0 })
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "a", "b")
		one, both := f.group(t, Failover, a), f.group(t, Sticky, a, b)
		for name, g := range map[string]*Group{"one server": one, "two servers": both} {
			batch := f.backend.AcquireBatch()
			for _, code := range []radius.Code{radius.CodeAccessRequest, radius.CodeAccountingRequest, radius.CodeCoARequest} {
				if err := g.Start(&newOwner(code).Exchange, batch); !errors.Is(err, ErrMaintenance) {
					t.Errorf("%s, %v: %v, expected ErrMaintenance", name, code, err)
				}
			}
			f.backend.ReleaseBatch(batch)
		}
		if got := f.serves(t, one, "any"); got != "a" {
			t.Errorf("a conversation of the only server: %s, expected a", got)
		}
		f.order(t, "b", false)
		if got := f.serves(t, both, ""); got != "b" {
			t.Errorf("b was ordered to work: %s, expected b", got)
		}
	})
}

// An order is for all addresses of an expanded name, or for one, which precedes; an address
// that comes later follows, also one that has been away.
//
// Fault O9.
func TestMaintenanceOfExpandedServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "pods", func(c *ServerConfig) { c.Address, c.Expand, c.ResolveInterval = host, true, 5*time.Second })
		defer s.Close()
		g := f.group(t, Failover, s)
		f.net.answering(t, "a", "b", "c")
		resolve := func(names ...string) {
			f.net.name(host, names...)
			pass(time.Minute)
		}
		expect := func(when, want string) {
			t.Helper()
			if got := f.serves(t, g, ""); got != want {
				t.Errorf("%s: served by %s, expected %s", when, got, want)
			}
		}
		resolve("a", "b")
		f.order(t, "pods@192.0.2.1", true)
		expect("a by its label", "pods@192.0.2.2")
		resolve("b")
		resolve("a", "b")
		expect("a has been away", "pods@192.0.2.2")
		f.order(t, "pods", true)
		expect("all", ErrMaintenance.Error())
		resolve("a", "b", "c")
		expect("all, and a new address", ErrMaintenance.Error())
		f.order(t, "pods@192.0.2.3", false)
		expect("all but c", "pods@192.0.2.3")
		if err := f.backend.ResetMaintenance("pods"); err != nil {
			t.Fatal(err)
		}
		expect("a only, again", "pods@192.0.2.2")
		st, ok := f.backend.Maintenance("pods")
		if !ok || st.On || st.Order != nil || st.Ports["auth@192.0.2.1"] != health.Up || len(st.Ports) != 9 {
			t.Errorf("the status is %+v, %v; expected no maintenance, no order, and three ports of three addresses", st, ok)
		}
	})
}

// An order precedes the configuration, also after a reload, and ends with the server.
//
// Fault O9.
func TestMaintenanceByOrderAndByConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		journal := f.journal()
		config := ServerConfig{}
		a := f.server(t, "a", func(c *ServerConfig) { config = *c })
		expect := func(when string, on bool, logged string) {
			t.Helper()
			st, _ := f.backend.Maintenance("a")
			got := strings.Join(journal.take(), "\n")
			if st.On != on || !strings.Contains(got, logged) || (logged == "") != (got == "") {
				t.Errorf("%s: maintenance is %v, and the log has %q; expected %v and %q", when, st.On, got, on, logged)
			}
		}
		const began, ended = `level=WARN msg="the server is in maintenance`, `level=INFO msg="the server's maintenance has ended`
		configure := func(on bool) {
			config.Maintenance = on
			a.Reconfigure(config)
		}
		expect("at first", false, "")
		configure(true)
		expect("by the configuration", true, began)
		configure(true)
		expect("again", true, "")
		f.order(t, "a", false)
		expect("ordered to end", false, ended)
		configure(true)
		expect("the same configuration", false, "")
		if err := f.backend.ResetMaintenance("a"); err != nil {
			t.Fatal(err)
		}
		expect("without the order", true, began)
		configure(false)
		expect("no longer configured", false, ended)
		f.order(t, "a", true)
		expect("ordered", true, began)
		next := f.server(t, "a", nil) // another address, say: a reload replaces it
		defer next.Close()
		a.Close()
		expect("replaced", true, began)
		next.Close()
		if n := len(f.backend.orders); n != 0 {
			t.Errorf("%d orders for a server that is gone, expected none", n)
		}
	})
}

// Orders are bounded, and refused for what is not there.
func TestMaintenanceOrdersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", nil)
		defer a.Close()
		for _, name := range []string{"", "b", "a@192.0.2.1"} {
			if err := f.backend.SetMaintenance(name, true); !errors.Is(err, ErrUnknownServer) {
				t.Errorf("%q: %v, expected ErrUnknownServer", name, err)
			}
		}
		for i := range MaxMaintenanceOrders {
			f.backend.orders[fmt.Sprint("other", i)] = MaintenanceOrder{}
		}
		if err := f.backend.SetMaintenance("a", true); !errors.Is(err, ErrTooManyOrders) {
			t.Errorf("one more: %v, expected ErrTooManyOrders", err)
		}
		if _, ok := f.backend.Maintenance("b"); ok {
			t.Error("a server that is not there has a status")
		}
	})
}

// An order for an address that the name does not have is shown with the server and for
// itself, can be removed, and can be given in advance, in whatever way the address is
// written.
func TestOrdersForAbsentAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.name(host, "a", "b")
		s := f.server(t, "pods", func(c *ServerConfig) { c.Address, c.Expand, c.ResolveInterval = host, true, 5*time.Second })
		defer s.Close()
		pass(time.Second)
		resolve := func(names ...string) {
			f.net.name(host, names...)
			pass(time.Minute)
		}
		expect := func(when, name string, absent bool, ordered string, addresses ...string) {
			t.Helper()
			st, ok := f.backend.Maintenance(name)
			got := ""
			if st.Order != nil {
				got = fmt.Sprint(st.Order.On)
			}
			var list []string
			for _, o := range st.Addresses {
				list = append(list, fmt.Sprint(o.Label, " ", o.On, " ", o.Absent))
			}
			if !ok || st.Absent != absent || got != ordered || !slices.Equal(list, addresses) {
				t.Errorf("%s: %s is known: %t, absent: %t, ordered %q, addresses %q; expected absent: %t, ordered %q, addresses %q", when, name, ok, st.Absent, got, list, absent, ordered, addresses)
			}
		}
		f.order(t, "pods@192.0.2.1", true)
		expect("ordered", "pods", false, "", "pods@192.0.2.1 true false")
		resolve("b")
		expect("away", "pods", false, "", "pods@192.0.2.1 true true")
		expect("away", "pods@192.0.2.1", true, "true")
		expect("without an order", "pods@192.0.2.9", true, "")
		f.order(t, "pods@2001:DB8::0:9", true)
		f.order(t, "pods@::ffff:192.0.2.3", false)
		expect("in advance", "pods", false, "", "pods@192.0.2.1 true true", "pods@192.0.2.3 false true", "pods@2001:db8::9 true true")
		for _, name := range []string{"pods@192.0.2.1", "pods@2001:db8::9"} {
			if err := f.backend.ResetMaintenance(name); err != nil {
				t.Errorf("%s: %v, expected that the order is removed", name, err)
			}
		}
		resolve("a", "b", "c")
		expect("back", "pods", false, "", "pods@192.0.2.3 false false")
		expect("back", "pods@192.0.2.1", false, "")
		if st, _ := f.backend.Maintenance("pods@192.0.2.1"); st.On {
			t.Error("the address is in maintenance, expected none: its order was removed while it was away")
		}
		for _, name := range []string{"pods@", "pods@x", "other@192.0.2.1"} {
			if err := f.backend.SetMaintenance(name, true); !errors.Is(err, ErrUnknownServer) {
				t.Errorf("%q: %v, expected ErrUnknownServer", name, err)
			}
		}
	})
}

// The log says of an expanded server and of its addresses what really changes, and the
// status of the server is that of its addresses together.
func TestMaintenanceLinesOfExpandedServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		journal := f.journal()
		f.net.name(host, "a", "b")
		s := f.server(t, "x", func(c *ServerConfig) { c.Address, c.Expand, c.ResolveInterval = host, true, 5*time.Second })
		defer s.Close()
		pass(time.Second)
		const a, b = "x@192.0.2.1", "x@192.0.2.2"
		remove := func(name string) {
			if err := f.backend.ResetMaintenance(name); err != nil {
				t.Fatal(err)
			}
		}
		journal.take()
		for i, row := range []struct {
			do   func()
			on   bool
			want []string // lines: a server, and whether it is in maintenance from now on
		}{
			{func() { f.order(t, a, true) }, false, []string{a + " true"}},
			{func() { f.order(t, a, true) }, false, nil},
			{func() { f.order(t, b, true) }, true, []string{"x true", b + " true"}},
			{func() { f.order(t, "x", true) }, true, nil},
			{func() { remove("x") }, true, nil}, // its addresses have orders of their own
			{func() { remove(a) }, false, []string{a + " false"}},
			{func() { remove(b) }, false, []string{"x false"}},
			{func() { f.order(t, "x", true) }, true, []string{"x true"}},
			{func() { f.order(t, b, false) }, false, []string{b + " false"}},
			{func() { f.net.name(host, "a", "b", "c"); pass(time.Minute) }, false, nil}, // c is as x
			{func() { remove(b) }, true, []string{b + " true"}},
			{func() { remove("x") }, false, []string{"x false"}},
			{func() { f.order(t, a, true); f.net.name(host, "b"); pass(time.Minute) }, false, []string{a + " true"}},
			{func() { f.net.name(host, "a", "b"); pass(time.Minute) }, false, []string{a + " true"}},
			{func() { f.net.name(host, "a"); pass(time.Minute) }, true, []string{"x true"}},
		} {
			row.do()
			var got []string
			for _, line := range journal.take() {
				server := strings.Fields(line[strings.Index(line, "server=")+len("server="):])[0]
				switch {
				case strings.Contains(line, "is in maintenance: it gets no new requests"):
					got = append(got, server+" true")
				case strings.Contains(line, "maintenance has ended"):
					got = append(got, server+" false")
				}
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("step %d: the log says %q, expected %q", i, got, row.want)
			}
			if st, _ := f.backend.Maintenance("x"); st.On != row.on {
				t.Errorf("step %d: x is in maintenance: %t, expected %t", i, st.On, row.on)
			}
		}
	})
}
