package explain

import (
	"strings"
	"testing"
	"time"

	"radsec-gw/config"
	"radsec-gw/gateway/gatewaytest"
)

// The description of a group whose timers are not the default.
// Rules: P65
func TestDescribeGroup(t *testing.T) {
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
			"failover: the first that is up\nif none is up, likewise among those that are suspect, then failing, then down\n", "another gateway relayed it): the first that is up",
			"from a never, because its schedule ends before transmission 3 is due again; from b after 10s, its patience, which ends before 3 transmissions",
			"not this request: after 10s (patience), but from a never, because it is given up before",
			"with a patience below the time that users need to confirm a login, two servers ask them",
			"given up: an Access-Request gets a Protocol-Error"}, ""},
		{"patience after the transmissions", config.Route{Servers: []string{"b", "a"}, Balance: config.BalanceFailover, MoveOnAfter: 3, Patience: 20 * time.Second, Packets: access}, []string{
			"from b after 3 transmissions, 14s (11.718s to 16.522s); from a never"}, ""},
		{"least-outstanding", config.Route{Servers: []string{"a", "b"}, Balance: config.BalanceLeastOutstanding, MoveOnAfter: 1, Packets: accounting}, []string{
			"least-outstanding: the one with the fewest requests in flight, of those that are up", "then failing, then down", "by station and user, which is right for EAP", "from a after 1 transmission, 2s",
			"not this request: never (patience is 0s); it counts as overdue when it is given up", "given up: the client gets no answer"}, "confirm a login"},
		{"patience beyond every schedule", config.Route{Servers: []string{"a", "b"}, Balance: config.BalanceSticky, MoveOnAfter: 2, Patience: time.Minute, Packets: accounting}, []string{
			"not this request: never, because it is given up before the 1m0s of patience"}, "confirm a login"},
		{"CoA only", config.Route{Servers: []string{"a", "b"}, Balance: config.BalanceFailover, MoveOnAfter: 2, Patience: time.Second, Packets: []string{"coa"}}, []string{
			"CoA and Disconnect do not move on"}, "patience"},
		{"addresses of one name", config.Route{Servers: []string{"pool"}, Balance: config.BalanceSticky, MoveOnAfter: 2, Patience: 10 * time.Second, Packets: access}, []string{
			"sticky: by station and user, of those that are up", "each address of pool is a server of its own, in ascending order", "from pool after 2 transmissions, 6s"}, "no other server"},
		{"one server", config.Route{Servers: []string{"a"}, Balance: config.BalanceSticky, MoveOnAfter: 2, Patience: 10 * time.Second, Packets: access, OnUnreachable: "reject"}, []string{
			"there is no other server\ngiven up: an Access-Request gets an Access-Reject"}, "patience"},
	} {
		got := strings.Join(describeGroup(cfg, &x.route), "\n")
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

// Each balance, and each answer if no server replies, has a description.
func TestDescribeGroupOfEachChoice(t *testing.T) {
	cfg := &config.Config{Servers: []config.Server{{Name: "a"}, {Name: "b"}}}
	for _, balance := range config.Balances() {
		for _, answer := range config.Answers() {
			r := &config.Route{Servers: []string{"a", "b"}, Packets: []string{"access"}, Balance: balance, OnUnreachable: answer, MoveOnAfter: 2}
			for _, line := range describeGroup(cfg, r) {
				if line == "" || strings.HasSuffix(line, " ") {
					t.Errorf("%s, %s: expected a whole line, got %q", balance, answer, line)
				}
			}
		}
	}
}

// AR12 and AR13. The report says that accounting is answered here, and what a Reject does.
// Rules: AR12, AR13
func TestReportOnAnswersOfTheGateway(t *testing.T) {
	_, file := gatewaytest.Dir(t, gatewaytest.TwoServers+"[[route]]\nrealms = [\"eduroam.example\"]\nservers = []\naccounting = \"answer\"\n[[route]]\nrealms = [\"two.example\"]\npackets = [\"access\"]\nservers = [\"a\", \"b\"]\non_reject = \"next\"\n"+
		"[[route]]\nrealms = [\"three.example\"]\npackets = [\"accounting\"]\nservers = [\"a\", \"b\"]\naccounting = \"answer\"\n"+
		"[[route]]\nrealms = [\"four.example\"]\npackets = [\"accounting\", \"access\"]\nservers = [\"a\"]\naccounting = \"answer\"\n")
	plain := strings.Join(strings.Fields(reportOf(t, file)), " ")
	for _, want := range []string{"eduroam.example access none: refused", "accounting none: answered here, not kept", "when its server rejects it, unless it has a State (on_reject)", "accounts may be locked sooner",
		"route 3, to none: accounting is answered here, not kept, and sent to no server; other requests are refused", "route 5, to none: accounting is answered here, not kept, and sent to no server route 6, to a accounting is answered here"} {
		if !strings.Contains(plain, want) {
			t.Errorf("expected %q in the report, got:\n%s", want, plain)
		}
	}
}
