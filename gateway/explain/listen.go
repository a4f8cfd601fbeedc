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
	"radsec-gw/config/defaults"
	"radsec-gw/gateway"
	"radsec-gw/identity"
)

// printListen prints where the gateway listens, and the certificates: what is as in [listen]
// once.
func printListen(w io.Writer, p *gateway.Plan) {
	cfg := p.Config
	t := table(w, "Listening")
	defer t.Flush()
	fronts := p.Fronts()
	for i := range fronts {
		printFront(t, p, &fronts[i])
	}
	metrics := cfg.Metrics.Address
	if metrics == "" {
		metrics = "not served"
	}
	printFetched(t, cfg)
	fmt.Fprintf(t, "  metrics\t%s\n", metrics)
}

// printFetched prints which revocation lists serve fetches.
func printFetched(t io.Writer, cfg *config.Config) {
	kept := "in memory only"
	if d := cfg.Listen.CRLDirectory; d != "" {
		kept = "in " + d
	}
	urls, points := cfg.FetchedLists()
	for _, url := range urls {
		fmt.Fprintf(t, "  revocation list\t%s, fetched every %v at least, kept %s (check has not fetched it)\n", url, cfg.Listen.CRLRefresh, kept)
	}
	if points {
		fmt.Fprintf(t, "  revocation lists\tthose that certificates name, kept %s\n", kept)
	}
}

// printFront prints one front.
func printFront(t io.Writer, p *gateway.Plan, f *gateway.FrontFiles) {
	first := f.Name == defaults.Listener
	own := func(key string) bool { return first || f.Key(key) != "listen."+key }
	if !first {
		fmt.Fprintf(t, "  listener\t%s\n", f.Name)
	}
	var addresses []string
	for _, a := range f.Listen.Address {
		addresses = append(addresses, a.String())
	}
	spoken := tls.VersionName(f.Listen.MinTLS) + " and newer"
	if f.Transport == config.TransportDTLS {
		spoken = "DTLS 1.2 over UDP"
	}
	fmt.Fprintf(t, "  address\t%s, %s\n", strings.Join(addresses, ", "), spoken)
	if own("certificate") {
		printOwn(t, p, f)
	}
	if own("client_auth") {
		fmt.Fprintf(t, "  client certificates\t%s\n", map[string]string{
			config.AuthRequire: "required", config.AuthOptional: "optional", config.AuthNone: "not requested"}[f.Listen.ClientAuth])
	}
	if own("client_ca") {
		for _, ca := range f.ClientCAs {
			fmt.Fprintf(t, "  client CA\t%s, until %s\n", ca.Subject, ca.NotAfter.Format(time.DateOnly))
		}
	}
	if own("intermediates") {
		for _, c := range f.Intermediates {
			fmt.Fprintf(t, "  intermediate\t%s, until %s\n", c.Subject, c.NotAfter.Format(time.DateOnly))
		}
	}
	if len(f.Listen.Clients) > 0 {
		fmt.Fprintf(t, "  clients\t%s only\n", strings.Join(f.Listen.Clients, ", "))
	}
}

// printOwn prints the certificates that a front presents, and what is to note of them.
func printOwn(t io.Writer, p *gateway.Plan, f *gateway.FrontFiles) {
	for _, c := range f.Certificates {
		names := slices.Clone(c.Leaf.DNSNames)
		for _, ip := range c.Leaf.IPAddresses {
			names = append(names, ip.String())
		}
		if len(c.Names) > 0 {
			names = c.Names
		}
		fmt.Fprintf(t, "  certificate\t%s for %s, %s key, until %s\n", c.Leaf.Subject, cmp.Or(strings.Join(names, ", "), "no host"), c.Leaf.PublicKeyAlgorithm, c.Leaf.NotAfter.Format(time.DateOnly))
		for _, finding := range p.Findings(time.Now()) {
			if finding.Severity == identity.Notable && finding.Key == c.Key {
				fmt.Fprintf(t, "  to note\t%s\n", finding.Text)
			}
		}
	}
}
