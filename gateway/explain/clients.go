package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/web/status"
)

func printClients(w io.Writer, cfg *config.Config) {
	t := table(w, "Clients: the first whose conditions all hold")
	defer t.Flush()
	fmt.Fprintln(t, "  name\tconditions\tmay send")
	for i := range cfg.Clients {
		c := &cfg.Clients[i]
		fmt.Fprintf(t, "  %s\t%s\t%s\n", c.Name, conditions(c, needsCertificate(cfg, c)), maySend(c))
	}
}

// needsCertificate reports whether each front that accepts a client requires a certificate.
func needsCertificate(cfg *config.Config, c *config.Client) bool {
	return !slices.ContainsFunc(cfg.Fronts(), func(f config.Front) bool { return f.Accepts(c) && f.Listen.ClientAuth != config.AuthRequire })
}

// maySend says which packets a client may send.
func maySend(c *config.Client) string {
	text := strings.Join(c.Packets, ", ")
	if len(c.Realms) == 0 {
		return text
	}
	var realms []string
	for _, realm := range c.Realms {
		realms = append(realms, status.RealmText(realm))
	}
	return text + " of " + strings.Join(append(realms, c.Operators...), ", ")
}

// conditions describes the conditions that identify a client.
func conditions(c *config.Client, certificate bool) string {
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
	if c.PSKIdentity != "" {
		all = append(all, "PSK identity "+c.PSKIdentity)
	}
	add("policy", len(c.PolicyOID), func(i int) string { return c.PolicyOID[i] })
	switch {
	case len(all) > 0:
		return strings.Join(all, ", ")
	case certificate:
		return "any certificate of the client CA"
	}
	return "anybody"
}

// addressNames lists the SAN iPAddresses that a client may have.
func addressNames(want config.SANIP) (names []string) {
	if want.Source {
		names = append(names, "of the source")
	}
	for _, a := range want.Addresses {
		names = append(names, a.String())
	}
	return names
}

// shortFingerprint returns the beginning of a fingerprint, enough to recognize it.
func shortFingerprint(sum [32]byte) string {
	const length = len("sha256:") + 4*len("AA:")
	return certs.FormatFingerprint(sum)[:length-1] + ":…"
}
