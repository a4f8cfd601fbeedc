package sessions

import (
	"sync/atomic"

	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// Shared is what the listeners of a gateway share: the state of their clients, and what all
// of them together may use.
type Shared struct {
	// static after construction
	metrics *metrics.Metrics
	// CPU holds a value for each handshake that computes now. The others wait.
	CPU chan struct{}

	// Opened is the number of sessions so far, which numbers them.
	Opened atomic.Uint64

	mu     locks.Mutex[locks.ClientStates] // guards what follows
	states map[string]*State               // by the client's name
}

// NewShared returns the shared state of listeners. At most a number of handshakes compute at the
// same time.
func NewShared(m *metrics.Metrics, computing int) *Shared {
	return &Shared{metrics: m, CPU: make(chan struct{}, max(1, computing)), states: map[string]*State{}}
}

// State is the state of a client.
type State struct {
	Metrics *metrics.Client // static after construction
	Sheds   logs.Limiter    // of the line that says packets are dropped

	open    atomic.Int64
	limiter atomic.Pointer[RateLimiter]
}

// Of returns the state of the client with a name.
func (s *Shared) Of(name string) *State {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.states[name]
	if st == nil {
		st = &State{Metrics: s.metrics.Client(name)}
		s.states[name] = st
	}
	return st
}

// Remove removes the states of clients that are not configured and have no connections. It
// returns the names of those that still have some, whose metrics are still in use. It must
// not be called between Of and when the client counts as configured.
func (s *Shared) Remove(configured func(name string) bool) (open []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, st := range s.states {
		switch {
		case configured(name):
		case st.Open() > 0:
			open = append(open, name)
		default:
			delete(s.states, name)
		}
	}
	return open
}

// Open returns how many connections the client has.
func (s *State) Open() int { return int(s.open.Load()) }

// Enter counts a new connection, unless the client has limit already; 0: no limit. It returns
// how many the client has had before.
func (s *State) Enter(limit int) (before int, ok bool) {
	for {
		n := s.open.Load()
		if limit > 0 && n >= int64(limit) {
			return int(n), false
		}
		if s.open.CompareAndSwap(n, n+1) {
			return int(n), true
		}
	}
}

// Leave counts the end of a connection.
func (s *State) Leave() { s.open.Add(-1) }

// SetRate limits the packets and octets a second of all connections together; 0: no limit.
func (s *State) SetRate(packets, octets int) { s.limiter.Store(newRateLimiter(packets, octets)) }

// Limiter returns what limits the client's rate; nil: nothing does.
func (s *State) Limiter() *RateLimiter { return s.limiter.Load() }
