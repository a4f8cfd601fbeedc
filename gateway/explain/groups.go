package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"radsec-gw/config"
	"radsec-gw/gateway"
)

// printGroups prints for each route which server gets a request, and when the request
// moves on to another.
func printGroups(w io.Writer, cfg *config.Config) {
	fmt.Fprintf(w, "\nGroups: which server gets a request\n")
	for i := range cfg.Routes {
		r, answered := relayedBy(&cfg.Routes[i])
		switch {
		case len(r.Packets) == 0:
			fmt.Fprintf(w, "  route %d, to none: %s\n", i+1, answered)
		case len(r.Servers) == 0 && answered != "":
			fmt.Fprintf(w, "  route %d, to none: %s; other requests are refused\n", i+1, answered)
		case len(r.Servers) == 0:
			fmt.Fprintf(w, "  route %d, to none: requests are refused\n", i+1)
		default:
			fmt.Fprintf(w, "  route %d, to %s\n", i+1, strings.Join(r.Servers, ", "))
			lines := describeGroup(cfg, r)
			if answered != "" {
				lines = append([]string{answered}, lines...)
			}
			for _, line := range lines {
				fmt.Fprintf(w, "    %s\n", line)
			}
		}
	}
}

// relayedBy returns a route for the packets alone that it sends to servers, and what becomes of
// its accounting if it does not send that.
func relayedBy(r *config.Route) (relayed *config.Route, answered string) {
	if r.Accounting != config.AccountingAnswer || !slices.Contains(r.Packets, config.PacketAccounting) {
		return r, ""
	}
	one := *r
	one.Packets = slices.DeleteFunc(slices.Clone(r.Packets), func(p string) bool { return p == config.PacketAccounting })
	return &one, "accounting is answered here, not kept, and sent to no server"
}

// describeGroup says how the server of a group is chosen, and when a request moves on from it.
func describeGroup(cfg *config.Config, r *config.Route) []string {
	servers := cfg.ServersOf(r)
	if len(servers) == 1 && !servers[0].Expand {
		lines := append(describeLastHop(servers, r), "there is no other server")
		return append(append(lines, describeSpool(r)...), givenUp(r))
	}
	lines := []string{
		map[string]string{
			config.BalanceFailover:         "failover: the first that is up",
			config.BalanceLeastOutstanding: "least-outstanding: the one with the fewest requests in flight, of those that are up; for EAP, by station and user",
			config.BalanceSticky:           "sticky: by station and user, of those that are up; the same on every gateway with these servers",
		}[r.Balance],
		"if none is up, likewise among those that are suspect, then failing, then down",
	}
	for _, s := range servers {
		if s.Maintenance {
			lines = append(lines, fmt.Sprintf("%s is in maintenance: it is left out, but for a request with a State that it has issued", s.Name))
		}
		if s.Expand {
			lines = append(lines, fmt.Sprintf("each address of %s is a server of its own, in ascending order", s.Name))
		}
	}
	lines = append(lines, "a request with State goes to the server that issued it, unless that is down",
		"a State that this gateway has not seen (it was restarted, or another gateway relayed it): "+map[string]string{
			config.BalanceFailover:         "the first that is up",
			config.BalanceSticky:           "by station and user, which agree in all rounds",
			config.BalanceLeastOutstanding: "by station and user, which is right for EAP, and for others if the load was even when they began",
		}[r.Balance])
	lines = append(lines, describeMove(servers, r)...)
	if slices.Contains(r.Packets, config.PacketCoA) || slices.Contains(r.Packets, config.PacketDisconnect) {
		lines = append(lines, describeLastHop(servers, r)...)
		lines = append(lines, "CoA and Disconnect do not move on: only the server that got them may hold the session (RFC 5176 §2.3)")
	}
	return append(append(lines, describeSpool(r)...), givenUp(r))
}

// describeLastHop says which server of a route gets a CoA or Disconnect; nothing when none of
// them is a NAS.
func describeLastHop(servers []*config.Server, r *config.Route) []string {
	isNAS := func(s *config.Server) bool { return s.NAS }
	dynamic := slices.Contains(r.Packets, config.PacketCoA) || slices.Contains(r.Packets, config.PacketDisconnect)
	if !dynamic || !slices.ContainsFunc(servers, isNAS) {
		return nil
	}
	var others []string
	for _, s := range servers {
		if !s.NAS {
			others = append(others, s.Name)
		}
	}
	const named = "CoA and Disconnect go to the NAS that they name"
	if len(others) > 0 {
		return []string{named, "all other CoA and Disconnect go to " + strings.Join(others, ", ")}
	}
	unnamed := "those that name no NAS get a NAK with Error-Cause 402"
	if len(servers) == 1 {
		unnamed = "those that name no NAS go to " + servers[0].Name + ", too"
	}
	return []string{named, unnamed, "those that name another NAS get a NAK with Error-Cause 403"}
}

// describeMove says when a request moves on to the next server; nothing for a route whose
// requests do not move.
func describeMove(servers []*config.Server, r *config.Route) []string {
	access := slices.Contains(r.Packets, config.PacketAccess)
	if !access && !slices.Contains(r.Packets, config.PacketAccounting) {
		return nil
	}
	var silent []string
	for _, s := range servers {
		silent = append(silent, describeSilent(s, r))
	}
	lines := []string{
		"a request moves on to the next server:",
		"  at once when its server is down or failing, cannot be reached, or no longer has an address",
		"  when nothing at all was received from its server since it was sent: " + strings.Join(silent, "; "),
		"  when its server answers other requests or checks, and not this request: " + describePatience(servers, r),
	}
	if access && r.Patience > 0 {
		lines = append(lines, "  (with a patience below the time that users need to confirm a login, two servers ask them)")
	}
	if r.OnReject == config.RejectNext {
		lines = append(lines, "  when its server rejects it, unless it has a State (on_reject): each server is asked once, and the client gets the first Access-Reject if none accepts",
			"  (a wrong password is tried at each server: accounts may be locked sooner)")
	}
	return append(lines, "a request moves to a new address of its server at once",
		"a request with State stays with its server until that is down, or several requests in a row got no reply from it")
}

// describeSilent says when a request moves on from a server that sends nothing at all.
func describeSilent(s *config.Server, r *config.Route) string {
	schedule := gateway.ScheduleOf(s)
	all, early, late := schedule.Waits(0), schedule.Waits(-0.1), schedule.Waits(0.1)
	after := func(waits []time.Duration) time.Duration {
		return sum(waits[:min(len(waits), r.MoveOnAfter)], s.RetransmitDuration)
	}
	at := after(all)
	due := r.MoveOnAfter <= len(all) && at < s.RetransmitDuration
	switch {
	case outlasts(s, r) && (!due || r.Patience <= at):
		return fmt.Sprintf("from %s after %v, its patience, which ends before %s", s.Name, r.Patience, count(r.MoveOnAfter, "transmission"))
	case due:
		return fmt.Sprintf("from %s after %s, %v (%v to %v)", s.Name, count(r.MoveOnAfter, "transmission"), at, after(early), after(late))
	}
	return fmt.Sprintf("from %s never, because its schedule ends before transmission %d is due again", s.Name, r.MoveOnAfter)
}

// describePatience says when a request moves on from a server that answers others.
func describePatience(servers []*config.Server, r *config.Route) string {
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

// outlasts reports whether a server's schedule lasts longer than the route's patience.
func outlasts(s *config.Server, r *config.Route) bool {
	return r.Patience > 0 && r.Patience < sum(gateway.ScheduleOf(s).Waits(0), s.RetransmitDuration)
}

// givenUp says what the client gets when no server answers.
func givenUp(r *config.Route) string {
	const none = "given up: the client gets no answer"
	if r.OnUnreachable == config.AnswerSilent {
		return none
	}
	access := map[string]string{config.AnswerReject: "gets an Access-Reject", config.AnswerProtocolError: "gets a Protocol-Error"}[r.OnUnreachable]
	var parts []string
	if slices.Contains(r.Packets, config.PacketAccess) {
		parts = append(parts, "an Access-Request "+access)
	}
	if slices.Contains(r.Packets, config.PacketAccounting) && r.OnUnreachable == config.AnswerProtocolError {
		parts = append(parts, "an Accounting-Request gets a Protocol-Error")
	}
	switch {
	case len(parts) == 0:
		return none
	case len(parts) < len(r.Packets):
		parts = append(parts, "the others get no answer")
	}
	return "given up: " + strings.Join(parts, ", ")
}
