package explain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"radsec-gw/config"
	"radsec-gw/config/defaults"
	"radsec-gw/gateway"
	"radsec-gw/metrics"
)

// printServers prints what happens when a server does not reply, with its timers.
func printServers(w io.Writer, p *gateway.Plan, n names) {
	fmt.Fprintf(w, "\nServers: what happens when one does not reply\n")
	for _, s := range p.Servers() {
		fmt.Fprintf(w, "  %s\n", s.Name)
		if s.AuthPort == 0 && s.AcctPort == 0 && s.CoAPort == 0 {
			fmt.Fprintf(w, "    in no route: nothing is sent to it\n")
			continue
		}
		if s.Maintenance {
			fmt.Fprintln(w, "    in maintenance: it gets nothing new, and finishes the requests and the conversations that it has")
		}
		for _, line := range slices.Concat(describeSource(&s, n), describeName(&s, n), describeNas(&s), describeSchedule(&s), describeHealth(&s)) {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
}

// sourceWarnings lists the servers whose source is not an address of this machine: the
// gateway would start, and could send nothing to them. The system says so when a socket is
// bound, as the gateway does: it may allow addresses that come later.
func sourceWarnings(cfg *config.Config) (list []string) {
	for i := range cfg.Servers {
		source := cfg.Servers[i].Source
		if !source.IsValid() {
			continue
		}
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(source, 0)))
		switch {
		case err == nil:
			conn.Close()
		case errors.Is(err, syscall.EADDRNOTAVAIL):
			list = append(list, cfg.MistakeAt(fmt.Sprintf("server[%d].source", i), fmt.Sprintf(
				"no interface of this machine has %s: nothing can be sent to server %q from here", source, cfg.Servers[i].Name)).String())
		}
	}
	return list
}

// describeSource says which address requests to the server come from.
func describeSource(s *config.Server, n names) []string {
	const advice = "which the server must know as a client"
	if s.Source.IsValid() {
		return []string{fmt.Sprintf("requests come from %s, %s", s.Source, advice)}
	}
	to, err := netip.ParseAddr(s.Address)
	if err != nil {
		list, err := n.lookup(context.Background(), "", s.Address)
		if err != nil || len(list) == 0 {
			return nil
		}
		to = list[0]
	}
	const anyPort = 1812 // the system chooses by the address alone
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, anyPort)))
	if err != nil {
		return []string{fmt.Sprintf("requests cannot be sent to %s from here: %v", to, err)}
	}
	defer conn.Close()
	from := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	return []string{fmt.Sprintf("requests come from %s, as this machine's routes are now, %s", from, advice)}
}

// maxSends is how many transmissions are listed by their time.
const maxSends = 8

// sum returns the sum of durations, to the millisecond, and at most the limit.
func sum(all []time.Duration, limit time.Duration) time.Duration {
	total := time.Duration(0)
	for _, d := range all {
		total += d
	}
	return min(total.Round(time.Millisecond), limit)
}

// describeSchedule says when a request is sent, and when it is given up.
func describeSchedule(s *config.Server) []string {
	all := gateway.ScheduleOf(s).Waits(0)
	var at []string
	for i := range all[:min(len(all), maxSends)] {
		at = append(at, sum(all[:i], s.RetransmitDuration).String())
	}
	if len(all) > maxSends {
		at = append(at, "…")
	}
	return []string{fmt.Sprintf("a request is sent at %s (each wait ±10 %%), and given up at %v",
		strings.Join(at, ", "), sum(all, s.RetransmitDuration))}
}

// describeHealth says when a port is suspect, failing, down and up again: a line with the
// names of the ports, and indented lines about them.
func describeHealth(s *config.Server) []string {
	var checked, unchecked []string
	var with string
	port := func(name metrics.Port, number uint16) {
		switch probe := gateway.ProbeOf(s, name); {
		case number != 0 && probe != "":
			checked, with = append(checked, string(name)), probe
		case number != 0:
			unchecked = append(unchecked, string(name))
		}
	}
	port(metrics.PortAuth, s.AuthPort)
	port(metrics.PortAcct, s.AcctPort)
	port(metrics.PortCoA, s.CoAPort)
	silent := fmt.Sprintf("when %s fell due again, after %v, with no reply to anything since", count(s.SuspectAfter, "request"), s.RetransmitInitial)
	tried := fmt.Sprintf("a request tries it after %v, %v and every %v", s.ProbeInterval, 2*s.ProbeInterval, 4*s.ProbeInterval)
	var lines []string
	if checked != nil {
		if s.HealthUser != "" {
			with = fmt.Sprintf("an %s of %q", with, s.HealthUser)
		}
		lines = append(lines, fmt.Sprintf("%s, checked with %s:", strings.Join(checked, ", "), with))
		lines = append(lines, describeChecked(s, silent, tried)...)
	}
	if unchecked != nil {
		lines = append(lines, strings.Join(unchecked, ", ")+", never checked:",
			"  down "+silent,
			"  while it is down, "+tried,
			fmt.Sprintf("  up again after %s in a row", count(s.UpAfter, "reply")))
	}
	return lines
}

// describeChecked returns the indented lines of describeHealth about ports that are checked.
// silent says what makes a port suspect, tried when a request is sent to one that is
// failing.
func describeChecked(s *config.Server, silent, tried string) []string {
	return []string{
		"  suspect " + silent,
		fmt.Sprintf("  while it is suspect, it is checked every %v, and new requests avoid it", s.ProbeInterval),
		"  after it was suspect, up again after one verified reply",
		fmt.Sprintf("  down after %s without a reply, about %v after it became silent",
			count(s.DownAfter, "check"), s.RetransmitInitial+time.Duration(s.DownAfter)*s.ProbeInterval),
		fmt.Sprintf("  after it was down, up again after %s", count(s.UpAfter, "reply")),
		fmt.Sprintf("  failing after %s, with none answered since, although it answers checks", count(s.FailingAfter, "overdue request")),
		"  while it is failing, new requests avoid it, and " + tried,
		"  after it was failing, up again after three answered requests",
		"  a request is overdue when it has waited four times as long as the slowest of the recent replies took",
		fmt.Sprintf("  on a route whose patience is above %v, it is overdue when it has waited as long as the patience, or was given up", defaults.Patience),
		fmt.Sprintf("  while it is up, it is checked after one request without a reply, or when nothing was received from it for %v", s.WatchdogInterval),
	}
}

// count returns n and the noun, in the plural unless n is 1.
func count(n int, what string) string {
	if n != 1 {
		if stem, ok := strings.CutSuffix(what, "y"); ok {
			what = stem + "ie"
		}
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// describeNas says which CoA and Disconnect are for a server that is a NAS; nothing for
// another server.
func describeNas(s *config.Server) []string {
	if !s.NAS {
		return nil
	}
	var list []string
	for _, id := range s.NASIdentifier {
		list = append(list, fmt.Sprintf("%q", id))
	}
	for _, a := range s.NASIPAddress {
		list = append(list, a.String())
	}
	return []string{fmt.Sprintf("a NAS: it gets the CoA and Disconnect that are for %s, without Operator-Name and Operator-NAS-Identifier", strings.Join(list, ", "))}
}
