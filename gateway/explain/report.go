// Package explain prints what follows from a Plan, for radsec-gw check: where the
// gateway listens, who may connect, who answers, what silence leads to, and what deserves
// a second look.
package explain

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/gateway"
	"radsec-gw/identity"
)

// lookupTimeout is how long check waits for all of the servers' names.
const lookupTimeout = 5 * time.Second

// Report prints what a file comes to: where it listens, who may come, who
// answers, and what deserves a second look.
func Report(w io.Writer, p *gateway.Plan) {
	cfg := p.Config
	fmt.Fprintf(w, "%s has no mistakes.\n", cfg.Path)
	printListen(w, p)
	printClients(w, cfg)
	printRoutes(w, cfg)
	ofFiles := printFiles(w, p)
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	names := lookUp(ctx, cfg, net.DefaultResolver.LookupNetIP)
	printSilence(w, p, names)
	warnings := slices.Concat(printDescriptors(w, p), cfg.Warnings(), cfg.NameWarnings(ctx, names.lookup),
		p.Warnings(time.Now()), ofFiles)
	if len(warnings) == 0 {
		return
	}
	fmt.Fprintf(w, "\nWarnings:\n")
	for _, line := range warnings {
		fmt.Fprintf(w, "  %s\n", line)
	}
}

func printListen(w io.Writer, p *gateway.Plan) {
	cfg := p.Config
	t := table(w, "Listening")
	defer t.Flush()
	var addresses []string
	for _, a := range cfg.Listen.Address {
		addresses = append(addresses, a.String())
	}
	leaf := p.Certificate()
	names := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	metrics := cfg.Metrics.Address
	if metrics == "" {
		metrics = "not served"
	}
	fmt.Fprintf(t, "  address\t%s, %s and newer\n", strings.Join(addresses, ", "), tls.VersionName(cfg.Listen.MinTLS))
	fmt.Fprintf(t, "  certificate\t%s for %s, until %s\n", leaf.Subject, cmp.Or(strings.Join(names, ", "), "no host"), leaf.NotAfter.Format(time.DateOnly))
	for _, f := range p.Findings(time.Now()) {
		if f.Severity == identity.Notable {
			fmt.Fprintf(t, "  to note\t%s\n", f.Text)
		}
	}
	fmt.Fprintf(t, "  client certificates\t%s\n", map[string]string{
		config.AuthRequire: "required", config.AuthOptional: "optional", config.AuthNone: "not asked for"}[cfg.Listen.ClientAuth])
	for _, ca := range p.ClientCAs() {
		fmt.Fprintf(t, "  client CA\t%s, until %s\n", ca.Subject, ca.NotAfter.Format(time.DateOnly))
	}
	for _, c := range p.Intermediates() {
		fmt.Fprintf(t, "  intermediate\t%s, until %s\n", c.Subject, c.NotAfter.Format(time.DateOnly))
	}
	fmt.Fprintf(t, "  metrics\t%s\n", metrics)
}

func printClients(w io.Writer, cfg *config.Config) {
	t := table(w, "Clients: the first whose conditions all hold")
	defer t.Flush()
	fmt.Fprintln(t, "  name\tconditions\tmay send")
	for i := range cfg.Clients {
		c := &cfg.Clients[i]
		fmt.Fprintf(t, "  %s\t%s\t%s\n", c.Name, conditions(c, cfg.Listen.ClientAuth), maySend(c))
	}
}

// maySend puts which packets a client may send into words.
func maySend(c *config.Client) string {
	text := strings.Join(c.Packets, ", ")
	if len(c.Realms) == 0 {
		return text
	}
	var realms []string
	for _, realm := range c.Realms {
		realms = append(realms, realmWords(realm))
	}
	return text + " of " + strings.Join(append(realms, c.Operators...), ", ")
}

// conditions puts what a client must fulfil into words.
func conditions(c *config.Client, auth string) string {
	var all []string
	add := func(what string, n int, text func(i int) string) {
		var list []string
		for i := range n {
			list = append(list, text(i))
		}
		if n > 0 {
			all = append(all, what+" "+strings.Join(list, " or "))
		}
	}
	add("from", len(c.Networks), func(i int) string { return c.Networks[i].String() })
	add("fingerprint", len(c.Fingerprints), func(i int) string { return shortFingerprint(c.Fingerprints[i]) })
	add("named", len(c.SANDNS), func(i int) string { return c.SANDNS[i] })
	ips := addressNames(c.SANIP)
	add("of the CA in", len(c.CA), func(i int) string { return c.CA[i] })
	add("with address", len(ips), func(i int) string { return ips[i] })
	add("with URI", len(c.SANURI), func(i int) string { return c.SANURI[i] })
	add("with realm", len(c.SANNAIRealm), func(i int) string { return c.SANNAIRealm[i] })
	add("with", len(c.SubjectRDN), func(i int) string { return c.SubjectRDN[i] })
	add("subject", len(c.Subject), func(i int) string { return c.Subject[i] })
	add("issuer", len(c.Issuer), func(i int) string { return c.Issuer[i] })
	add("common name", len(c.CommonName), func(i int) string { return c.CommonName[i] })
	add("policy", len(c.PolicyOID), func(i int) string { return c.PolicyOID[i] })
	switch {
	case len(all) > 0:
		return strings.Join(all, ", ")
	case auth == config.AuthRequire:
		return "any certificate of the client CA"
	}
	return "anybody"
}

// addressNames says which SAN iPAddress will do.
func addressNames(want config.SANIP) (names []string) {
	if want.Source {
		names = append(names, "of the source")
	}
	for _, a := range want.Addresses {
		names = append(names, a.String())
	}
	return names
}

// shortFingerprint gives as much of a fingerprint as a reader compares.
func shortFingerprint(sum [32]byte) string {
	const octets = len("sha256:") + 4*len("AA:")
	return certs.FormatFingerprint(sum)[:octets-1] + ":…"
}

func printRoutes(w io.Writer, cfg *config.Config) {
	t := table(w, "Routes: the first line that fits realm and packet")
	fmt.Fprintln(t, "  realm\tpackets\tservers\tbalance\tunreachable")
	for _, e := range routeEntries(cfg) {
		for _, packets := range byPort(e.packets) {
			unreachable := config.AnswerSilent
			switch packets[0] {
			case config.PacketAccess:
				unreachable = e.route.OnUnreachable
			case config.PacketAccounting:
				unreachable = accountingAnswer(e.route.OnUnreachable)
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
	packets []string // that are routed by it
	route   *config.Route
}

// routeEntries lists the realms of all routes in the order of their being looked up,
// and then the operators, the whole namespaces last.
func routeEntries(cfg *config.Config) (all []routeEntry) {
	for i := range cfg.Routes {
		for _, realm := range cfg.Routes[i].Realms {
			all = append(all, routeEntry{realm, cfg.Routes[i].Packets, &cfg.Routes[i]})
		}
	}
	slices.SortStableFunc(all, func(a, b routeEntry) int { return compareRealms(a.name, b.name) })
	for i := range all {
		all[i].name = realmWords(all[i].name)
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

// compareRealms orders realms as they are looked up: no realm, exact names,
// suffixes, the longest first, patterns as in the file, the default.
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

func realmWords(realm string) string {
	switch realm {
	case "":
		return "(no realm)"
	case "*":
		return "* (default)"
	}
	return realm
}

// byPort groups kinds of packets by the server's port that takes them.
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

// serversOf lists a route's servers with the port for a kind of packet.
func serversOf(cfg *config.Config, r *config.Route, packet string) string {
	var list []string
	for _, name := range r.Servers {
		i := slices.IndexFunc(cfg.Servers, func(s config.Server) bool { return s.Name == name })
		s := &cfg.Servers[i] // Load has seen to it that the name is there
		list = append(list, name+" "+net.JoinHostPort(s.Address, strconv.Itoa(int(s.Port(packet)))))
	}
	return strings.Join(list, ", ")
}

// table starts a part of the report, in columns.
func table(w io.Writer, title string) *tabwriter.Writer {
	fmt.Fprintf(w, "\n%s\n", title)
	return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
}
