package metrics

import (
	"time"

	"radsec-gw/wire"
)

// routeCounter is one of the counters of a route: an index into routeFamilies.
type routeCounter int

// The counters of a route.
const (
	routeRequests routeCounter = iota
	routeAnswers

	numRouteCounters // how many there are
)

// routeFamilies are the counters of a route.
var routeFamilies = [numRouteCounters]family{
	routeRequests: {"route_requests_total", "Requests of a route, by their fate; the route other has those that no route matches.",
		[]string{"fate"}, valuesOf(NumFates)},
	routeAnswers: {"route_answers_total", "Answers to the requests of a route that were passed to a RadSec client's connection, by their Code.",
		[]string{"code"}, valuesOf(NumAnswers)},
}

// Route is the handle for one route of the configuration. Realms that no route
// matches have no label of their own: they are counted under the route "other".
type Route struct {
	owner // static after construction; its counters by routeCounter
}

// OtherRoute is the label for requests that no route matches.
const OtherRoute = other

// Route returns the handle for the route of this name, which comes from the
// configuration (its realms, say) and is not OtherRoute. KeepRoutes removes it.
func (m *Metrics) Route(name string) *Route {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.routes[name]; r != nil {
		return r
	}
	r := &Route{owner: m.ofRoutes.create(time.Now(), name)}
	m.routes[name] = r
	return r
}

// Count counts the fate of one request that the route matched: one atomic add.
func (r *Route) Count(f Fate) { r.counters[routeRequests][f].n.Add(1) }

// CountAnswer counts one answer to a request that the route matched, by its Code.
func (r *Route) CountAnswer(code wire.Code) { r.counters[routeAnswers][AnswerOf(code)].n.Add(1) }

// RouteState says whether the requests of a route can be served.
type RouteState struct {
	Name  string // as in Route, or another that is unique
	Ready bool
}

// maxRouteStates bounds the routes that have a series of their readiness if there are
// more: those that are not ready have one.
const maxRouteStates = 100

// Routes sets the function that returns the state of each route. It is called at each
// scrape, and must not call methods of m that change anything.
func (m *Metrics) Routes(states func() []RouteState) { m.routeStates.Store(&states) }

// exposeRoutes exposes how many routes there are, and the state of each.
func (m *Metrics) exposeRoutes(a *arena, emit emitter) error {
	get := m.routeStates.Load()
	if get == nil {
		return nil
	}
	states := (*get)()
	ready := 0
	for _, s := range states {
		if s.Ready {
			ready++
		}
	}
	a.begin("route_ready", "Whether a route has a usable server for each of its kinds of packets. Of more than 100 routes only those have a series that are not ready, and 100 of these.", gaugeType)
	shown := 0
	for _, s := range states {
		if shown == maxRouteStates || s.Ready && len(states) > maxRouteStates {
			continue
		}
		shown++
		a.gauge(oneIf(s.Ready), labelPairs([]string{"route"}, []string{s.Name}))
	}
	if err := emit(a.end()); err != nil {
		return err
	}
	a.begin("routes", "Routes, by whether they are ready.", gaugeType)
	a.gauge(float64(ready), labelPairs([]string{"ready"}, []string{"yes"}))
	a.gauge(float64(len(states)-ready), labelPairs([]string{"ready"}, []string{"no"}))
	return emit(a.end())
}
