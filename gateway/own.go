package gateway

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"log/slog"
	"slices"
	"sync"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
	"radsec-gw/web"
)

// This file is about the gateway's own certificate: what clients think of it, who is
// told, and that none that they refuse comes into force unasked.

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

// worse says why next would be a certificate that clients refuse in the place of one
// that they take, most likely; "" when it is not. One and the same is never worse.
func worse(now, next *material, at time.Time) string {
	if now.refused(at) != "" || slices.EqualFunc(now.pair.Certificate, next.pair.Certificate, bytes.Equal) {
		return ""
	}
	altered := ""
	if now.pair.Leaf != nil && next.pair.Leaf != nil && identity.Altered(next.pair.Leaf, now.pair.Leaf) {
		altered = "the certificate has the serial number and the key of the one in force, and other octets: it is damaged, or that one is"
	}
	return cmp.Or(next.refused(at), next.damage, altered)
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

// keptError says which certificate was not put in force, while all the rest was.
type keptError struct{ config.Mistakes }

// Unwrap gives errors.As the Mistakes.
func (e keptError) Unwrap() error { return e.Mistakes }

// keepBetter gives m, which was read because files have changed, the certificate in
// force if its own is worse: nobody has asked for that. kept is what is not put in force
// then, and the error says so, and what to do.
func (g *Gateway) keepBetter(now *inForce, m *material, at time.Time) (kept *material, err error) {
	why := worse(now.files, m, at)
	if why == "" {
		return nil, nil
	}
	left := *m
	m.pair, m.damage = now.files.pair, now.files.damage
	return &left, keptError{config.Mistakes{now.Config.MistakeAt("listen.certificate", why+": the certificate in force, which clients take, stays, and what else has changed is taken; to have it all the same, ask for a reload (SIGHUP)")}}
}

// setKept notes what is not in force, nil for nothing. Called with the turn.
func (g *Gateway) setKept(kept *material) {
	g.own.kept = kept
	g.metrics.SetNewRefused(kept != nil)
}

// keptIsGood reports whether the certificate that was not put in force has become
// good, or the one in force as bad.
func (g *Gateway) keptIsGood(now *inForce, at time.Time) bool {
	return g.own.kept != nil && worse(now.files, g.own.kept, at) == ""
}

// noteWorse says that a reload has put a worse certificate in force, as it was asked to.
func (g *Gateway) noteWorse(before, next *Plan) {
	if why := worse(before.files, next.files, time.Now()); why != "" {
		g.log.Error("the reload has replaced a certificate that clients take by one that they refuse, because it was asked for", "error", why)
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

// ownForPage is what the status page shows of the certificate in force.
func (g *Gateway) ownForPage() web.Certificate {
	m := g.now.Load().files
	c := web.Certificate{Subject: m.pair.Leaf.Subject.String(), NotAfter: identity.EarliestEnd(m.chain())}
	for _, f := range m.own(time.Now()) {
		if f.Severity > identity.Notable {
			c.Findings = append(c.Findings, f.Text)
		}
	}
	return c
}
