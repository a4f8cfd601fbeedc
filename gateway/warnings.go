package gateway

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
)

// warner records a warning about what a key names.
type warner func(key, format string, args ...any)

// warnings lists what is suspicious at a time about all certificates except the gateway's
// own, and about the revocation lists.
func (m *material) warnings(cfg *config.Config, now time.Time) (list []string) {
	warn := func(key, format string, args ...any) {
		list = append(list, cfg.MistakeAt(key, fmt.Sprintf(format, args...)).String())
	}
	for _, f := range m.issuerFiles {
		for _, c := range f.certificates {
			warnValidity(warn, f.key, f.path, c, now)
		}
	}
	if m.web.pair.Leaf != nil {
		if why := cmp.Or(m.web.refused(now), m.web.damage); why != "" {
			warn("metrics.certificate", "%s", why)
		} else {
			warnValidity(warn, "metrics.certificate", cfg.Metrics.Certificate, m.web.pair.Leaf, now)
		}
	}
	for _, w := range m.parseWarnings {
		warn(w.key, "%v", w.err)
	}
	m.warnLists(warn, now)
	m.warnIdentity(warn, cfg)
	return list
}

// warnValidity warns about a certificate in the file at path that is not valid, or will
// not be soon.
func warnValidity(warn warner, key, path string, c *x509.Certificate, now time.Time) {
	const soon = 30 * 24 * time.Hour
	switch {
	case now.After(c.NotAfter):
		warn(key, "%s: the certificate of %s expired on %s", path, c.Subject, c.NotAfter.UTC().Format(time.DateTime))
	case now.Before(c.NotBefore):
		warn(key, "%s: the certificate of %s is not valid before %s", path, c.Subject, c.NotBefore.UTC().Format(time.DateTime))
	case now.Add(soon).After(c.NotAfter):
		warn(key, "%s: the certificate of %s expires on %s", path, c.Subject, c.NotAfter.UTC().Format(time.DateTime))
	}
}

// warnIdentity warns about conditions that may accept more clients than intended, and about
// lists and certificates that have no effect.
func (m *material) warnIdentity(warn warner, cfg *config.Config) {
	told := map[string]bool{}
	once := func(key, format string, args ...any) {
		if text := key + fmt.Sprintf(format, args...); !told[text] {
			told[text] = true
			warn(key, format, args...)
		}
	}
	for _, f := range m.fronts {
		f.warnIdentity(once, cfg, m.ownCAs, &m.fetched)
	}
}

// warnIdentity is the same for one front.
func (f *frontMaterial) warnIdentity(warn warner, cfg *config.Config, ownCAs [][]*x509.Certificate, of *fetched) {
	for i := range cfg.Clients {
		c, key := &cfg.Clients[i], fmt.Sprintf("client[%d]", i)
		if !f.Accepts(c) {
			continue
		}
		if n := differentKeys(f.clientCAs); len(c.Issuer) > 0 && len(c.CA) == 0 && len(c.Fingerprints) == 0 && n > 1 {
			warn(key+".issuer", "client %q is bound to a CA by its name alone, and client_ca has %d CAs: an intermediate of any of them may carry that name; give ca = \"FILE\" with the CA's certificate", c.Name, n)
		}
		if len(c.Networks) > 0 && !c.ByCertificate() && c.PSKIdentity == "" && f.Listen.ClientAuth == config.AuthRequire {
			warn(key, "client %q has networks and no condition on its certificate: any peer with a certificate of client_ca and an address there is taken for it; san_ip = [\"source\"] binds the certificate to the address (RFC 6614bis §3.3.1), ca, san_dns or fingerprints to the client", c.Name)
		}
	}
	v, err := f.verifier(cfg, ownCAs)
	if err != nil {
		return // a mistake, which is reported elsewhere
	}
	r := v.Review()
	if r.Names != "" && f.Listen.ClientAuth != config.AuthNone {
		warn(f.Key("client_ca"), "%s", r.Names)
	}
	for _, text := range r.Unused {
		warn(f.Key("intermediates"), "%s", text)
	}
	if f.listsOutstanding(of) {
		return
	}
	for _, text := range r.WithoutLists {
		warn(f.Key("crl"), "%s", text)
	}
}

// verifier returns a verifier like that of the RadSec side. ownCAs are those of each client.
func (f *frontMaterial) verifier(cfg *config.Config, ownCAs [][]*x509.Certificate) (*identity.Verifier, error) {
	all := &identity.Config{Auth: clientAuthOf(f.Listen.ClientAuth), ClientCA: f.clientCAs, Intermediates: f.intermediates, CRLs: f.crls,
		RefuseStaleCRL: f.Listen.CRLStale == config.CRLStaleRefuse}
	for _, c := range f.certificates {
		all.Own = append(all.Own, c.pair.Certificate[0])
	}
	for i := range cfg.Clients {
		if !f.Accepts(&cfg.Clients[i]) {
			continue
		}
		c, err := buildIdentity(&cfg.Clients[i], ownCAs[i])
		if err != nil {
			return nil, err
		}
		all.Clients = append(all.Clients, &c.Client)
	}
	return identity.NewVerifier(all, nil)
}

// differentKeys counts the keys of CAs: several certificates of one key are one CA.
func differentKeys(cas []*x509.Certificate) int {
	keys := map[string]bool{}
	for _, c := range cas {
		keys[string(c.RawSubjectPublicKeyInfo)] = true
	}
	return len(keys)
}

// warnLists warns about issuers whose newest revocation list is out of date; older lists
// have no effect.
func (m *material) warnLists(warn warner, now time.Time) {
	newest := newestLists(m.crls, m.issuers())
	for _, l := range m.crls {
		if l.NextUpdate.IsZero() || !now.After(l.NextUpdate) || !slices.Contains(slices.Collect(maps.Values(newest)), l) {
			continue
		}
		effect := ""
		if slices.ContainsFunc(m.fronts, func(f *frontMaterial) bool {
			return f.Listen.CRLStale == config.CRLStaleRefuse && slices.Contains(f.crls, l)
		}) {
			effect = ": certificates of this issuer are refused (crl_stale)"
		}
		warn("listen.crl", "the revocation list of %s has been out of date since %s%s", l.Issuer, l.NextUpdate.Format(time.DateTime), effect)
	}
}
