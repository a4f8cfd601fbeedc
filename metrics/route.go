package metrics

// routeFamilies are the counters of a route.
var routeFamilies = [...]family{
	{"route_requests_total", "Requests of a route, by their fate; the route other has those that no route matches.",
		[]string{"fate"}, valuesOf(NumFates)},
}

// Route is the handle for one route of the configuration. Realms that no route
// matches have no label of their own: they are counted under the route "other".
type Route struct {
	counters counters // static after construction
}

// OtherRoute is the label for requests that no route matches.
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
	r := &Route{counters: m.ofRoutes.create(name)}
	m.routes[name] = r
	return r
}

// Count counts the fate of one request that the route matched: one atomic add.
func (r *Route) Count(f Fate) { r.counters[0][f].Inc() }
