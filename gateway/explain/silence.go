package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"radsec-gw/config"
	"radsec-gw/config/defaults"
	"radsec-gw/gateway"
)

// printSilence says in plain words what the timers of the file come to: what a
// server's silence leads to, and where a request goes then.
func printSilence(w io.Writer, p *gateway.Plan, n names) {
	cfg := p.Config
	fmt.Fprintf(w, "\nServers: what silence leads to\n")
	for _, s := range p.Servers() {
		fmt.Fprintf(w, "  %s\n", s.Name)
		if s.AuthPort == 0 && s.AcctPort == 0 && s.CoAPort == 0 {
			fmt.Fprintf(w, "    in no route: nothing is sent to it\n")
			continue
		}
		for _, line := range slices.Concat(nameWords(&s, n), nasWords(&s), scheduleWords(&s), healthWords(&s)) {
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

// sum adds durations up, to the millisecond, but not beyond the limit.
func sum(all []time.Duration, limit time.Duration) time.Duration {
	total := time.Duration(0)
	for _, d := range all {
		total += d
	}
	return min(total.Round(time.Millisecond), limit)
}

// scheduleWords says when a request is sent and given up.
func scheduleWords(s *config.Server) []string {
	all := gateway.ScheduleOf(s).Waits(0)
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

// healthWords says when a port is suspect, failing, down and up again.
func healthWords(s *config.Server) []string {
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
	silent := fmt.Sprintf("%s, due again after %v with no reply to anything since,", count(s.SuspectAfter, "request"), s.RetransmitInitial)
	tried := fmt.Sprintf("a request tries it after %v, %v and each %v", s.ProbeInterval, 2*s.ProbeInterval, 4*s.ProbeInterval)
	var lines []string
	if probed != nil {
		lines = probedWords(s, strings.Join(probed, ", "), silent, tried)
	}
	if unprobed != nil {
		lines = append(lines, fmt.Sprintf("%s: never probed; %s make a port down; then %s, and %s in a row bring it back",
			strings.Join(unprobed, ", "), silent, tried, count(s.UpAfter, "reply")))
	}
	return lines
}

// probedWords is healthWords for the ports that are probed. silent says what makes one
// suspect, tried when a request is sent to one that is failing.
func probedWords(s *config.Server, ports, silent, tried string) []string {
	with := "Status-Server"
	if s.Health == config.HealthAccessRequest {
		with = fmt.Sprintf("an Access-Request of %q", s.HealthUser)
	}
	return []string{
		fmt.Sprintf("%s: %s make it suspect, which new requests avoid", ports, silent),
		fmt.Sprintf("%s: a suspect is probed with %s each %v; down after %s without an answer (about %v after it fell silent), up again after %s",
			ports, with, s.ProbeInterval, count(s.DownAfter, "probe"),
			s.RetransmitInitial+time.Duration(s.DownAfter)*s.ProbeInterval, count(s.UpAfter, "reply")),
		fmt.Sprintf("%s: %s overdue, none answered since, make it failing while its probes are answered: it is there and does not do its work; new requests avoid it, %s, and three answered requests bring it back",
			ports, count(s.FailingAfter, "request"), tried),
		fmt.Sprintf("%s: overdue is what has waited four times as long as any answer took of late; on a route whose patience is above %v, what has waited as long as that, or was given up",
			ports, defaults.Patience),
		fmt.Sprintf("%s: after one silent request, and unheard for %v, it is probed although nothing is wrong", ports, s.WatchdogInterval),
	}
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
	servers := cfg.ServersOf(r)
	if len(servers) == 1 && !servers[0].Expand {
		return append(lastHopWords(servers, r), "there is no other server: "+givenUp(r))
	}
	const others = "; if none is up, among the suspect likewise, then the failing, then those that are down"
	lines := []string{map[string]string{
		config.BalanceFailover:         "failover: the first of them that is up; if none is, the first suspect, then the first failing, then the first that is down",
		config.BalanceLeastOutstanding: "least-outstanding: of those that are up the one with the fewest requests in flight, EAP by station and user" + others,
		config.BalanceSticky:           "sticky: of those that are up the one that station and user point to, the same on every gateway with these servers" + others,
	}[r.Balance]}
	for _, s := range servers {
		if s.Expand {
			lines = append(lines, fmt.Sprintf("each address of %s takes part as a server, in ascending order", s.Name))
		}
	}
	lines = append(lines, "State: to the server that issued it unless that is down; one that this gateway has not seen (it was restarted, or another gateway relayed it), "+map[string]string{
		config.BalanceFailover:         "to the first that is up",
		config.BalanceSticky:           "by station and user, which agree in all rounds",
		config.BalanceLeastOutstanding: "by station and user, which is right for EAP, and for others when the load was even as they began",
	}[r.Balance])
	lines = append(lines, leaveWords(servers, r)...)
	if slices.Contains(r.Packets, config.PacketCoA) || slices.Contains(r.Packets, config.PacketDisconnect) {
		lines = append(lines, lastHopWords(servers, r)...)
		lines = append(lines, "CoA and Disconnect do not move on: only the server that got them may hold the session (RFC 5176 §2.3)")
	}
	return append(lines, givenUp(r))
}

// leaveWords says when a request goes on to the next server; nothing for a route whose
// requests stay.
func leaveWords(servers []*config.Server, r *config.Route) []string {
	access := slices.Contains(r.Packets, config.PacketAccess)
	if !access && !slices.Contains(r.Packets, config.PacketAccounting) {
		return nil
	}
	var silent []string
	for _, s := range servers {
		silent = append(silent, silentWords(s, r))
	}
	lines := []string{
		"a request goes to the next server at once when its server is down or failing, cannot be reached, or has no address any more; to a new address of its server it goes at once, too",
		"it goes there when nothing at all was heard from its server since it was sent: " + strings.Join(silent, "; "),
		"it goes there when its server answers others or its probes, and not this request: " + patienceWords(servers, r),
	}
	if access && r.Patience > 0 {
		lines = append(lines, "with a patience below the time that users need to confirm a login they are asked twice, by two servers")
	}
	return append(lines, "what carries the State of a server stays there until that is down, or several requests in a row found it silent")
}

// silentWords says when a request leaves a server from which nothing is heard.
func silentWords(s *config.Server, r *config.Route) string {
	schedule := gateway.ScheduleOf(s)
	all, early, late := schedule.Waits(0), schedule.Waits(-0.1), schedule.Waits(0.1)
	after := func(waits []time.Duration) time.Duration {
		return sum(waits[:min(len(waits), r.MoveOnAfter)], s.RetransmitDuration)
	}
	at := after(all)
	due := r.MoveOnAfter <= len(all) && at < s.RetransmitDuration
	switch {
	case outlasts(s, r) && (!due || r.Patience <= at):
		return fmt.Sprintf("from %s after %v, its patience, which is over before %s", s.Name, r.Patience, count(r.MoveOnAfter, "transmission"))
	case due:
		return fmt.Sprintf("from %s after %s, %v (%v to %v)", s.Name, count(r.MoveOnAfter, "transmission"), at, after(early), after(late))
	}
	return fmt.Sprintf("from %s never, because its schedule ends before transmission %d is due again", s.Name, r.MoveOnAfter)
}

// patienceWords says when a request leaves a server that answers others.
func patienceWords(servers []*config.Server, r *config.Route) string {
	if r.Patience == 0 {
		return "never (patience is 0s); it counts as overdue when it is given up"
	}
	var stay []string
	for _, s := range servers {
		if !outlasts(s, r) {
			stay = append(stay, s.Name)
		}
	}
	switch len(stay) {
	case 0:
		return fmt.Sprintf("after %v (patience)", r.Patience)
	case len(servers):
		return fmt.Sprintf("never, because it is given up before the %v of patience", r.Patience)
	}
	return fmt.Sprintf("after %v (patience), but from %s never, because it is given up before", r.Patience, strings.Join(stay, ", "))
}

// outlasts reports whether a server's schedule goes on when the route's patience is over.
func outlasts(s *config.Server, r *config.Route) bool {
	return r.Patience > 0 && r.Patience < sum(gateway.ScheduleOf(s).Waits(0), s.RetransmitDuration)
}

// givenUp says what the client gets when no server answers.
func givenUp(r *config.Route) string {
	access := map[string]string{config.AnswerReject: "gets an Access-Reject", config.AnswerSilent: "gets no answer", config.AnswerProtocolError: "gets a Protocol-Error"}[r.OnUnreachable]
	var parts []string
	answered := 0
	if slices.Contains(r.Packets, config.PacketAccess) {
		parts = append(parts, "an Access-Request "+access)
		answered++
	}
	if slices.Contains(r.Packets, config.PacketAccounting) && r.OnUnreachable == config.AnswerProtocolError {
		parts = append(parts, "an Accounting-Request gets a Protocol-Error")
		answered++
	}
	switch {
	case answered == 0:
		parts = append(parts, "a request gets no answer")
	case answered < len(r.Packets):
		parts = append(parts, "the others get no answer")
	}
	return "given up, " + strings.Join(parts, ", ")
}
