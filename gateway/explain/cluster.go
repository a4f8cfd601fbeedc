package explain

import (
	"fmt"
	"io"
	"strings"

	"radsec-gw/config"
)

// printCluster prints what is shared with other gateways; nothing if nothing is.
func printCluster(w io.Writer, cfg *config.Config) {
	if !cfg.UsesCluster() {
		return
	}
	c := &cfg.Cluster
	t := table(w, "Other gateways: what is shared with them through NATS")
	defer t.Flush()
	fmt.Fprintf(t, "  NATS servers\t%s; no request waits for them\n", strings.Join(c.Servers(), ", "))
	fmt.Fprintf(t, "  shared with\tgateways with the prefix %s\n", c.Prefix)
	fmt.Fprintf(t, "  States\twhich server issued them: a conversation that goes on through another gateway is sent there\n")
	if cfg.Routing.LoopMarker {
		fmt.Fprintf(t, "  loops\ta request that another gateway has sent to a server is refused when it arrives here (loop_marker)\n")
	}
	if len(cfg.DynamicAuthorization.Address) > 0 {
		fmt.Fprintf(t, "  CoA\tfor a NAS that is connected to another gateway is sent to that\n")
	}
	if cfg.UsesSpool() && cfg.Spool.Store == config.SpoolStoreJetStream {
		fmt.Fprintf(t, "  the spool\tis in JetStream, on %s (replicas)\n", count(cfg.Spool.Replicas, "NATS server"))
	}
}
