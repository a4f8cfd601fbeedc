package main

import (
	"strings"
	"testing"
	"time"

	"radsec-gw/config"
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
func TestGroupWords(t *testing.T) {
	s := config.Server{Name: "a", RetransmitInitial: 2 * time.Second, RetransmitCount: 2, RetransmitDuration: 30 * time.Second}
	cfg := &config.Config{Servers: []config.Server{s, s}}
	cfg.Servers[1].Name, cfg.Servers[1].RetransmitCount = "b", 4
	for _, x := range []struct {
		route config.Route
		want  []string
	}{
		{config.Route{Servers: []string{"a", "b"}, Balance: config.BalanceFailover, MoveOnAfter: 3, Packets: []string{"access"}, OnUnreachable: "protocol-error"}, []string{
			"failover: the first of them that is up", "to the first that is up",
			"from a never, because its schedule ends before transmission 3 is due again; from b after 3 transmissions, 14s (11.718s to 16.522s)",
			"given up, an Access-Request gets a Protocol-Error"}},
		{config.Route{Servers: []string{"a", "b"}, Balance: config.BalanceLeastOutstanding, MoveOnAfter: 1, Packets: []string{"accounting"}}, []string{
			"least-outstanding: of those that are up", "by station and user, which is right for EAP", "from a after 1 transmission, 2s", "given up, a request gets no answer"}},
	} {
		got := strings.Join(groupWords(cfg, &x.route), "\n")
		for _, want := range x.want {
			if !strings.Contains(got, want) {
				t.Errorf("expected %q, came\n%s", want, got)
			}
		}
	}
}

// A server that is asked otherwise, or not at all.
func TestHealthWords(t *testing.T) {
	s := &config.Server{AuthPort: 1812, AcctPort: 1813, Health: config.HealthAccessRequest, HealthUser: "probe", HealthPassword: config.NewSecret("tiger"),
		SuspectAfter: 1, DownAfter: 1, UpAfter: 1, ProbeInterval: time.Second, RetransmitInitial: time.Second, WatchdogInterval: 10 * time.Second}
	got := strings.Join(healthWords(s), "\n")
	for _, want := range []string{`auth: a suspect is asked with an Access-Request of "probe" each 1s; dead after 1 probe`, "back after 1 reply", "acct: never asked; 1 request, due"} {
		if !strings.Contains(got, want) {
			t.Errorf("expected %q, came\n%s", want, got)
		}
	}
	s.Health = config.HealthNone
	if got := healthWords(s); len(got) != 1 || !strings.HasPrefix(got[0], "auth, acct: never asked; ") {
		t.Errorf("with health none: %q", got)
	}
	if strings.Contains(got, "tiger") {
		t.Errorf("a password was printed:\n%s", got)
	}
}
