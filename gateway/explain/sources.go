package explain

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"net/netip"
	"time"

	"radsec-gw/config"
	"radsec-gw/gateway"
	"radsec-gw/identity"
)

// ClientCertificate is the certificate of a client in a file.
type ClientCertificate struct {
	File  string
	Chain []*x509.Certificate // its own first
}

// Sources prints the local addresses that the requests of clients are sent to the servers
// from: of each client without certificates, else of each certificate. The error says that
// two certificates have the same address, or that one belongs to no client.
func Sources(w io.Writer, p *gateway.Plan, certificates []ClientCertificate) error {
	if len(certificates) == 0 {
		printSources(w, p.Config)
		return nil
	}
	finder, err := p.NewFinder()
	if err != nil {
		return err
	}
	t := table(w, "Certificates, and where the requests of their holders are sent from")
	fmt.Fprintln(t, "  file\tsubject\tclient\tsource")
	holders := fixedSources(p.Config)
	var wrong []string
	for _, one := range certificates {
		leaf := one.Chain[0]
		c, err := finder.Find(one.Chain, time.Now())
		if err != nil {
			fmt.Fprintf(t, "  %s\t%s\t-\t%s\n", one.File, leaf.Subject, err)
			wrong = append(wrong, one.File+": belongs to no client")
			continue
		}
		f := identity.FactsOf(leaf)
		source, key := gateway.SourceOf(c, &f)
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", one.File, leaf.Subject, c.Name, sourceText(source))
		if key == nil {
			continue
		}
		if other, taken := holders[source]; taken && !bytes.Equal(other.key, key) {
			wrong = append(wrong, fmt.Sprintf("%s: has the same address %s as %s: while one is connected, the requests of the other are refused; make source_pool of client %q larger", one.File, source, other.name, c.Name))
		} else if !taken {
			holders[source] = holder{one.File, key}
		}
	}
	t.Flush()
	for _, line := range wrong {
		fmt.Fprintf(w, "  %s\n", line)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%d of %d certificates cannot be used", len(wrong), len(certificates))
	}
	return nil
}

// holder is the client with an address, or the first certificate.
type holder struct {
	name string
	key  []byte // nil: a client
}

// fixedSources returns the addresses that clients have, whatever their certificates.
func fixedSources(cfg *config.Config) map[netip.Addr]holder {
	all := map[netip.Addr]holder{}
	for i := range cfg.Clients {
		if c := &cfg.Clients[i]; c.Source.IsValid() {
			all[c.Source] = holder{name: fmt.Sprintf("client %q", c.Name)}
		}
	}
	return all
}

// printSources prints the source of each client.
func printSources(w io.Writer, cfg *config.Config) {
	t := table(w, "Clients, and where their requests are sent from")
	defer t.Flush()
	fmt.Fprintln(t, "  client\tsource\tsecret with the servers")
	for i := range cfg.Clients {
		c := &cfg.Clients[i]
		source := sourceText(c.Source)
		if c.SourcePool.IsValid() {
			source = fmt.Sprintf("%s, by the certificate's %s", c.SourcePool, poolKeyText(c))
		}
		secret := "the server's"
		if c.ServerSecret.Len() > 0 {
			secret = "its own"
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\n", c.Name, source, secret)
	}
}

// sourceText is what is said of a client's source.
func sourceText(source netip.Addr) string {
	if source.IsValid() {
		return source.String()
	}
	return "the server's"
}

// poolKeyText says what addresses of a client's pool are computed from.
func poolKeyText(c *config.Client) string {
	if c.SourceFrom == config.SourceFromSerial {
		return "issuer and serial"
	}
	return "first name"
}
