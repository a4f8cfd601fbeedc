package gateway

import (
	"cmp"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
)

// ownAt returns the certificate that a key names; nil if there is none.
func (m *material) ownAt(key string) *ownCertificate {
	if i := slices.IndexFunc(m.own, func(c *ownCertificate) bool { return c.key == key }); i >= 0 {
		return m.own[i]
	}
	return nil
}

// clone returns a copy whose own certificates can be replaced.
func (m *material) clone() *material {
	out := *m
	copies := map[*ownCertificate]*ownCertificate{}
	out.own = nil
	for _, c := range m.own {
		one := *c
		copies[c] = &one
		out.own = append(out.own, &one)
	}
	out.web, out.fronts = copies[m.web], nil
	for _, f := range m.fronts {
		one := *f
		one.certificates = nil
		for _, c := range f.certificates {
			one.certificates = append(one.certificates, copies[c])
		}
		out.fronts = append(out.fronts, &one)
	}
	return &out
}

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
	original := m.clone()
	var kept config.Mistakes
	for _, now := range current.files.own {
		next := m.ownAt(now.key)
		if next == nil {
			continue // no longer configured
		}
		why := worse(now, next, at)
		if why == "" {
			continue
		}
		next.pair, next.damage = now.pair, now.damage
		kept = append(kept, current.Config.MistakeAt(now.key, why+": the current certificate, which clients accept, stays in use; everything else that has changed is in use now; to use the new certificate anyway, request a reload (SIGHUP)"))
	}
	if kept == nil {
		return nil, nil
	}
	return original, keptError{kept}
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
	for _, now := range current.files.own {
		skipped := g.skipped.ownAt(now.key)
		if skipped != nil && !now.equal(skipped) && worse(now, skipped, at) == "" {
			return true
		}
	}
	return false
}

// logWorse logs that a requested reload has put a worse certificate in use.
func (g *Gateway) logWorse(previous, next *Plan) {
	for _, one := range previous.files.own {
		replaced := next.files.ownAt(one.key)
		if replaced == nil {
			continue
		}
		if why := worse(one, replaced, time.Now()); why != "" {
			g.log.Error("the reload was requested, and has replaced a certificate that clients accept by one that they refuse", "error", next.Config.MistakeAt(one.key, why))
		}
	}
}
