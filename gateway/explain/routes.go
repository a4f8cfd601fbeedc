package explain

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"radsec-gw/config"
	"radsec-gw/web/status"
)

func printRoutes(w io.Writer, cfg *config.Config) {
	t := table(w, "Routes: the first line that matches realm and packet")
	fmt.Fprintln(t, "  realm\tpackets\tservers\tbalance\tunreachable")
	for _, e := range routeEntries(cfg) {
		for _, packets := range byPort(e.packets) {
			answer, unreachable := e.route.OnUnreachable, config.AnswerSilent
			if len(e.route.Servers) == 0 {
				answer = cfg.Routing.OnUnroutable
			}
			switch packets[0] {
			case config.PacketAccess:
				unreachable = answer
			case config.PacketAccounting:
				unreachable = accountingAnswer(answer)
				switch {
				case e.route.Accounting == config.AccountingAnswer:
					unreachable = "–"
				case e.route.Spool:
					unreachable = "to the spool"
				}
			}
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\n", e.name, strings.Join(packets, ", "),
				serversOf(cfg, e.route, packets[0]), e.route.Balance, unreachable)
		}
	}
	t.Flush()
	printRouting(w, cfg)
}

// routeEntry is a realm or an operator of a route.
type routeEntry struct {
	name    string
	packets []string // that it routes
	route   *config.Route
}

// routeEntries lists the realms of all routes in the order in which they are looked up,
// then the operators, those of whole namespaces last.
func routeEntries(cfg *config.Config) (all []routeEntry) {
	for i := range cfg.Routes {
		for _, realm := range cfg.Routes[i].Realms {
			all = append(all, routeEntry{realm, cfg.Routes[i].Packets, &cfg.Routes[i]})
		}
	}
	slices.SortStableFunc(all, func(a, b routeEntry) int { return compareRealms(a.name, b.name) })
	for i := range all {
		all[i].name = status.RealmText(all[i].name)
	}
	dynamic := []string{config.PacketCoA, config.PacketDisconnect}
	for _, whole := range []bool{false, true} {
		for i := range cfg.Routes {
			r := &cfg.Routes[i]
			packets := slices.DeleteFunc(slices.Clone(r.Packets), func(p string) bool { return !slices.Contains(dynamic, p) })
			for _, operator := range r.Operators {
				if strings.HasSuffix(operator, ":*") == whole {
					all = append(all, routeEntry{operator, packets, r})
				}
			}
		}
	}
	return all
}

// compareRealms orders realms as they are looked up: no realm, exact names, suffixes with
// the longest first, patterns in the order of the file, the default.
func compareRealms(a, b string) int {
	rank := func(realm string) int {
		switch {
		case realm == "":
			return 0
		case realm == "*":
			return 4
		case realm[0] == '~':
			return 3
		case strings.HasPrefix(realm, "*."):
			return 2
		}
		return 1
	}
	if rank(a) == 2 && rank(b) == 2 {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	}
	if rank(a) == 1 && rank(b) == 1 {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(rank(a), rank(b))
}

// byPort groups kinds of packets by the port of the server that they are sent to.
func byPort(packets []string) [][]string {
	var groups [][]string
	for _, set := range [][]string{{config.PacketAccess}, {config.PacketAccounting}, {config.PacketCoA, config.PacketDisconnect}} {
		var group []string
		for _, p := range set {
			if slices.Contains(packets, p) {
				group = append(group, p)
			}
		}
		if len(group) > 0 {
			groups = append(groups, group)
		}
	}
	return groups
}

// serversOf lists the servers of a route, with the port for a kind of packet.
func serversOf(cfg *config.Config, r *config.Route, packet string) string {
	switch {
	case packet == config.PacketAccounting && r.Accounting == config.AccountingAnswer:
		return "none: answered here, not kept"
	case len(r.Servers) == 0:
		return "none: refused"
	}
	var list []string
	for _, name := range r.Servers {
		i := slices.IndexFunc(cfg.Servers, func(s config.Server) bool { return s.Name == name })
		s := &cfg.Servers[i] // config checks that there is one
		list = append(list, name+" "+net.JoinHostPort(s.Address, strconv.Itoa(int(s.Port(packet)))))
	}
	return strings.Join(list, ", ")
}

// printRouting prints what holds for all routes.
func printRouting(w io.Writer, cfg *config.Config) {
	r := &cfg.Routing
	fmt.Fprintf(w, "\nAn Access-Request that no route matches, or that its client may not send: %s\n", r.OnUnroutable)
	fmt.Fprintf(w, "An Accounting-Request likewise: %s\n", accountingAnswer(r.OnUnroutable))
	fmt.Fprintf(w, "In RADIUS/1.1 both get a Protocol-Error instead; CoA and Disconnect get a NAK\n")
	fmt.Fprintf(w, "The realm of a User-Name: %s\n", describeFormat(r.RealmFormats))
	fmt.Fprintf(w, "Requests that a server sends back: %s\n", describeMarker(r))
}

// accountingAnswer returns the answer to an Accounting-Request without a server, by the
// policy for Access-Request: accounting cannot be rejected.
func accountingAnswer(policy string) string {
	if policy == config.AnswerProtocolError {
		return policy
	}
	return config.AnswerSilent
}

// describeFormat says where in a User-Name a realm is looked for.
func describeFormat(formats []string) string {
	var list []string
	for _, f := range formats {
		list = append(list, map[string]string{
			config.FormatSuffix:  "user@realm",
			config.FormatPrefix:  `REALM\user`,
			config.FormatMachine: "host/name.realm",
		}[f])
	}
	return strings.Join(list, ", then ")
}

// describeMarker says how loops are recognized.
func describeMarker(r *config.Routing) string {
	switch {
	case !r.LoopMarker:
		return "not looked for (loop_marker is false)"
	case r.LoopMarkerSecret.Len() > 0:
		return "refused; recognized by a Proxy-State that all gateways with this loop_marker_secret know"
	}
	return "refused; recognized by a Proxy-State that only this process knows"
}
