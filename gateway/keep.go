package gateway

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
)

// worse says why clients probably refuse the certificate of next although they accept that
// of current, or returns "" if that is not so. A certificate is never worse than itself.
func worse(current, next *material, at time.Time) string {
	if current.refused(at) != "" || slices.EqualFunc(current.pair.Certificate, next.pair.Certificate, bytes.Equal) {
		return ""
	}
	altered := ""
	if current.pair.Leaf != nil && next.pair.Leaf != nil && identity.Altered(next.pair.Leaf, current.pair.Leaf) {
		altered = "the certificate has the serial number and the key of the current one but differs from it: one of the two is damaged"
	}
	return cmp.Or(next.refused(at), next.damage, altered)
}

// keptError says why the current certificate was kept although the other files were put in
// use.
type keptError struct{ config.Mistakes }

// Unwrap returns the mistakes, for errors.As.
func (e keptError) Unwrap() error { return e.Mistakes }

// keepBetter replaces the certificate of m by the current one if that of m is worse. It is
// called for files that were read because they have changed, not because a reload was
// requested. If it has replaced the certificate, it returns a copy of the original m, and an
// error that says why and what to do about it.
func (g *Gateway) keepBetter(current *generation, m *material, at time.Time) (skipped *material, err error) {
	why := worse(current.files, m, at)
	if why == "" {
		return nil, nil
	}
	original := *m
	m.pair, m.damage = current.files.pair, current.files.damage
	return &original, keptError{config.Mistakes{current.Config.MistakeAt("listen.certificate", why+": the current certificate, which clients accept, stays in use; everything else that has changed is in use now; to use the new certificate anyway, request a reload (SIGHUP)")}}
}

// setSkipped records which material is not in use because its certificate is worse; nil for
// none. Called with turn held.
func (g *Gateway) setSkipped(m *material) {
	g.skipped = m
	g.metrics.SetNewRefused(m != nil)
}

// skippedIsGood reports whether the certificate that was skipped is no longer worse than
// the current one.
func (g *Gateway) skippedIsGood(current *generation, at time.Time) bool {
	return g.skipped != nil && worse(current.files, g.skipped, at) == ""
}

// logWorse logs that a requested reload has put a worse certificate in use.
func (g *Gateway) logWorse(previous, next *Plan) {
	if why := worse(previous.files, next.files, time.Now()); why != "" {
		g.log.Error("the reload was requested, and has replaced a certificate that clients accept by one that they refuse", "error", why)
	}
}
