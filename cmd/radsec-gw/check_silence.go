package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"radsec-gw/config"
)

// printSilence says in plain words what the timers of the file come to: what a
// server's silence leads to, and where a request goes then.
func printSilence(w io.Writer, cfg *config.Config) {
	fmt.Fprintf(w, "\nServers: what silence leads to\n")
	for i := range cfg.Servers {
		s := withUsedPorts(cfg, &cfg.Servers[i])
		fmt.Fprintf(w, "  %s\n", s.Name)
		if s.AuthPort == 0 && s.AcctPort == 0 && s.CoAPort == 0 {
			fmt.Fprintf(w, "    in no route: nothing is sent to it\n")
			continue
		}
		for _, line := range slices.Concat(scheduleWords(&s), healthWords(&s)) {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
	fmt.Fprintf(w, "\nGroups: who gets a request\n")
	for i := range cfg.Routes {
		r := &cfg.Routes[i]
		fmt.Fprintf(w, "  route %d, to %s\n", i+1, strings.Join(r.Servers, ", "))
		for _, line := range groupWords(cfg, r) {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
}

// maxSends is how many transmissions are listed by their time.
const maxSends = 8

// waits returns the waits that follow the transmissions of a request, as far as
// they begin before it is given up, when chance makes each of them the same part
// longer: -0.1 to 0.1 (RFC 5080 §2.2.1).
func waits(s *config.Server, jitter float64) []time.Duration {
	longer := func(d time.Duration, times float64) time.Duration {
		return time.Duration(float64(d) * times).Round(time.Millisecond)
	}
	var all []time.Duration
	at, wait := time.Duration(0), longer(s.RetransmitInitial, 1+jitter)
	for at < s.RetransmitDuration && (s.RetransmitCount == 0 || len(all) < s.RetransmitCount) {
		all = append(all, wait)
		at += wait
		wait = longer(wait, 2+jitter)
		if s.RetransmitMax > 0 && wait > s.RetransmitMax {
			wait = longer(s.RetransmitMax, 1+jitter)
		}
	}
	return all
}

// sum adds durations up, but not beyond the limit.
func sum(all []time.Duration, limit time.Duration) time.Duration {
	total := time.Duration(0)
	for _, d := range all {
		total += d
	}
	return min(total, limit)
}

// scheduleWords says when a request is sent and given up.
func scheduleWords(s *config.Server) []string {
	all := waits(s, 0)
	var at []string
	for i := range all[:min(len(all), maxSends)] {
		at = append(at, sum(all[:i], s.RetransmitDuration).String())
	}
	if len(all) > maxSends {
		at = append(at, "…")
	}
	return []string{fmt.Sprintf("a request is sent at %s (each wait ±10 %%) and given up at %v",
		strings.Join(at, ", "), sum(all, s.RetransmitDuration))}
}

// healthWords says when a port is suspected, dead and alive again.
func healthWords(s *config.Server) []string {
	suspected := fmt.Sprintf("%s, due again after %v with no reply to anything since,", count(s.SuspectAfter, "request"), s.RetransmitInitial)
	trickle := fmt.Sprintf("make a port dead; then a request tries it after %v, %v and each %v, and %s in a row bring it back",
		s.ProbeInterval, 2*s.ProbeInterval, 4*s.ProbeInterval, count(s.UpAfter, "reply"))
	var probed, unprobed []string
	port := func(name string, number uint16, isProbed bool) {
		switch {
		case number != 0 && isProbed:
			probed = append(probed, name)
		case number != 0:
			unprobed = append(unprobed, name)
		}
	}
	port("auth", s.AuthPort, s.Health != config.HealthNone)
	port("acct", s.AcctPort, s.Health == config.HealthStatusServer)
	port("coa", s.CoAPort, false)
	var lines []string
	if probed != nil {
		with := map[string]string{config.HealthStatusServer: "Status-Server", config.HealthAccessRequest: fmt.Sprintf("an Access-Request of %q", s.HealthUser)}[s.Health]
		lines = append(lines,
			fmt.Sprintf("%s: %s make it suspect, which new requests avoid", strings.Join(probed, ", "), suspected),
			fmt.Sprintf("%s: a suspect is asked with %s each %v; dead after %s without an answer (about %v after it fell silent), back after %s",
				strings.Join(probed, ", "), with, s.ProbeInterval, count(s.DownAfter, "probe"),
				s.RetransmitInitial+time.Duration(s.DownAfter)*s.ProbeInterval, count(s.UpAfter, "reply")),
			fmt.Sprintf("%s: after one silent request, and unheard for %v, it is asked although nothing is wrong", strings.Join(probed, ", "), s.WatchdogInterval))
	}
	if unprobed != nil {
		lines = append(lines, fmt.Sprintf("%s: never asked; %s %s", strings.Join(unprobed, ", "), suspected, trickle))
	}
	return lines
}

func count(n int, what string) string {
	if n != 1 {
		if stem, ok := strings.CutSuffix(what, "y"); ok {
			what = stem + "ie"
		}
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// groupWords says how a group's server is chosen and when a request leaves it.
func groupWords(cfg *config.Config, r *config.Route) []string {
	if len(r.Servers) == 1 {
		return []string{"there is no other server: " + givenUp(r)}
	}
	lines := []string{map[string]string{
		config.BalanceFailover:         "failover: the first of them that is up; if none is, the first suspect; if all are dead, the first",
		config.BalanceLeastOutstanding: "least-outstanding: of those that are up the one with the fewest requests in flight, EAP by station and user; if none is up, a suspect; then the dead",
		config.BalanceSticky:           "sticky: of those that are up the one that station and user point to, the same on every gateway with these servers; if none is up, a suspect; then the dead",
	}[r.Balance]}
	lines = append(lines, "State: to the server that issued it unless that is dead; one that this gateway has not seen (it was restarted, or another gateway relayed it), "+map[string]string{
		config.BalanceFailover:         "to the first that is up",
		config.BalanceSticky:           "by station and user, which agree in all rounds",
		config.BalanceLeastOutstanding: "by station and user, which is right for EAP, and for others when the load was even as they began",
	}[r.Balance])
	if slices.Contains(r.Packets, config.PacketAccess) || slices.Contains(r.Packets, config.PacketAccounting) {
		lines = append(lines, "a request that its server leaves silent moves on: "+moveWords(cfg, r),
			"what carries the State of a server moves on only when several requests in a row found that server silent")
	}
	if slices.Contains(r.Packets, config.PacketCoA) || slices.Contains(r.Packets, config.PacketDisconnect) {
		lines = append(lines, "CoA and Disconnect do not move on: only the server that got them may hold the session (RFC 5176 §2.3)")
	}
	return append(lines, givenUp(r))
}

// moveWords says when a request leaves each server of the group but the last.
func moveWords(cfg *config.Config, r *config.Route) string {
	var words []string
	for _, name := range r.Servers {
		i := slices.IndexFunc(cfg.Servers, func(s config.Server) bool { return s.Name == name })
		s := &cfg.Servers[i] // Load has seen to it that the name is there
		all := waits(s, 0)
		early, late := waits(s, -0.1), waits(s, 0.1)
		if at := sum(all[:min(len(all), r.MoveOnAfter)], s.RetransmitDuration); r.MoveOnAfter <= len(all) && at < s.RetransmitDuration {
			words = append(words, fmt.Sprintf("from %s after %s, %v (%v to %v)", name, count(r.MoveOnAfter, "transmission"), at,
				sum(early[:min(len(early), r.MoveOnAfter)], s.RetransmitDuration), sum(late[:min(len(late), r.MoveOnAfter)], s.RetransmitDuration)))
		} else {
			words = append(words, fmt.Sprintf("from %s never, because its schedule ends before transmission %d is due again", name, r.MoveOnAfter))
		}
	}
	return strings.Join(words, "; ")
}

// givenUp says what the client gets when no server answers.
func givenUp(r *config.Route) string {
	access := map[string]string{config.AnswerReject: "gets an Access-Reject", config.AnswerSilent: "gets no answer", config.AnswerProtocolError: "gets a Protocol-Error"}[r.OnUnreachable]
	if !slices.Contains(r.Packets, config.PacketAccess) {
		return "given up, a request gets no answer"
	}
	if len(r.Packets) == 1 {
		return "given up, an Access-Request " + access
	}
	return "given up, an Access-Request " + access + ", the others get no answer"
}
