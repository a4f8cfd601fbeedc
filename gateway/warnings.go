package gateway

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
)

// warnings lists what is odd at a time about all certificates but the gateway's own,
// and about the lists; serve starts with them all the same, and logs them.
func (m *material) warnings(cfg *config.Config, now time.Time) (list []string) {
	warn := func(key, format string, args ...any) {
		list = append(list, cfg.MistakeAt(key, fmt.Sprintf(format, args...)).String())
	}
	for _, f := range m.issuerFiles {
		for _, c := range f.held {
			warnValidity(warn, f.key, f.path, c, now)
		}
	}
	if m.web.Leaf != nil {
		web := material{pair: m.web}
		if why := cmp.Or(identity.Refused(m.web.Leaf, now), identity.Damage(web.chain(), slices.Concat(m.cas, m.between))); why != "" {
			warn("metrics.certificate", "%s", why)
		} else {
			warnValidity(warn, "metrics.certificate", cfg.Metrics.Certificate, m.web.Leaf, now)
		}
	}
	for _, o := range m.odd {
		warn(o.key, "%v", o.err)
	}
	m.warnLists(warn, cfg, now)
	m.warnIdentity(warn, cfg, now)
	return list
}

// warnValidity warns of a certificate in the file at path that is not valid, or soon
// will not be.
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
