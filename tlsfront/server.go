package tlsfront

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/identity"
	"radsec-gw/locks"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Server accepts RadSec connections.
type Server struct {
	// static after construction
	cfg        Config
	started    time.Time   // when New returned it
	tls        *tls.Config // has the session ticket keys; the policy has the configuration of each handshake
	admission  *admission
	cpu        chan struct{} // holds a value for each handshake that computes now
	readBufs   sync.Pool     // of *buffers
	packetBufs sync.Pool     // of *[wire.MaxLength]byte
	recordBufs sync.Pool     // of *[]byte
	limited    limitedLogs
	wg         sync.WaitGroup // counts all goroutines

	listeners listeners     // guarded by its own mu
	opened    atomic.Uint64 // sessions so far

	updateMu locks.Mutex[locks.Updating] // held by Update
	policy   atomic.Pointer[policy]      // replaced by Update

	mu       locks.Mutex[locks.Sessions] // guards what follows
	stopping bool
	draining bool
	sessions map[*Session]struct{}
	states   map[string]*clientState // by the client's name; see RemoveClients
}

// New checks cfg and returns a server.
func New(cfg Config) (*Server, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("tlsfront: %w", err)
	}
	s := &Server{
		cfg:      cfg,
		started:  time.Now(),
		limited:  newLimitedLogs(cfg.Log),
		sessions: map[*Session]struct{}{},
		states:   map[string]*clientState{},

		admission: newAdmission(cfg.MaxHandshakes, cfg.Metrics.TLS()),
		cpu:       make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
	s.listeners.open = slices.Clone(cfg.Listeners)
	s.tls = s.baseConfig()
	s.readBufs.New = func() any { return new(buffers) }
	s.packetBufs.New = func() any { return new([wire.MaxLength]byte) }
	s.recordBufs.New = func() any { b := make([]byte, 0, 4<<10); return &b }
	if err := s.Update(cfg); err != nil {
		return nil, err
	}
	return s, nil
}

// Serve accepts connections until ctx is done, then closes the listeners and the
// connections. It returns nil after every goroutine that it started has ended, within
// about two seconds. It must be called once only.
func (s *Server) Serve(ctx context.Context) error {
	switch s.policy.Load().cfg.ClientAuth {
	case identity.OptionalCertificate:
		s.cfg.Log.Warn("clients may connect without a certificate: client_auth is \"optional\"; they are then identified by their source address only")
	case identity.NoCertificate:
		s.cfg.Log.Warn("certificates of clients are not requested: client_auth is \"none\"; clients are identified by their source address only")
	}
	s.startListeners(ctx)
	s.wg.Go(func() { s.runChecks(ctx) })
	<-ctx.Done()
	s.stop()
	s.wg.Wait()
	return nil
}

// stop stops accepting connections, then terminates every session.
func (s *Server) stop() {
	s.stopListeners()
	s.admission.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for session := range s.sessions {
		session.terminate(metrics.ClosedShutdown, "the gateway stops")
	}
}

// sourceOf returns the source that an address belongs to: an IPv4 address, or an IPv6 /64,
// because a host may use any address of its link (RFC 4291 §2.5.1).
func sourceOf(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// register identifies the session's client and adds the session to the server. It returns
// a refusal if its certificate is not acceptable, no client matches, the server stops, or
// the client has its maximum of connections. If the policy changes meanwhile it starts
// again, so that either Update sees the session, or the session the new policy.
func (s *Server) register(session *Session, who *identity.Peer, cs *tls.ConnectionState) *refusal {
	for {
		p := s.policy.Load()
		c, until, r := p.assess(who, cs, time.Now())
		if r != nil {
			return r
		}
		session.state, session.until = c.state, until
		session.client.Store(c.config)
		r, again := s.tryRegister(session, p)
		if !again {
			return r
		}
	}
}

// tryRegister adds the session to the server if p is still the current policy.
func (s *Server) tryRegister(session *Session, p *policy) (r *refusal, again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := session.Client()
	switch {
	case s.policy.Load() != p:
		return nil, true
	case s.stopping, s.draining:
		return refusef(metrics.HandshakeShutdown, "the gateway stops"), false
	case c.MaxConnections > 0 && session.state.open >= c.MaxConnections:
		return refusef(metrics.HandshakeTooMany, "client %s has %d connections, which is its limit (max_connections)", c.Name, session.state.open), false
	}
	session.state.open++
	session.state.metrics.Connected()
	s.sessions[session] = struct{}{}
	return nil, false
}

// unregister removes a session that was registered.
func (s *Server) unregister(session *Session, r metrics.Reason) {
	s.mu.Lock()
	delete(s.sessions, session)
	session.state.open--
	session.state.metrics.Disconnected(r)
	s.mu.Unlock()
	s.cfg.Metrics.Ended(session.info)
	s.admission.connectionClosed(sourceOf(session.remote.Addr()))
}

func (s *Server) clientState(name string) *clientState {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.states[name]
	if st == nil {
		st = &clientState{metrics: s.cfg.Metrics.Client(name)}
		s.states[name] = st
	}
	return st
}

// RemoveClients removes the state of clients that are no longer configured and have no
// connections. It returns the names of those that still have connections, whose metrics
// are still in use.
func (s *Server) RemoveClients() (open []string) {
	s.updateMu.Lock() // an Update in progress uses the states of its clients
	defer s.updateMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	configured := map[*clientState]bool{}
	for _, c := range s.policy.Load().clients {
		configured[c.state] = true
	}
	for name, st := range s.states {
		switch {
		case configured[st]:
		case st.open > 0:
			open = append(open, name)
		default:
			delete(s.states, name)
		}
	}
	return open
}

// addrPort returns a's address without a zone, and not as an IPv4-mapped IPv6 address; the
// zero AddrPort if a is not a TCP address.
func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}
