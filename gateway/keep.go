package gateway

import (
	"cmp"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
)

// own returns the certificates that the gateway presents; one that is not configured is
// empty.
func (m *material) own() []*ownCertificate { return []*ownCertificate{&m.ownCertificate, &m.web} }

// worse says why clients probably refuse the certificate next although they accept the
// current one, or returns "" if that is not so. A certificate is never worse than itself, or
// than none.
func worse(current, next *ownCertificate, at time.Time) string {
	if current.pair.Leaf == nil || current.refused(at) != "" || current.equal(next) {
		return ""
	}
	altered := ""
	if next.pair.Leaf != nil && identity.Altered(next.pair.Leaf, current.pair.Leaf) {
		altered = "the certificate has the serial number and the key of the current one but differs from it: one of the two is damaged"
	}
	return cmp.Or(next.refused(at), next.damage, altered)
}

// keptError says why the current certificate was kept although the other files were put in
// use.
type keptError struct{ config.Mistakes }

// Unwrap returns the mistakes, for errors.As.
func (e keptError) Unwrap() error { return e.Mistakes }

// keepBetter replaces each of the certificates of m by the current one if that of m is
// worse. It is called for files that were read because they have changed, not because a
// reload was requested. If it has replaced a certificate, it returns a copy of the original
// m, and an error that says why and what to do about it.
func (g *Gateway) keepBetter(current *generation, m *material, at time.Time) (skipped *material, err error) {
	original := *m
	var kept config.Mistakes
	next := m.own()
	for i, now := range current.files.own() {
		why := worse(now, next[i], at)
		if why == "" {
			continue
		}
		*next[i] = *now
		kept = append(kept, current.Config.MistakeAt(now.key, why+": the current certificate, which clients accept, stays in use; everything else that has changed is in use now; to use the new certificate anyway, request a reload (SIGHUP)"))
	}
	if kept == nil {
		return nil, nil
	}
	return &original, keptError{kept}
}

// setSkipped records which material is not in use because a certificate of it is worse; nil
// for none. Called with turn held.
func (g *Gateway) setSkipped(m *material) {
	g.skipped = m
	g.metrics.SetNewRefused(m != nil)
}

// skippedIsGood reports whether a certificate that was skipped is no longer worse than the
// current one.
func (g *Gateway) skippedIsGood(current *generation, at time.Time) bool {
	if g.skipped == nil {
		return false
	}
	skipped := g.skipped.own()
	for i, now := range current.files.own() {
		if !now.equal(skipped[i]) && worse(now, skipped[i], at) == "" {
			return true
		}
	}
	return false
}

// logWorse logs that a requested reload has put a worse certificate in use.
func (g *Gateway) logWorse(previous, next *Plan) {
	replaced := next.files.own()
	for i, one := range previous.files.own() {
		if why := worse(one, replaced[i], time.Now()); why != "" {
			g.log.Error("the reload was requested, and has replaced a certificate that clients accept by one that they refuse", "error", next.Config.MistakeAt(one.key, why))
		}
	}
}
