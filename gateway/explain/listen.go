package explain

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"radsec-gw/config"
	"radsec-gw/gateway"
	"radsec-gw/identity"
)

// printListen prints where the gateway listens, and the certificates.
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
		config.AuthRequire: "required", config.AuthOptional: "optional", config.AuthNone: "not requested"}[cfg.Listen.ClientAuth])
	for _, ca := range p.ClientCAs() {
		fmt.Fprintf(t, "  client CA\t%s, until %s\n", ca.Subject, ca.NotAfter.Format(time.DateOnly))
	}
	for _, c := range p.Intermediates() {
		fmt.Fprintf(t, "  intermediate\t%s, until %s\n", c.Subject, c.NotAfter.Format(time.DateOnly))
	}
	fmt.Fprintf(t, "  metrics\t%s\n", metrics)
}
