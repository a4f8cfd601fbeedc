package tlsfront

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Server accepts RadSec connections.
type Server struct {
	// static after construction
	cfg     Config
	began   time.Time     // when New made it
	tls     *tls.Config   // holds the session tickets' keys; each handshake goes by the policy's own
	slots   chan struct{} // one for each handshake in progress, and one for each listener in Accept
	buffers sync.Pool     // of *buffers
	parts   sync.Pool     // of *[wire.MaxLength]byte
	gathers sync.Pool     // of *[]byte
	wg      sync.WaitGroup

	now   atomic.Pointer[policy] // replaced as a whole by Update
	open  atomic.Int64           // connections, handshakes included
	lines lines

	listeners listeners

	updating sync.Mutex // held by Update, before mu

	mu       sync.Mutex // guards what follows
	stopping bool
	draining bool
	sources  map[netip.Addr]int // connections of each source, handshakes included
	shaking  map[netip.Addr]int // of these, the unfinished handshakes
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
		began:    time.Now(),
		lines:    newLines(cfg.Log),
		slots:    make(chan struct{}, cfg.MaxHandshakes),
		sessions: map[*Session]struct{}{},
		states:   map[string]*clientState{},
		sources:  map[netip.Addr]int{},
		shaking:  map[netip.Addr]int{},
	}
	s.listeners.open = slices.Clone(cfg.Listeners)
	s.tls = s.baseConfig()
	s.buffers.New = func() any { return new(buffers) }
	s.parts.New = func() any { return new([wire.MaxLength]byte) }
	s.gathers.New = func() any { b := make([]byte, 0, 4<<10); return &b }
	if err := s.Update(cfg); err != nil {
		return nil, err
	}
	return s, nil
}

// Serve accepts connections until ctx is done, then closes the listeners and
// the connections. It returns nil after every goroutine that it started has
// ended, within two seconds or so. It is called once.
func (s *Server) Serve(ctx context.Context) error {
	switch s.now.Load().cfg.ClientAuth {
	case OptionalCertificate:
		s.cfg.Log.Warn("clients may connect without a certificate: client_auth is \"optional\"; only their source address names them then")
	case NoCertificate:
		s.cfg.Log.Warn("clients are not asked for a certificate: client_auth is \"none\"; only their source address names them")
	}
	s.startListeners(ctx)
	s.wg.Go(func() { s.watch(ctx) })
	<-ctx.Done()
	s.stop()
	s.wg.Wait()
	return nil
}

// stop ends accepting first, then every session.
func (s *Server) stop() {
	s.stopListeners()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for session := range s.sessions {
		session.end(metrics.ClosedShutdown, "the gateway stops")
	}
}

// accept takes connections from l. It takes the handshake's slot first: while
// all are taken, connections wait in the kernel's backlog (RFC 6614bis §7.4).
func (s *Server) accept(ctx context.Context, l net.Listener) {
	const longestPause = time.Second
	pause := 5 * time.Millisecond
	for {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		c, err := l.Accept()
		if err == nil {
			pause = 5 * time.Millisecond
			s.admit(ctx, c)
			continue
		}
		<-s.slots
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		// Out of file descriptors, or the peer is gone already: it passes.
		s.sayCannotAccept(l.Addr().String(), err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		pause = min(2*pause, longestPause)
	}
}

// admit checks what can be checked before the handshake, and starts it. It
// owns the slot.
func (s *Server) admit(ctx context.Context, c net.Conn) {
	remote := addrPort(c.RemoteAddr())
	cfg := &s.now.Load().cfg
	if n := s.open.Add(1); n > int64(cfg.MaxConnections) {
		s.turnAway(c, remote, metrics.HandshakeTooMany, fmt.Sprintf("%d connections are open, which is the limit", n-1))
		return
	}
	if cfg.proxied(remote.Addr()) {
		s.wg.Go(func() { s.introduce(ctx, c, remote) })
		return
	}
	if result, text := s.enter(remote.Addr()); result != metrics.HandshakeOK {
		s.turnAway(c, remote, result, text)
		return
	}
	deadline := time.Now().Add(cfg.HandshakeTimeout)
	s.wg.Go(func() { s.handshake(ctx, c, remote, nil, deadline) })
}

// introduce reads from a load balancer whose connection this is, within the
// time of the handshake, and goes on with it. It owns the slot.
func (s *Server) introduce(ctx context.Context, c net.Conn, balancer netip.AddrPort) {
	deadline := time.Now().Add(s.now.Load().cfg.HandshakeTimeout)
	c.SetDeadline(deadline)
	done := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	remote, ahead, err := readProxyHeader(c)
	done()
	switch {
	case errors.Is(err, errOnlyLooked):
		s.dismiss(c, balancer, metrics.HandshakePeerClosed, err.Error())
		return
	case err != nil:
		s.turnAway(c, balancer, metrics.HandshakeBadProxyHeader, err.Error())
		return
	}
	if result, text := s.enter(remote.Addr()); result != metrics.HandshakeOK {
		refuse := s.turnAway
		if remote.Addr() == balancer.Addr() { // LOCAL or UNKNOWN: the load balancer's own check of the port
			refuse = s.dismiss
		}
		refuse(c, remote, result, text)
		return
	}
	s.handshake(ctx, c, remote, ahead, deadline)
}

// turnAway closes a connection before its handshake.
func (s *Server) turnAway(c net.Conn, remote netip.AddrPort, result metrics.Handshake, text string) {
	s.sayRefused(remote, result, text)
	s.drop(c, result)
}

// dismiss closes a connection that is the health check of a load balancer: it
// is counted, but logged at debug only.
func (s *Server) dismiss(c net.Conn, remote netip.AddrPort, result metrics.Handshake, text string) {
	s.say(remote, slog.LevelDebug, "RadSec connection refused", "peer", remote, "result", result, "error", text)
	s.drop(c, result)
}

// drop closes and counts a connection before its handshake.
func (s *Server) drop(c net.Conn, result metrics.Handshake) {
	c.Close()
	s.open.Add(-1)
	<-s.slots
	s.cfg.Metrics.TLS().CountHandshake(result)
}

// enter counts a connection of source, unless no client may come from there or
// too many have. What it counts, exit takes back.
func (s *Server) enter(source netip.Addr) (metrics.Handshake, string) {
	p := s.now.Load()
	if !p.clients.lists(source) {
		return metrics.HandshakeUnknownNetwork, "no client lists this source address: " + p.clients.explain(&peer{source: source})
	}
	of := sourceOf(source)
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.sources[of]; p.cfg.MaxPerSource > 0 && n >= p.cfg.MaxPerSource {
		return metrics.HandshakeTooMany, fmt.Sprintf("%v has %d connections, which is the limit for one source", of, n)
	}
	// One source that begins handshakes and does not end them must leave slots to
	// the others (RFC 6614bis §7.4).
	if slots := cap(s.slots); slots >= 8 && len(s.slots) > slots*3/4 && s.shaking[of] >= slots/2 {
		return metrics.HandshakeTooMany, fmt.Sprintf("%v has %d unfinished handshakes, half of all that may be, and few are left", of, s.shaking[of])
	}
	s.sources[of]++
	s.shaking[of]++
	return metrics.HandshakeOK, ""
}

// shaken notes that a handshake from source is over, one way or the other.
func (s *Server) shaken(source netip.Addr) {
	of := sourceOf(source)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shaking[of]--; s.shaking[of] <= 0 {
		delete(s.shaking, of)
	}
}

// exit is the end of what enter began.
func (s *Server) exit(source netip.Addr) {
	of := sourceOf(source)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sources[of]--; s.sources[of] <= 0 {
		delete(s.sources, of)
	}
	s.open.Add(-1)
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
func (s *Server) register(session *Session, who *peer, cs *tls.ConnectionState) *verdict {
	for {
		p := s.now.Load()
		c, until, v := p.assess(who, cs, time.Now())
		if v != nil {
			return v
		}
		session.state, session.until = c.state, until
		session.client.Store(c.config)
		v, again := s.enlist(session, p)
		if !again {
			return v
		}
	}
}

// enlist makes the session known if p is still in force.
func (s *Server) enlist(session *Session, p *policy) (v *verdict, again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := session.Client()
	switch {
	case s.now.Load() != p:
		return nil, true
	case s.stopping, s.draining:
		return &verdict{handshake: metrics.HandshakeShutdown, text: "the gateway stops"}, false
	case c.MaxConnections > 0 && session.state.open >= c.MaxConnections:
		return &verdict{handshake: metrics.HandshakeTooMany,
			text: fmt.Sprintf("client %s has %d connections, which is its limit", c.Name, session.state.open)}, false
	}
	session.state.open++
	session.state.metrics.Connected()
	s.sessions[session] = struct{}{}
	return nil, false
}

// forget is the end of what register began.
func (s *Server) forget(session *Session, r metrics.Reason) {
	s.mu.Lock()
	delete(s.sessions, session)
	session.state.open--
	session.state.metrics.Disconnected(r)
	s.mu.Unlock()
	s.cfg.Metrics.Ended(session.shown)
	s.exit(session.remote.Addr())
}

func (s *Server) state(name string) *clientState {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.states[name]
	if st == nil {
		st = &clientState{metrics: s.cfg.Metrics.Client(name)}
		s.states[name] = st
	}
	return st
}

// ForgetClients lets go of the clients that are configured no more, once they have
// no connection, and returns the names of the others. A client of a name that was
// let go begins anew, in the metrics, too. Until then the name's metrics are needed.
func (s *Server) ForgetClients() (open []string) {
	s.updating.Lock() // a policy in the making has looked its clients' states up
	defer s.updating.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	configured := map[*clientState]bool{}
	for _, c := range s.now.Load().clients {
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
