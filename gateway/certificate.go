package gateway

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
	"radsec-gw/locks"
)

// ownCertificate is a certificate that the gateway presents: that of [listen] or that of
// [metrics].
type ownCertificate struct {
	key    string // of the configuration
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

// findings lists what clients may find wrong with the chain.
func (m *material) findings(now time.Time) []identity.Finding {
	return identity.OwnChain(m.chain(), slices.Concat(m.clientCAs, m.intermediates), now)
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

// certificateWarnings lists the findings that are more severe than notable, each with its
// place in the configuration. reportCertificate logs them.
func (m *material) certificateWarnings(cfg *config.Config, now time.Time) (list []string) {
	for _, f := range m.findings(now) {
		if f.Severity > identity.Notable {
			list = append(list, cfg.MistakeAt("listen.certificate", f.Text).String())
		}
	}
	return list
}

// reportInterval is how often a finding that persists is logged again.
const reportInterval = 24 * time.Hour

// certificateReport remembers which findings about the gateway's own certificate were
// logged.
type certificateReport struct {
	mu       locks.Mutex[locks.CertificateReport] // guards what follows; no log line is written with it held
	chain    [][]byte                             // that reported is about
	reported map[string]time.Time                 // when each text was last logged
}

// due returns the findings that are to be logged now: new ones, and each that persists
// once per reportInterval.
func (r *certificateReport) due(m *material, list []identity.Finding, now time.Time) (due []identity.Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.EqualFunc(r.chain, m.pair.Certificate, bytes.Equal) {
		r.chain, r.reported = m.pair.Certificate, nil
	}
	reported := map[string]time.Time{}
	for _, f := range list {
		last, known := r.reported[f.Text]
		if !known || now.Sub(last) >= reportInterval {
			due, last = append(due, f), now
		}
		reported[f.Text] = last
	}
	r.reported = reported
	return due
}

// reportCertificate logs what clients may find wrong with the plan's certificate, and
// sets the metric that says whether they refuse it.
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
		g.log.Log(g.ctx, level, "the gateway's own certificate", "finding", p.Config.MistakeAt("listen.certificate", f.Text))
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
