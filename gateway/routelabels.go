package gateway

import (
	"fmt"
	"slices"
	"strings"

	"radsec-gw/config"
	"radsec-gw/metrics"
)

// routesCounted is how many routes have series of their own: each has one for
// every fate, so that thousands of routes would swamp whoever scrapes them.
const routesCounted = 100

// routeLabels returns what the routes are called in metrics, in their order: by
// their realms and operators, no realm being "(none)". A name that is taken, by an earlier route
// or for requests that no route takes, gets the route's number, from 1. There are
// none when there are too many routes.
func routeLabels(routes []config.Route) []string {
	if len(routes) > routesCounted {
		return nil
	}
	taken := map[string]bool{metrics.OtherRoute: true}
	var labels []string
	for i := range routes {
		realms := slices.Concat(routes[i].Realms, routes[i].Operators)
		for j, realm := range realms {
			if realm == "" {
				realms[j] = "(none)"
			}
		}
		label := strings.Join(realms, " ")
		for taken[label] {
			label += fmt.Sprintf(" #%d", i+1)
		}
		taken[label] = true
		labels = append(labels, label)
	}
	return labels
}
