package metrics

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// touchAll counts each series of each owner once, and gives every gauge a value.
func touchAll(m *Metrics) {
	m.Route("example.org")
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.clients {
		c.counters.touch()
	}
	for _, s := range m.servers {
		s.counters.touch()
		s.ObserveReply(time.Millisecond)
	}
	for _, r := range m.routes {
		r.counters.touch()
	}
}

func (c counters) touch() {
	for i := range c {
		for k := range c[i] {
			c[i][k].n.Add(1)
		}
	}
}

// seriesOf returns the lines of a scrape that have a label.
func seriesOf(text, label string) (lines []string) {
	for line := range strings.Lines(text) {
		if strings.Contains(line, label) && !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// Each series of the tables of counters appears with its first count, and goes with its
// owner: until then a thousand clients would have 200,000 series of zeros.
//
// Fault O3.
func TestSeriesAppearWithTheirFirstCount(t *testing.T) {
	m, _, _ := filled(t)
	m.Route("example.org")
	for _, x := range []struct {
		owner  string // as a label
		gauges int    // there from the start
	}{{`client="campus"`, 1}, {`server="freeradius-a"`, 5}, {`route="example.org"`, 0}} {
		if got := seriesOf(scrape(t, m), x.owner); len(got) != x.gauges {
			t.Errorf("%s before anything was counted: got %d series, expected the %d gauges: %q", x.owner, len(got), x.gauges, got)
		}
	}
	touchAll(m)
	for _, x := range []struct {
		families *families
		owner    string
		forget   func()
	}{
		{m.ofClients, `client="campus"`, func() { m.KeepClients(func(string) bool { return false }) }},
		{m.ofServers, `server="freeradius-a"`, func() { removeServer(m, "freeradius-a") }},
		{m.ofRoutes, `route="example.org"`, func() { m.KeepRoutes(nil) }},
	} {
		text := scrape(t, m)
		for _, f := range x.families.list {
			got := slices.DeleteFunc(seriesOf(text, x.owner), func(line string) bool {
				return !strings.HasPrefix(line, namespace+"_"+f.name+"{") || !strings.HasSuffix(line, " 1")
			})
			if want := max(1, len(f.values)); len(got) != want || f.help == "" || (len(f.labels) == 0) != (len(f.values) == 0) {
				t.Errorf("%s of %s: got %d series at 1, expected %d, and help", f.name, x.owner, len(got), want)
			}
		}
		x.forget()
		if got := seriesOf(scrape(t, m), x.owner); len(got) != 0 {
			t.Errorf("%s that is gone: got %q, expected no series", x.owner, got)
		}
	}
}

// More clients than have series of their own share the label "other", which never
// decreases, also when one of them is removed.
//
// Fault O3.
func TestClientsBeyondTheLimitShareALabel(t *testing.T) {
	m, _, _ := filled(t)
	m.ofClients.limit = 2
	for i := range 4 {
		c := m.Client(fmt.Sprintf("c%d", i))
		c.Connected()
		c.Received(10)
	}
	m.Client(other).Received(5)
	expect(t, m,
		`radsec_gw_client_received_bytes_total{client="c0"} 10`,
		`radsec_gw_client_received_bytes_total{client="other"} 35`,
		`radsec_gw_tls_client_connections{client="other"} 3`)
	if got := seriesOf(scrape(t, m), `client="c1"`); len(got) != 0 {
		t.Errorf("a client beyond the limit has series of its own: %q", got)
	}
	m.Client("c3").Disconnected(ClosedByPeer)
	m.KeepClients(func(name string) bool { return name != "c3" })
	expect(t, m,
		`radsec_gw_client_received_bytes_total{client="other"} 35`,
		`radsec_gw_tls_client_connections{client="other"} 2`)
	if n := len(m.Clients()); n != 5 {
		t.Errorf("the status page shows %d clients, expected all 5", n)
	}
}

// Ports beyond the limit have a state when they are not up, and share their counts by port.
func TestServersBeyondTheLimitShareALabel(t *testing.T) {
	m, _, _ := filled(t)
	m.ofServers.limit = 1
	for i := range 150 {
		for _, port := range []Port{PortAuth, PortAcct} {
			s := m.Server(fmt.Sprintf("s%d", i), port)
			s.Count(ServerSent, 1)
			if i > 0 {
				s.SetState(StateUp)
			}
		}
	}
	text := scrape(t, m)
	expect(t, m,
		`radsec_gw_server_requests_sent_total{port="auth",server="other"} 150`,
		`radsec_gw_server_requests_sent_total{port="acct",server="other"} 150`,
		`radsec_gw_server_up{port="auth",server="s0"} 0`,
		`radsec_gw_server_ports{state="up"} 298`)
	if got := seriesOf(text, `server="s7"`); len(got) != 0 {
		t.Errorf("a server beyond the limit that is up has series: %q", got)
	}
}
