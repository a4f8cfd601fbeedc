// Package explain prints what a Plan means, for radsec-gw check: where the gateway listens
// (listen.go), which clients it accepts (clients.go), where their requests go (routes.go),
// who may read the files (files.go), what happens when a server does not reply (servers.go,
// names.go), how a server is chosen (groups.go), who may send CoA and Disconnect for clients
// (dynamic.go), how many connections there may be (descriptors.go), which rules change
// attributes (rules.go), what becomes of accounting that no server answers (spool.go), what
// is shared with other gateways (cluster.go), and what is suspicious. For its flags it prints what the rules make of one packet (packet.go), and
// which addresses requests are sent from (sources.go).
package explain

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"text/tabwriter"
	"time"

	"radsec-gw/gateway"
)

// lookupTimeout is how long check waits for all of the servers' names.
const lookupTimeout = 5 * time.Second

// Report prints what a plan means, and warnings about what is suspicious. It looks up the
// servers' host names, for at most lookupTimeout.
func Report(w io.Writer, p *gateway.Plan) {
	cfg := p.Config
	fmt.Fprintf(w, "%s has no mistakes.\n", cfg.Path)
	printListen(w, p)
	printClients(w, cfg)
	printRoutes(w, cfg)
	printRules(w, p)
	ofFiles := printFiles(w, p)
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	names := resolveNames(ctx, cfg, net.DefaultResolver.LookupNetIP)
	printServers(w, p, names)
	printGroups(w, cfg)
	printSpool(w, cfg)
	printCluster(w, cfg)
	printDynamic(w, cfg, names)
	ofDescriptors := printDescriptors(w, p)
	warnings := slices.Concat(ofDescriptors, cfg.Warnings(), cfg.NameWarnings(ctx, names.lookup), sourceWarnings(cfg), gateway.SourceWarnings(cfg), p.Warnings(time.Now()), ofFiles)
	if len(warnings) == 0 {
		return
	}
	fmt.Fprintf(w, "\nWarnings:\n")
	for _, line := range warnings {
		fmt.Fprintf(w, "  %s\n", line)
	}
}

// table starts a part of the report, in columns.
func table(w io.Writer, title string) *tabwriter.Writer {
	fmt.Fprintf(w, "\n%s\n", title)
	return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
}
