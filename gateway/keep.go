package gateway

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
)

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
