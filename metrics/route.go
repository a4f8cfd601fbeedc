package metrics

import "github.com/prometheus/client_golang/prometheus"

// Route is the handle for one route of the configuration. Realms that no route
// takes have no label of their own: they are counted under the route "other".
type Route struct {
	requests [NumFates]prometheus.Counter // static after construction
}

// OtherRoute is the label for requests that no route takes.
const OtherRoute = "other"

// Route returns the handle for the route of this name, which comes from the
// configuration (its realms, say) and is not OtherRoute, and makes all its series
// at zero the first time. KeepRoutes removes them.
func (m *Metrics) Route(name string) *Route {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.routes[name]; r != nil {
		return r
	}
	r := &Route{}
	for f := range r.requests {
		r.requests[f] = m.routeRequests.WithLabelValues(name, Fate(f).String())
	}
	m.routes[name] = r
	return r
}

// Count counts the fate of one request that the route took: one atomic add.
func (r *Route) Count(f Fate) { r.requests[f].Inc() }
