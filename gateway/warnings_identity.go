package gateway

import (
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
)

// warner notes what deserves a second look at a key.
type warner func(key, format string, args ...any)

// warnIdentity warns of what lets in more than its writer may mean, and of lists and
// certificates that do less.
func (m *material) warnIdentity(warn warner, cfg *config.Config, now time.Time) {
	for i := range cfg.Clients {
		c, key := &cfg.Clients[i], fmt.Sprintf("client[%d]", i)
		if n := differentKeys(m.cas); len(c.Issuer) > 0 && len(c.CA) == 0 && len(c.Fingerprints) == 0 && n > 1 {
			warn(key+".issuer", "client %q is bound to a CA by its name alone, and client_ca has %d CAs: an intermediate of any of them may carry that name; give ca = \"FILE\" with the CA's certificate", c.Name, n)
		}
		if len(c.Networks) > 0 && !c.ByCertificate() && cfg.Listen.ClientAuth == config.AuthRequire {
			warn(key, "client %q has networks and no condition on its certificate: whoever has any certificate of client_ca and an address there passes for it; san_ip = [\"source\"] binds the certificate to the address (RFC 6614bis §3.3.1), ca, san_dns or fingerprints to the client", c.Name)
		}
	}
	v, err := m.verifier(cfg)
	if err != nil {
		return // a mistake, which is told elsewhere
	}
	r := v.Review()
	if r.Names != "" && cfg.Listen.ClientAuth != config.AuthNone {
		warn("listen.client_ca", "%s", r.Names)
	}
	for _, text := range r.Useless {
		warn("listen.intermediates", "%s", text)
	}
	for _, text := range r.WithoutLists {
		warn("listen.crl", "%s", text)
	}
}

// verifier makes the verifier that the RadSec side would.
func (m *material) verifier(cfg *config.Config) (*identity.Verifier, error) {
	all := &identity.Config{Auth: clientAuthOf(cfg.Listen.ClientAuth), ClientCA: m.cas, Intermediates: m.between, CRLs: m.crls}
	for i := range cfg.Clients {
		c, err := buildIdentity(&cfg.Clients[i], m.clients[i])
		if err != nil {
			return nil, err
		}
		all.Clients = append(all.Clients, &c.Client)
	}
	return identity.NewVerifier(all, nil)
}

// differentKeys counts CAs; several certificates of one key are one.
func differentKeys(cas []*x509.Certificate) int {
	keys := map[string]bool{}
	for _, c := range cas {
		keys[string(c.RawSubjectPublicKeyInfo)] = true
	}
	return len(keys)
}

// warnLists warns of issuers whose newest revocation list is out of date; an older one
// beside it harms nobody.
func (m *material) warnLists(warn warner, cfg *config.Config, now time.Time) {
	effect := ""
	if cfg.Listen.CRLStale == config.CRLStaleRefuse {
		effect = ": certificates of this issuer are refused (crl_stale)"
	}
	current := newest(m.crls, m.issuers())
	for _, l := range m.crls {
		if l.NextUpdate.IsZero() || !now.After(l.NextUpdate) || !slices.Contains(slices.Collect(maps.Values(current)), l) {
			continue
		}
		warn("listen.crl", "the revocation list of %s has been out of date since %s%s", l.Issuer, l.NextUpdate.Format(time.DateTime), effect)
	}
}
