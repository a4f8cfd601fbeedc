package gateway

import (
	"net/netip"
	"strings"
	"testing"

	"radsec-gw/config"
)

// withServers is a configuration with so many servers that answer at two ports.
func withServers(n, maxSockets, maxConnections int) *config.Config {
	cfg := &config.Config{Listen: config.Listen{MaxConnections: maxConnections}}
	route := config.Route{Packets: []string{config.PacketAccess, config.PacketAccounting}}
	for range n {
		name := strings.Repeat("s", len(cfg.Servers)+1)
		cfg.Servers = append(cfg.Servers, config.Server{Name: name, Address: "192.0.2.1", AuthPort: 1812, AcctPort: 1813, CoAPort: 3799, MaxSockets: maxSockets})
		route.Servers = append(route.Servers, name)
	}
	cfg.Routes = []config.Route{route}
	return cfg
}

// expanded makes each address of a server's name a server.
func expanded(cfg *config.Config) *config.Config {
	for i := range cfg.Servers {
		cfg.Servers[i].Expand = true
	}
	return cfg
}

// The parts together never exceed the limit, each port has a socket, and neither side starves
// the other.
//
// Fault W13.
func TestDescriptorsAreDivided(t *testing.T) {
	for _, row := range []struct {
		name                             string
		limit                            int
		cfg                              *config.Config
		connections, udp                 int // at least
		everyConnection, everySocket, ok bool
	}{
		{"the package's unit", 65536, withServers(2, 64, 10000), 10000, 256, true, true, true},
		{"a common limit", 1024, withServers(2, 64, 10000), 600, 256, false, true, true},
		{"1,000 servers", 65536, withServers(1000, 64, 10000), 10000, 50000, true, false, true},
		{"1,000 servers and connections without end", 65536, withServers(1000, 64, 1<<31-1), 31000, 31000, false, false, true},
		{"very few", 64, withServers(2, 64, 10000), 8, 8, false, false, true},
		{"no limit", 1 << 30, withServers(2, 64, 10000), 10000, 256, true, true, true},
		{"more ports than descriptors", 64, withServers(30, 64, 10000), 0, 0, false, false, false},
		{"ports leave few connections", 128, withServers(30, 64, 10000), 4, 60, false, false, true},
		{"none", 10, withServers(1, 64, 10000), 0, 0, false, false, false},
		{"the addresses of a name are servers", 65536, expanded(withServers(1, 64, 10000)), 10000, 8192, true, true, true},
		{"the same under a common limit", 1024, expanded(withServers(1, 64, 10000)), 400, 400, false, false, true},
	} {
		d, err := divide(row.limit, row.cfg)
		if (err == nil) != row.ok {
			t.Errorf("%s: got %v", row.name, err)
		}
		if err != nil {
			continue
		}
		if sum := d.other + d.http + d.httpWaiting + d.UDP + d.Connections; sum > row.limit {
			t.Errorf("%s: expected at most the limit, got %d of %+v", row.name, sum, d)
		}
		wanted := row.cfg.Listen.MaxConnections
		if d.Connections < row.connections || d.UDP < row.udp || d.Connections > wanted || d.UDP > d.wantedUDP ||
			(d.Connections == wanted) != row.everyConnection || (d.UDP == d.wantedUDP) != row.everySocket {
			t.Errorf("%s: expected at least %d connections and %d sockets, got %+v", row.name, row.connections, row.udp, d)
		}
		if said := d.Shortage(row.cfg); (said == "") != row.everyConnection {
			t.Errorf("%s: expected a warning: %t, got %q", row.name, !row.everyConnection, said)
		}
	}
}

// There are descriptors for looking up names, for as many as are looked up at the same time.
func TestDescriptorsForNames(t *testing.T) {
	other := func(limit, names int) int {
		cfg := withServers(200, 64, 10000)
		for i := range names {
			cfg.Servers[i].Address = "radius.example.org"
		}
		d, err := divide(limit, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return d.other
	}
	none := other(4096, 0)
	for _, row := range []struct{ limit, names, want int }{{4096, 1, 2}, {4096, 48, 96}, {4096, 200, 96}} {
		if got := other(row.limit, row.names) - none; got != row.want {
			t.Errorf("%d names: expected %d descriptors, got %d", row.names, row.want, got)
		}
	}
}

// There are two descriptors for each address at which CoA and Disconnect are listened for: a
// reload may open it again before the former is closed. They come from what the connections
// have, never on top of the limit.
func TestDescriptorsForDynamicAuthorization(t *testing.T) {
	const limit = 1024
	divided := func(listeners int) Descriptors {
		cfg := withServers(2, 64, 10000)
		cfg.DynamicAuthorization.Address = make([]netip.AddrPort, listeners)
		d, err := divide(limit, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	none := divided(0)
	for _, listeners := range []int{1, 2, 16} {
		d := divided(listeners)
		if got := d.other - none.other; got != 2*listeners {
			t.Errorf("%d addresses: expected %d descriptors, got %d", listeners, 2*listeners, got)
		}
		if got := none.Connections - d.Connections; got != 2*listeners || d.UDP != none.UDP {
			t.Errorf("%d addresses: expected %d connections less and as many sockets to servers, got %+v, without them %+v", listeners, 2*listeners, d, none)
		}
	}
	cfg := withServers(1, 64, 10000)
	cfg.DynamicAuthorization.Address = make([]netip.AddrPort, 1000)
	if d, err := divide(limit, cfg); err == nil {
		t.Errorf("expected that 1000 addresses do not fit into %d descriptors, got %+v", limit, d)
	}
}
