package gateway

import (
	"bytes"
	"crypto/x509"
	"log/slog"
	"slices"
	"sync"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
)

// chain returns what goes to clients, the leaf first.
func (m *material) chain() (chain []*x509.Certificate) {
	for _, der := range m.pair.Certificate {
		if c, err := x509.ParseCertificate(der); err == nil { // it was parsed when it was read
			chain = append(chain, c)
		}
	}
	return chain
}

// own lists what is odd about the chain.
func (m *material) own(now time.Time) []identity.Finding {
	return identity.OwnChain(m.chain(), slices.Concat(m.cas, m.between), now)
}

// refused says why every client refuses the certificate; "" when none has to.
func (m *material) refused(now time.Time) string {
	if m.pair.Leaf == nil {
		return ""
	}
	return identity.Refused(m.pair.Leaf, now)
}

// ownRepeat is how often what stays odd about the own certificate is told again.
const ownRepeat = 24 * time.Hour

// ownCertificate tells what is odd about the gateway's own certificate.
type ownCertificate struct {
	mu    sync.Mutex // guards what follows; held over no log line
	chain [][]byte   // that told is about
	told  map[string]time.Time

	// kept is what a look at the files has not put in force because its certificate
	// was worse; owned by who has the gateway's turn.
	kept *material
}

// due returns those findings that are to be told now: new ones, and daily those that
// stay.
func (o *ownCertificate) due(m *material, list []identity.Finding, now time.Time) (due []identity.Finding) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.EqualFunc(o.chain, m.pair.Certificate, bytes.Equal) {
		o.chain, o.told = m.pair.Certificate, nil
	}
	told := map[string]time.Time{}
	for _, f := range list {
		last, known := o.told[f.Text]
		if !known || now.Sub(last) >= ownRepeat {
			due, last = append(due, f), now
		}
		told[f.Text] = last
	}
	o.told = told
	return due
}

// tellOwn logs and counts what clients think of the certificate in force.
func (g *Gateway) tellOwn(p *Plan, now time.Time) {
	g.metrics.SetRefused(p.files.refused(now) != "")
	for _, f := range g.own.due(p.files, p.files.own(now), now) {
		level := slog.LevelWarn
		switch f.Severity {
		case identity.Fatal:
			level = slog.LevelError
		case identity.Notable: // check tells it
			level = slog.LevelDebug
		}
		g.log.Log(g.ctx, level, "the gateway's own certificate", "finding", p.Config.MistakeAt("listen.certificate", f.Text))
	}
}

// watchOwn looks every minute whether the certificate in force has ended, or has
// become good.
func (g *Gateway) watchOwn() {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case now := <-t.C:
			g.tellOwn(g.now.Load().Plan, now)
		}
	}
}

// ownWarnings lists what is odd about the certificate of [listen]; the gateway logs
// that by tellOwn.
func (m *material) ownWarnings(cfg *config.Config, now time.Time) (list []string) {
	for _, f := range m.own(now) {
		if f.Severity > identity.Notable { // the others are in the report
			list = append(list, cfg.MistakeAt("listen.certificate", f.Text).String())
		}
	}
	return list
}
