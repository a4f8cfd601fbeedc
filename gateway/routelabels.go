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
		label := realmsLabel(&routes[i])
		for taken[label] {
			label += fmt.Sprintf(" #%d", i+1)
		}
		taken[label] = true
		labels = append(labels, label)
	}
	return labels
}

// maxRouteLabel is how long a label may be, in bytes, before the number. A route may have
// thousands of realms.
const maxRouteLabel = 120

// realmsLabel returns the realms and operators of a route as a label.
func realmsLabel(r *config.Route) string {
	var label strings.Builder
	for i, realm := range slices.Concat(r.Realms, r.Operators) {
		if realm == "" {
			realm = "(none)"
		}
		if i > 0 {
			label.WriteByte(' ')
		}
		if label.Len()+len(realm) > maxRouteLabel {
			if i == 0 {
				label.WriteString(strings.ToValidUTF8(realm[:maxRouteLabel], ""))
			}
			label.WriteString("…")
			break
		}
		label.WriteString(realm)
	}
	return label.String()
}

// numberedLabel returns the label of a route among too many for routeLabels: it always has
// the route's number, and is unique.
func numberedLabel(r *config.Route, i int) string { return fmt.Sprintf("%s #%d", realmsLabel(r), i+1) }
