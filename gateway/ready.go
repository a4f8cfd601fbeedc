package gateway

import (
	"fmt"
	"slices"
	"time"

	"radsec-gw/identity"
)

// notServing says why new connections are not accepted, or why every client refuses the
// gateway. It returns "" if neither is the case.
func (g *Gateway) notServing() string {
	if g.Draining() {
		return "draining: the gateway is about to stop"
	}
	if stale, all := g.staleLists(); all {
		if awaited := g.awaitedIssuers(); len(awaited) > 0 {
			return fmt.Sprintf("crl_stale is \"refuse\", and the revocation lists of these issuers have not been fetched yet; no client can be accepted: %s", identity.Few(awaited))
		}
		stale = slices.DeleteFunc(stale, func(l identity.StaleList) bool { return !l.Refused })
		return fmt.Sprintf("crl_stale is \"refuse\", and the revocation lists of these issuers are out of date; no client can be accepted: %s", identity.Few(stale))
	}
	return g.current.Load().files.refusedEverywhere(time.Now())
}
