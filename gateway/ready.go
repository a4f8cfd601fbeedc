package gateway

import (
	"fmt"
	"slices"
	"time"

	"radsec-gw/identity"
)

// whyNotServing says why no more connections are taken, or every client refuses to go
// on with them; "" when they are.
func (g *Gateway) whyNotServing() string {
	if g.Draining() {
		return "draining: the gateway is about to stop"
	}
	if stale, all := g.front.StaleLists(); all {
		stale = slices.DeleteFunc(stale, func(l identity.StaleList) bool { return !l.Refused })
		return fmt.Sprintf("crl_stale is \"refuse\", and the revocation lists of these issuers are out of date; no client can be accepted: %s", identity.Few(stale))
	}
	return g.now.Load().files.refused(time.Now())
}
