package web

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// healthz answers 200 while the process runs.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "ok\n")
}

// Readiness is what /readyz answers, as JSON.
type Readiness struct {
	Ready   bool     `json:"ready"`
	Reasons []string `json:"reasons,omitempty"` // why it is not ready; only for callers with the token
}

// readyz answers 200 if new connections and requests can be served: the gateway listens and
// is not draining, and each route has a server that may be used for each of its kinds.
// Otherwise it answers 503.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	answer := s.readiness()
	if !s.authorized(r) {
		answer.Reasons = nil
	}
	w.Header().Set("Content-Type", "application/json")
	if !answer.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	json.NewEncoder(w).Encode(answer) // what fails here is the caller's connection
}

func (s *Server) readiness() Readiness {
	var reasons []string
	if s.cfg.NotServing != nil {
		if why := s.cfg.NotServing(); why != "" {
			reasons = append(reasons, why)
		}
	}
	states := bestStates(s.cfg.Metrics.Servers())
	for _, route := range s.cfg.Routes() {
		for _, port := range route.ports() {
			if !usable(states, route.Servers, port) {
				reasons = append(reasons, fmt.Sprintf("route %s: no server is up for %s%s", strings.Join(route.names(), ", "), port, inMaintenance(states, route.Servers, port)))
			}
		}
	}
	return Readiness{Ready: len(reasons) == 0, Reasons: reasons}
}

// endpoint is one port of a server.
type endpoint struct {
	server string
	port   metrics.Port
}

// bestStates returns the state of each port of each configured server. If each address of a
// server counts separately, it is the best of their states: the server's own ports are not
// used then.
func bestStates(counts []metrics.ServerCounts) map[endpoint]metrics.State {
	states := map[endpoint]metrics.State{}
	for key, list := range byEndpoint(counts) {
		best := list[0].State
		for _, c := range list[1:] {
			best = min(best, c.State)
		}
		states[key] = best
	}
	return states
}

// byEndpoint groups the counts by port and configured server. Each group has one entry, or
// one for each address of the server if these count separately.
func byEndpoint(counts []metrics.ServerCounts) map[endpoint][]*metrics.ServerCounts {
	grouped := map[endpoint][]*metrics.ServerCounts{}
	for i := range counts {
		c := &counts[i]
		server := metrics.ServerOf(c.Name)
		key := endpoint{server, c.Port}
		switch list := grouped[key]; {
		case len(list) == 0:
			grouped[key] = []*metrics.ServerCounts{c}
		case c.Name == server: // its addresses are there already
		case list[0].Name == server:
			grouped[key] = []*metrics.ServerCounts{c}
		default:
			grouped[key] = append(list, c)
		}
	}
	return grouped
}

// inMaintenance names, for a reason, the servers that are in maintenance at the port; "" if
// none is.
func inMaintenance(states map[endpoint]metrics.State, servers []string, port metrics.Port) string {
	var list []string
	for _, name := range servers {
		if states[endpoint{name, port}] == metrics.StateMaintenance {
			list = append(list, name)
		}
	}
	if list == nil {
		return ""
	}
	return "; in maintenance: " + strings.Join(list, ", ")
}

// usable reports whether any of the servers is neither down at the port nor in
// maintenance; a suspect or failing one still gets requests when no other is up.
func usable(states map[endpoint]metrics.State, servers []string, port metrics.Port) bool {
	for _, name := range servers {
		if state, known := states[endpoint{name, port}]; known && state < metrics.StateDown {
			return true
		}
	}
	return false
}

// ports returns the ports that the route's kinds go to, each once.
func (r *Route) ports() (list []metrics.Port) {
	for _, port := range metrics.Ports {
		if slices.ContainsFunc(r.Packets, func(packet string) bool {
			kind, _ := wire.ParseKind(packet)
			return metrics.PortOf(kind) == port
		}) {
			list = append(list, port)
		}
	}
	return list
}

// names returns the realms as they are displayed.
func (r *Route) names() []string {
	var list []string
	for _, realm := range r.Realms {
		switch realm {
		case "":
			realm = "(no realm)"
		case "*":
			realm = "* (default)"
		}
		list = append(list, realm)
	}
	return list
}
