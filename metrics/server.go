package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type serverKey struct{ name, port string }

// Server is the handle for one port of one UDP server. Its methods may be
// called from any goroutine, allocate nothing and take no lock.
type Server struct {
	// static after construction
	sent, resent, timeouts, socketErrors, moved prometheus.Counter
	answeredAfterMove, renewals                 prometheus.Counter
	answered, unanswered                        prometheus.Counter // probes
	replies                                     [NumResults]prometheus.Counter
	own                                         own // what is registered for it

	outstanding level
	sockets     level
	state       atomic.Uint32 // a State
	address     atomic.Pointer[string]
	replyTime   *histogram
}

// Server returns the handle for one port of the server of this configured
// name, and makes all its series at zero the first time. port is "auth",
// "acct" or "coa". The same pair gives the same handle until KeepServers removes
// it, so counts go on over a reload.
func (m *Metrics) Server(name, port string) *Server {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := serverKey{name, port}
	if s := m.servers[key]; s != nil {
		return s
	}
	labels := prometheus.Labels{"server": name, "port": port}
	s := &Server{
		sent:              m.sent.WithLabelValues(name, port),
		resent:            m.resent.WithLabelValues(name, port),
		timeouts:          m.timeouts.WithLabelValues(name, port),
		socketErrors:      m.socketErrors.WithLabelValues(name, port),
		moved:             m.moved.WithLabelValues(name, port),
		answeredAfterMove: m.answeredAfterMove.WithLabelValues(name, port),
		renewals:          m.renewals.WithLabelValues(name, port),
		answered:          m.probes.WithLabelValues(name, port, "answered"),
		unanswered:        m.probes.WithLabelValues(name, port, "unanswered"),
		replyTime: newHistogram("server_reply_seconds",
			"Time from the first transmission of a request to its accepted reply.", labels),
	}
	for r := range s.replies {
		s.replies[r] = m.replies.WithLabelValues(name, port, Result(r).String())
	}
	s.own.register(m.reg, s.outstanding.gauge("server_outstanding_requests",
		"Requests that wait for a UDP server's reply now.", labels))
	s.own.register(m.reg, s.sockets.gauge("server_open_sockets",
		"Sockets open to a UDP server, each good for 256 outstanding requests.", labels))
	s.registerState(m.reg, labels)
	s.own.register(m.reg, s.replyTime)
	m.servers[key] = s
	return s
}

// CountReply counts one datagram from the server.
func (s *Server) CountReply(r Result) { s.replies[r].Inc() }

// Sent counts n requests sent for the first time.
func (s *Server) Sent(n int) { s.sent.Add(float64(n)) }

// Resent counts n retransmissions.
func (s *Server) Resent(n int) { s.resent.Add(float64(n)) }

// Timeout counts n exchanges that stayed unanswered to the end of their schedule.
func (s *Server) Timeout(n int) { s.timeouts.Add(float64(n)) }

// SocketError counts n failed system calls on the server's sockets.
func (s *Server) SocketError(n int) { s.socketErrors.Add(float64(n)) }

// Moved counts n requests that moved on to another server.
func (s *Server) Moved(n int) { s.moved.Add(float64(n)) }

// AnsweredAfterMove counts an answer to a request that had gone to another server as
// well, and which this one's ended.
func (s *Server) AnsweredAfterMove() { s.answeredAfterMove.Inc() }

// Renewed counts a renewal of the sockets.
func (s *Server) Renewed() { s.renewals.Inc() }

// SetAddress says where the server's port is reached now, for the status page. Unlike
// the counts, it allocates.
func (s *Server) SetAddress(a string) { s.address.Store(&a) }

// Address is what SetAddress said last.
func (s *Server) Address() string {
	if a := s.address.Load(); a != nil {
		return *a
	}
	return ""
}

// Probe counts one health probe by its end.
func (s *Server) Probe(answered bool) {
	if answered {
		s.answered.Inc()
	} else {
		s.unanswered.Inc()
	}
}

// AddOutstanding adds n (negative when exchanges end) to the requests that wait.
func (s *Server) AddOutstanding(n int) { s.outstanding.n.Add(int64(n)) }

// AddSockets adds n (negative when sockets close) to the sockets open.
func (s *Server) AddSockets(n int) { s.sockets.n.Add(int64(n)) }

// SetState says what the health checks hold the server's port for.
func (s *Server) SetState(to State) { s.state.Store(uint32(to)) }

// SetUp is SetState for those who know only up and down.
func (s *Server) SetUp(up bool) {
	if up {
		s.SetState(StateUp)
	} else {
		s.SetState(StateDown)
	}
}

// State returns what the health checks hold the server's port for.
func (s *Server) State() State { return State(s.state.Load()) }

// registerState makes the state visible: as one series for each state, of which
// one is 1, and as server_up, which is 1 in the state up only.
func (s *Server) registerState(reg prometheus.Registerer, labels prometheus.Labels) {
	is := func(state State) func() float64 {
		return func() float64 {
			if s.State() == state {
				return 1
			}
			return 0
		}
	}
	s.SetState(StateDown) // until the health checks have said otherwise
	s.own.register(reg, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: "server_up",
		Help: "1 while a UDP server is up; 0 while it is suspect, failing or down, which server_state tells apart.", ConstLabels: labels}, is(StateUp)))
	for state := range NumStates {
		s.own.register(reg, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: "server_state",
			Help:        "1 for the state that a UDP server is in: up, suspect (silent, being probed), failing (answers probes and no requests) or down.",
			ConstLabels: prometheus.Labels{"server": labels["server"], "port": labels["port"], "state": state.String()}}, is(state)))
	}
}

// ObserveReply records the time from the first transmission of a request to
// its accepted reply: two atomic adds.
func (s *Server) ObserveReply(d time.Duration) { s.replyTime.observe(d) }
