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
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Server accepts RadSec connections.
type Server struct {
	// static after construction
	cfg        Config
	started    time.Time   // when New made it
	tls        *tls.Config // holds the session tickets' keys; each handshake goes by the policy's own
	admission  *admission
	cpu        chan struct{} // one for each handshake that computes at the moment
	readBufs   sync.Pool     // of *buffers
	packetBufs sync.Pool     // of *[wire.MaxLength]byte
	recordBufs sync.Pool     // of *[]byte
	wg         sync.WaitGroup

	policy  atomic.Pointer[policy] // replaced as a whole by Update
	limited limitedLogs

	listeners listeners

	updateMu sync.Mutex // held by Update, before mu

	mu       sync.Mutex // guards what follows
	stopping bool
	draining bool
	sessions map[*Session]struct{}
	states   map[string]*clientState // by the client's name; see ForgetClients
}

// New checks cfg and makes a server. The errors name what is missing or wrong.
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

// Serve accepts connections until ctx is done, then closes the listeners and
// the connections. It returns nil after every goroutine that it started has
// ended, within two seconds or so. It is called once.
func (s *Server) Serve(ctx context.Context) error {
	switch s.policy.Load().cfg.ClientAuth {
	case identity.OptionalCertificate:
		s.cfg.Log.Warn("clients may connect without a certificate: client_auth is \"optional\"; only their source address names them then")
	case identity.NoCertificate:
		s.cfg.Log.Warn("clients are not asked for a certificate: client_auth is \"none\"; only their source address names them")
	}
	s.startListeners(ctx)
	s.wg.Go(func() { s.runChecks(ctx) })
	<-ctx.Done()
	s.stop()
	s.wg.Wait()
	return nil
}

// stop ends accepting first, then every session.
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

// sourceOf is what counts as one source: an IPv4 address, or the network of one
// IPv6 link, within which a host may take any address (RFC 4291 §2.5.1).
func sourceOf(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// register names the session's client and makes the session known, unless its
// certificate is not good, no client matches, the server stops, or the client has
// its most connections. When the policy changes meanwhile it begins again, so
// that Update sees every session, or the session the new policy.
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

// tryRegister makes the session known if p is still in force.
func (s *Server) tryRegister(session *Session, p *policy) (r *refusal, again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := session.Client()
	switch {
	case s.policy.Load() != p:
		return nil, true
	case s.stopping, s.draining:
		return &refusal{result: metrics.HandshakeShutdown, text: "the gateway stops"}, false
	case c.MaxConnections > 0 && session.state.open >= c.MaxConnections:
		return &refusal{result: metrics.HandshakeTooMany,
			text: fmt.Sprintf("client %s has %d connections, which is its limit (max_connections)", c.Name, session.state.open)}, false
	}
	session.state.open++
	session.state.metrics.Connected()
	s.sessions[session] = struct{}{}
	return nil, false
}

// unregister is the end of what register began.
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

// RemoveClients lets go of the clients that are configured no more, once they have
// no connection, and returns the names of the others. A client of a name that was
// let go begins anew, in the metrics, too. Until then the name's metrics are needed.
func (s *Server) RemoveClients() (open []string) {
	s.updateMu.Lock() // a policy in the making has looked its clients' states up
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

// addrPort returns a's address without zone, IPv4 in its own form; the zero
// AddrPort when a is no TCP address.
func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}
