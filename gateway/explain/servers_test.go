package explain

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/config"
	"radsec-gw/gateway/gatewaytest"
)

// The times in the report follow from the schedule (RFC 5080 §2.2.1).
// Rules: P55
func TestDescribeSchedule(t *testing.T) {
	server := func(initial, most time.Duration, count int, duration time.Duration) *config.Server {
		return &config.Server{RetransmitInitial: initial, RetransmitMax: most, RetransmitCount: count, RetransmitDuration: duration}
	}
	for _, x := range []struct {
		name string
		s    *config.Server
		want string
	}{
		{"default", server(2*time.Second, 16*time.Second, 5, 30*time.Second), "sent at 0s, 2s, 6s, 14s (each wait ±10 %), and given up at 30s"},
		{"few", server(time.Second, 16*time.Second, 2, 30*time.Second), "sent at 0s, 1s (each wait ±10 %), and given up at 3s"},
		{"no bounds", server(100*time.Millisecond, 0, 0, 30*time.Second), "sent at 0s, 100ms, 300ms, 700ms, 1.5s, 3.1s, 6.3s, 12.7s, … (each"},
		{"eight", server(300*time.Millisecond, 2*time.Second, 8, 30*time.Second), "sent at 0s, 300ms, 900ms, 2.1s, 4.1s, 6.1s, 8.1s, 10.1s (each wait ±10 %), and given up at 12.1s"},
	} {
		if got := describeSchedule(x.s)[0]; !strings.Contains(got, x.want) {
			t.Errorf("%s: expected %q, got %q", x.name, x.want, got)
		}
	}
}

// A source that no interface of this machine has is warned of, with its place; others are not.
func TestSourceOfNobody(t *testing.T) {
	const nobody, own = "192.0.2.77", "127.0.0.1"
	for _, source := range []string{nobody, own} {
		_, file := gatewaytest.Dir(t, strings.Replace(gatewaytest.Config(1812), "auth_port", "source = \""+source+"\"\nauth_port", 1))
		const want = "c.toml:12: server[0].source: no interface of this machine has 192.0.2.77: nothing can be sent to server \"udp\" from here"
		if got := reportOf(t, file); strings.Contains(got, want) != (source == nobody) {
			t.Errorf("source %s: expected the warning %q for %s only, got\n%s", source, want, nobody, got)
		}
	}
}

// A server that is checked with Access-Request, or not at all.
func TestDescribeHealth(t *testing.T) {
	s := &config.Server{AuthPort: 1812, AcctPort: 1813, Health: config.HealthAccessRequest, HealthUser: "probe", HealthPassword: config.NewSecret("tiger"),
		SuspectAfter: 1, FailingAfter: 1, DownAfter: 1, UpAfter: 1, ProbeInterval: time.Second, RetransmitInitial: time.Second, WatchdogInterval: 10 * time.Second}
	got := strings.Join(describeHealth(s), "\n")
	for _, want := range []string{`auth, checked with an Access-Request of "probe":`, "it is checked every 1s", "down after 1 check without", "up again after 1 reply\n", "failing after 1 overdue request, ", "acct, never checked:\n  down when 1 request fell due"} {
		if !strings.Contains(got, want) {
			t.Errorf("expected %q, got\n%s", want, got)
		}
	}
	s.Health = config.HealthNone
	if got := describeHealth(s); len(got) != 4 || got[0] != "auth, acct, never checked:" {
		t.Errorf("with health none: expected the lines about both ports once, got %q", got)
	}
	if strings.Contains(got, "tiger") {
		t.Errorf("a password was printed:\n%s", got)
	}
}

// The report says what happens when a server does not reply, for the ports that are used, and that nothing is sent
// to a server without a route.
func TestServersHaveUsedPortsOnly(t *testing.T) {
	_, file := gatewaytest.Dir(t, strings.Replace(gatewaytest.TwoServers, `servers = ["a", "b"]`, `servers = ["a"]`, 1))
	out := reportOf(t, file)
	if !strings.Contains(out, "  b\n    in no route: nothing is sent to it\n") {
		t.Errorf("expected that nothing is sent to b, got\n%s", out)
	}
	s := config.Server{AuthPort: 1812, Health: config.HealthStatusServer, RetransmitInitial: time.Second}
	if got := strings.Join(describeHealth(&s), "\n"); strings.Contains(got, "acct") || strings.Contains(got, "coa") {
		t.Errorf("expected the port auth alone, got\n%s", got)
	}
}

// check says from which address requests come: the server must know it as a client.
//
// Fault O10.
func TestDescribeSource(t *testing.T) {
	n := names{"radius.test": {list: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}, "gone.test": {err: errors.New("no such host")}}
	for _, c := range []struct {
		server config.Server
		want   []string
	}{
		{config.Server{Address: "127.0.0.1"}, []string{"requests come from 127.0.0.1, as this machine's routes are now, which the server must know as a client"}},
		{config.Server{Address: "radius.test"}, []string{"requests come from 127.0.0.1, as this machine's routes are now, which the server must know as a client"}},
		{config.Server{Address: "127.0.0.1", Source: netip.MustParseAddr("127.0.0.7")}, []string{"requests come from 127.0.0.7, which the server must know as a client"}},
		{config.Server{Address: "gone.test"}, nil},
	} {
		if got := describeSource(&c.server, n); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, expected %q", c.server.Address, got, c.want)
		}
	}
}
