package gateway

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
	"radsec-gw/locks"
)

// ownCertificate is a certificate that the gateway presents: of [listen], a [[listener]] or a
// [[certificate]], or that of [metrics].
type ownCertificate struct {
	key    string // of the configuration
	path   string
	names  []string // of [[certificate]]
	pair   tls.Certificate
	damage string // describes a signature in pair that does not verify; "": all verify
}

// chain returns the chain that clients get, the leaf first.
func (c *ownCertificate) chain() (chain []*x509.Certificate) {
	for _, der := range c.pair.Certificate {
		if one, err := x509.ParseCertificate(der); err == nil { // it was parsed when it was read
			chain = append(chain, one)
		}
	}
	return chain
}

// Finding is what clients may find wrong with a certificate of the gateway.
type Finding struct {
	identity.Finding
	Key string // of the configuration, of the certificate
}

// findings lists what clients may find wrong with the chains.
func (m *material) findings(now time.Time) (list []Finding) {
	for _, c := range m.presented() {
		for _, f := range identity.OwnChain(c.chain(), m.known(), now) {
			list = append(list, Finding{f, c.key})
		}
	}
	return list
}

// refused says why every client refuses one of the certificates, or returns "".
func (m *material) refused(at time.Time) string {
	for _, c := range m.presented() {
		if why := c.refused(at); why != "" {
			return why
		}
	}
	return ""
}

// refused says why every client refuses the certificate, or returns "".
func (c *ownCertificate) refused(at time.Time) string {
	if c.pair.Leaf == nil {
		return ""
	}
	return identity.Refused(c.pair.Leaf, at)
}

// equal reports whether two certificates are the same, with the rest of their chains.
func (c *ownCertificate) equal(other *ownCertificate) bool {
	return slices.EqualFunc(c.pair.Certificate, other.pair.Certificate, bytes.Equal)
}

// refusedEverywhere says why no client can connect anywhere, because each of the certificates
// is refused, or returns "": one that expires takes no other down (TR7).
func (m *material) refusedEverywhere(at time.Time) (why string) {
	for _, c := range m.presented() {
		if why = c.refused(at); why == "" {
			return ""
		}
	}
	return why
}

// certificateWarnings lists the findings that are more severe than notable, each with its
// place in the configuration. reportCertificate logs them.
func (m *material) certificateWarnings(cfg *config.Config, now time.Time) (list []string) {
	for _, f := range m.findings(now) {
		if f.Severity > identity.Notable {
			list = append(list, cfg.MistakeAt(f.Key, f.Text).String())
		}
	}
	return list
}

// reportInterval is how often a finding that persists is logged again.
const reportInterval = 24 * time.Hour

// certificateReport remembers which findings about the gateway's own certificates were
// logged.
type certificateReport struct {
	mu       locks.Mutex[locks.CertificateReport] // guards what follows; no log line is written with it held
	reported map[reportedFinding]time.Time        // when each was last logged
}

// reportedFinding is a finding about a chain, which a new one with the same fault is told of
// again.
type reportedFinding struct {
	key, text string
	chain     [32]byte
}

// due returns the findings that are to be logged now: new ones, and each that persists
// once per reportInterval.
func (r *certificateReport) due(m *material, list []Finding, now time.Time) (due []Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	chains := map[string][32]byte{}
	for _, c := range m.presented() {
		chains[c.key] = sha256.Sum256(slices.Concat(c.pair.Certificate...))
	}
	reported := map[reportedFinding]time.Time{}
	for _, f := range list {
		what := reportedFinding{f.Key, f.Text, chains[f.Key]}
		last, known := r.reported[what]
		if !known || now.Sub(last) >= reportInterval {
			due, last = append(due, f), now
		}
		reported[what] = last
	}
	r.reported = reported
	return due
}

// reportCertificate logs what clients may find wrong with the plan's certificates, and
// sets the metric that says whether they refuse one.
func (g *Gateway) reportCertificate(p *Plan, now time.Time) {
	g.metrics.SetRefused(p.files.refused(now) != "")
	for _, f := range g.certificate.due(p.files, p.files.findings(now), now) {
		level := slog.LevelWarn
		switch f.Severity {
		case identity.Fatal:
			level = slog.LevelError
		case identity.Notable: // check prints it
			level = slog.LevelDebug
		}
		g.log.Log(g.ctx, level, "the gateway's own certificate", "finding", p.Config.MistakeAt(f.Key, f.Text))
	}
}

// watchCertificate checks every minute whether the current certificate has expired, or has
// become valid.
func (g *Gateway) watchCertificate() {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case now := <-t.C:
			g.reportCertificate(g.current.Load().Plan, now)
		}
	}
}
