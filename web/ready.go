package web

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/web/status"
	"radsec-gw/wire"
)

// healthz answers 200 while the process runs.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "ok\n")
}

// Readiness is what /readyz answers, as JSON. The texts are for callers with the token.
type Readiness struct {
	Ready    bool     `json:"ready"`
	Reasons  []string `json:"reasons,omitempty"`  // why it is not ready
	Unserved []string `json:"unserved,omitempty"` // what cannot be served although it is ready
}

// readyz answers 200 if the gateway should get connections and requests, otherwise 503.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	variant := withoutReasons
	if s.authorized(r) && s.forThisHost(r) {
		variant = withReasons
	}
	s.readyAnswers.answer(w, r, variant)
}

// Variants of the answer of /readyz.
const (
	withReasons    = "with reasons"
	withoutReasons = "without reasons"
)

// renderReadiness renders a variant of the answer of /readyz.
func (s *Server) renderReadiness(variant string, w http.ResponseWriter) {
	answer := s.readiness()
	if variant == withoutReasons {
		answer.Reasons, answer.Unserved = nil, nil
	}
	w.Header().Set("Content-Type", "application/json")
	if !answer.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	json.NewEncoder(w).Encode(answer) // what fails here is the caller's connection
}

// readiness decides whether the gateway is ready. It must accept connections, and of the
// routes that count at least one must be served for at least one of its kinds; if
// [Settings].AllRoutes is set, each for each of its kinds. A kind that no server of the
// route is checked for, as CoA never is, does not show that the route is served: it counts
// only if that holds for each kind of the route.
//
// Until it was ready once, each port that a route uses must also have answered or be down.
// A server with a wrong secret is assumed to be up until its first checks are lost: a
// gateway that was ready that long would replace those that work in a rolling update.
func (s *Server) readiness() Readiness {
	var answer Readiness
	if s.cfg.NotServing != nil {
		if why := s.cfg.NotServing(); why != "" {
			answer.Reasons = append(answer.Reasons, why)
		}
	}
	ports := s.portStatus()
	var unserved, undecided phrases
	seen := map[endpoint]bool{}
	counted, served := 0, 0
	for _, route := range s.cfg.Routes() {
		if route.Ignored {
			continue
		}
		counted++
		some := false
		for port := range PortsOf(route.Packets) {
			if ports.serves(&route, port) {
				some = some || route.isEvidence(port)
			} else {
				unserved.addf(func() string {
					return "route " + route.title() + ": " + status.UnservedText(string(port), route.Servers, func(server string) status.PortWords { return ports.words(server, port) })
				})
			}
			for _, server := range ports.undecided(&route, port) {
				if seen[endpoint{server, port}] {
					continue
				}
				seen[endpoint{server, port}] = true
				undecided.addf(func() string { return ports.undecidedText(server, port) })
			}
		}
		if some {
			served++
		}
	}
	if !s.wasReady.Load() {
		answer.Reasons = append(answer.Reasons, undecided.list()...)
	}
	if unserved.n > 0 && (s.current.Load().allRoutes || served == 0 && counted > 0) {
		answer.Reasons = append(answer.Reasons, unserved.list()...)
	} else {
		answer.Unserved = unserved.list()
	}
	if answer.Ready = len(answer.Reasons) == 0; answer.Ready && !s.wasReady.Load() {
		s.wasReady.Store(true)
	}
	return answer
}

// RouteStates returns the state of each route, for the metrics.
func (s *Server) RouteStates() []metrics.RouteState {
	ports := s.portStatus()
	routes := s.cfg.Routes()
	states := make([]metrics.RouteState, len(routes))
	for i := range routes {
		r := &routes[i]
		states[i] = metrics.RouteState{Name: r.Label, Ready: ports.serveAll(r)}
	}
	return states
}

// maxPhrases is how many routes or servers an answer names.
const maxPhrases = 20

// phrases are texts of which only some are kept.
type phrases struct {
	texts []string
	n     int // how many there are
}

func (p *phrases) addf(text func() string) {
	p.n++
	if len(p.texts) < maxPhrases {
		p.texts = append(p.texts, text())
	}
}

func (p *phrases) list() []string {
	if p.n > len(p.texts) {
		return append(p.texts, fmt.Sprintf("and %d more", p.n-len(p.texts)))
	}
	return p.texts
}

// endpoint is one port of a server.
type endpoint struct {
	server string
	port   metrics.Port
}

// portStatus has what is known of each port of each configured server. If each address of a
// server counts separately, it is that of these: the server's own ports are not used then.
type portStatus map[endpoint]portState

type portState struct {
	best       metrics.State // of its addresses
	serves     bool          // it answers, as far as is known
	decided    bool          // it has answered, or is down
	unverified bool          // no reply ever verified, and some did not
}

func (s *Server) portStatus() portStatus { return statusOf(s.cfg.Metrics.Servers()) }

func statusOf(counts []metrics.ServerCounts) portStatus {
	all := portStatus{}
	for key, list := range byEndpoint(counts) {
		one := portState{best: list[0].State, decided: true}
		var verified, bad uint64
		for _, c := range list {
			one.best = min(one.best, c.State)
			one.serves = one.serves || c.Proven && getsRequests(c.State)
			one.decided = one.decided && (c.Proven || !getsRequests(c.State))
			verified += c.Answered
			bad += c.Replies[metrics.ReplyBadResponseAuthenticator] + c.Replies[metrics.ReplyBadMessageAuthenticator] +
				c.Replies[metrics.ReplyMissingMessageAuthenticator]
		}
		one.unverified = verified == 0 && bad > 0
		all[key] = one
	}
	return all
}

// getsRequests reports whether a port in a state gets requests when no other is better: also
// one that is suspect or failing does.
func getsRequests(s metrics.State) bool {
	return s == metrics.StateUp || s == metrics.StateSuspect || s == metrics.StateFailing
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

// serves reports whether any of a route's servers answers at the port, as far as is known. One
// that is not checked there counts until requests show that it is silent: a gateway that is not
// ready gets no requests.
func (p portStatus) serves(r *Route, port metrics.Port) bool {
	return slices.ContainsFunc(r.Servers, func(name string) bool { return p[endpoint{name, port}].serves })
}

// checks reports whether a server of the route is checked at the port.
func (r *Route) checks(server string, port metrics.Port) bool {
	return !slices.Contains(r.Unchecked[server], port)
}

// checksAny reports whether any of the route's servers is checked at the port.
func (r *Route) checksAny(port metrics.Port) bool {
	return slices.ContainsFunc(r.Servers, func(name string) bool { return r.checks(name, port) })
}

// isEvidence reports whether the route counts as served when it is served at the port: some
// server is checked there, or none at any port of the route.
func (r *Route) isEvidence(port metrics.Port) bool {
	if r.checksAny(port) {
		return true
	}
	for other := range PortsOf(r.Packets) {
		if r.checksAny(other) {
			return false
		}
	}
	return true
}

// serveAll reports whether some server answers at each port of a route.
func (p portStatus) serveAll(r *Route) bool {
	for port := range PortsOf(r.Packets) {
		if !p.serves(r, port) {
			return false
		}
	}
	return true
}

// undecided lists the servers of a route that have not answered at the port and are not
// down.
func (p portStatus) undecided(r *Route, port metrics.Port) (list []string) {
	for _, name := range r.Servers {
		if one, known := p[endpoint{name, port}]; known && !one.decided {
			list = append(list, name)
		}
	}
	return list
}

// undecidedText says that a port is not decided yet.
func (p portStatus) undecidedText(server string, port metrics.Port) string {
	text := fmt.Sprintf("server %s has not answered for %s yet, and is not down", logs.Clip(server), port)
	if p[endpoint{server, port}].unverified {
		text += status.OnlyUnverified
	}
	return text
}

// words says in which state a port is.
func (p portStatus) words(server string, port metrics.Port) status.PortWords {
	one := p[endpoint{server, port}]
	words := status.PortWords{Name: logs.Clip(server), State: one.best.String(), Unverified: one.unverified}
	if !one.decided {
		words.State = ""
	}
	return words
}

// PortsOf returns the ports that kinds of packets, as the configuration names them, go to:
// each once.
func PortsOf(packets []string) iter.Seq[metrics.Port] {
	return func(yield func(metrics.Port) bool) {
		for _, port := range metrics.Ports {
			if slices.ContainsFunc(packets, func(packet string) bool {
				kind, _ := wire.ParseKind(packet)
				return metrics.PortOf(kind) == port
			}) && !yield(port) {
				return
			}
		}
	}
}

// title names the route in a text.
func (r *Route) title() string {
	var realms []string
	for _, realm := range r.Realms {
		realms = append(realms, status.RealmText(realm))
	}
	return logs.Clip(status.Title(realms))
}
