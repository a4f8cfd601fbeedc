package gateway

import (
	"fmt"
	"slices"
	"strings"

	"radsec-gw/config"
	"radsec-gw/metrics"
)

// maxRouteLabels is how many routes may have series of their own: each has one for every
// fate, so that thousands of routes would overload the scraper.
const maxRouteLabels = 100

// routeLabels returns the metric labels of the routes, in their order: their realms and
// operators, where the empty realm is "(none)". A label that an earlier route has, or that
// requests without a route have, is followed by the route's number, from 1. There are no
// labels if there are too many routes.
func routeLabels(routes []config.Route) []string {
	if len(routes) > maxRouteLabels {
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
