package explain

import (
	"strings"
	"testing"
	"time"

	"radsec-gw/config"
	"radsec-gw/gateway/gatewaytest"
)

// The times in the report are those of the schedule (RFC 5080 §2.2.1).
// Rules: P55
func TestScheduleWords(t *testing.T) {
	server := func(initial, most time.Duration, count int, duration time.Duration) *config.Server {
		return &config.Server{RetransmitInitial: initial, RetransmitMax: most, RetransmitCount: count, RetransmitDuration: duration}
	}
	for _, x := range []struct {
		name string
		s    *config.Server
		want string
	}{
		{"default", server(2*time.Second, 16*time.Second, 5, 30*time.Second), "sent at 0s, 2s, 6s, 14s (each wait ±10 %) and given up at 30s"},
		{"few", server(time.Second, 16*time.Second, 2, 30*time.Second), "sent at 0s, 1s (each wait ±10 %) and given up at 3s"},
		{"no bounds", server(100*time.Millisecond, 0, 0, 30*time.Second), "sent at 0s, 100ms, 300ms, 700ms, 1.5s, 3.1s, 6.3s, 12.7s, … (each"},
		{"eight", server(300*time.Millisecond, 2*time.Second, 8, 30*time.Second), "sent at 0s, 300ms, 900ms, 2.1s, 4.1s, 6.1s, 8.1s, 10.1s (each wait ±10 %) and given up at 12.1s"},
	} {
		if got := scheduleWords(x.s)[0]; !strings.Contains(got, x.want) {
			t.Errorf("%s: %q, expected %q", x.name, got, x.want)
		}
	}
}

// What a group's timers come to, where it is not the default.
// Rules: P65
func TestGroupWords(t *testing.T) {
	server := func(name string, count int) config.Server {
		return config.Server{Name: name, Address: name + ".internal", RetransmitInitial: 2 * time.Second, RetransmitCount: count, RetransmitDuration: 30 * time.Second}
	}
	cfg := &config.Config{Servers: []config.Server{server("a", 2), server("b", 4), server("pool", 5)}}
	cfg.Servers[2].Expand = true
	access, accounting := []string{"access"}, []string{"accounting"}
	for _, x := range []struct {
		name  string
		route config.Route
		want  []string
		not   string
	}{
		{"two schedules", config.Route{Servers: []string{"a", "b"}, Balance: config.BalanceFailover, MoveOnAfter: 3, Patience: 10 * time.Second, Packets: access, OnUnreachable: "protocol-error"}, []string{
			"failover: the first of them that is up; if none is, the first suspect, then the first failing, then the first that is down", "to the first that is up",
			"from a never, because its schedule ends before transmission 3 is due again; from b after 10s, its patience, which is over before 3 transmissions",
			"not this request: after 10s (patience), but from a never, because it is given up before",
			"with a patience below the time that users need to confirm a login they are asked twice",
			"given up, an Access-Request gets a Protocol-Error"}, ""},
		{"patience after the transmissions", config.Route{Servers: []string{"b", "a"}, Balance: config.BalanceFailover, MoveOnAfter: 3, Patience: 20 * time.Second, Packets: access}, []string{
			"from b after 3 transmissions, 14s (11.718s to 16.522s); from a never"}, ""},
		{"least-outstanding", config.Route{Servers: []string{"a", "b"}, Balance: config.BalanceLeastOutstanding, MoveOnAfter: 1, Packets: accounting}, []string{
			"least-outstanding: of those that are up", "then the failing, then those that are down", "by station and user, which is right for EAP", "from a after 1 transmission, 2s",
			"not this request: never (patience is 0s); it counts as overdue when it is given up", "given up, a request gets no answer"}, "asked twice"},
		{"patience beyond every schedule", config.Route{Servers: []string{"a", "b"}, Balance: config.BalanceSticky, MoveOnAfter: 2, Patience: time.Minute, Packets: accounting}, []string{
			"not this request: never, because it is given up before the 1m0s of patience"}, "asked twice"},
		{"CoA only", config.Route{Servers: []string{"a", "b"}, Balance: config.BalanceFailover, MoveOnAfter: 2, Patience: time.Second, Packets: []string{"coa"}}, []string{
			"CoA and Disconnect do not move on"}, "patience"},
		{"addresses of one name", config.Route{Servers: []string{"pool"}, Balance: config.BalanceSticky, MoveOnAfter: 2, Patience: 10 * time.Second, Packets: access}, []string{
			"sticky: of those that are up", "each address of pool takes part as a server, in ascending order", "from pool after 2 transmissions, 6s"}, "no other server"},
		{"one server", config.Route{Servers: []string{"a"}, Balance: config.BalanceSticky, MoveOnAfter: 2, Patience: 10 * time.Second, Packets: access}, []string{
			"there is no other server"}, "patience"},
	} {
		got := strings.Join(groupWords(cfg, &x.route), "\n")
		for _, want := range x.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: expected %q, got\n%s", x.name, want, got)
			}
		}
		if x.not != "" && strings.Contains(got, x.not) {
			t.Errorf("%s: expected nothing of %q, got\n%s", x.name, x.not, got)
		}
	}
}

// A server that is asked otherwise, or not at all.
func TestHealthWords(t *testing.T) {
	s := &config.Server{AuthPort: 1812, AcctPort: 1813, Health: config.HealthAccessRequest, HealthUser: "probe", HealthPassword: config.NewSecret("tiger"),
		SuspectAfter: 1, FailingAfter: 1, DownAfter: 1, UpAfter: 1, ProbeInterval: time.Second, RetransmitInitial: time.Second, WatchdogInterval: 10 * time.Second}
	got := strings.Join(healthWords(s), "\n")
	for _, want := range []string{`auth: a suspect is probed with an Access-Request of "probe" each 1s; down after 1 probe`, "up again after 1 reply", "auth: 1 request overdue", "acct: never probed; 1 request, due"} {
		if !strings.Contains(got, want) {
			t.Errorf("expected %q, got\n%s", want, got)
		}
	}
	s.Health = config.HealthNone
	if got := healthWords(s); len(got) != 1 || !strings.HasPrefix(got[0], "auth, acct: never probed; ") {
		t.Errorf("with health none: %q", got)
	}
	if strings.Contains(got, "tiger") {
		t.Errorf("a password was printed:\n%s", got)
	}
}

// check says what silence leads to for the ports that are used, and that a server
// without route gets nothing.
func TestCheckTellsUsedPortsOnly(t *testing.T) {
	_, file := gatewaytest.Dir(t, strings.Replace(gatewaytest.TwoServers, `servers = ["a", "b"]`, `servers = ["a"]`, 1))
	out := reportOf(t, file)
	if !strings.Contains(out, "  b\n    in no route: nothing is sent to it\n") {
		t.Errorf("expected that nothing is sent to b, came\n%s", out)
	}
	s := config.Server{AuthPort: 1812, Health: config.HealthStatusServer, RetransmitInitial: time.Second}
	if got := strings.Join(healthWords(&s), "\n"); strings.Contains(got, "acct") || strings.Contains(got, "coa") {
		t.Errorf("expected the port auth alone, came\n%s", got)
	}
}
