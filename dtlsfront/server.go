package dtlsfront

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/dtlsfront/handshake"
	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
	"radsec-gw/udpback/datagram"
)

// Server is a DTLS server.
type Server struct {
	// static after construction
	cfg       Config
	started   time.Time
	ctx       context.Context // of handshakes; done when the server stops
	stop      context.CancelCauseFunc
	admission admission
	limits    atomic.Pointer[Limits]
	limited   *logs.Sources
	wg        sync.WaitGroup // counts all goroutines but those of Serve itself
	opened    atomic.Uint64  // sessions so far
	counts    [counts]atomic.Int64
	receiving logs.Limiter
	closable  chan struct{} // receives when a session was terminated
	draining  atomic.Bool   // no more sessions are accepted
	listeners listeners     // guarded by its own mu

	mu       locks.Mutex[locks.DTLSServer] // guards what follows
	stopping bool
	why      string // the sessions end when it stops
	sessions map[*Session]struct{}
	places   int                // those of sessions, and those that are reserved
	sources  map[netip.Addr]int // the same of each source
	ended    []*Session         // terminated, and to be closed
}

// New checks cfg, and this program's DTLS library (see package handshake), and returns a server.
func New(cfg Config) (*Server, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("dtlsfront: %w", err)
	}
	if err := handshake.SelfTest(context.Background()); err != nil {
		return nil, fmt.Errorf("dtlsfront: %w", err)
	}
	s := &Server{cfg: cfg, started: time.Now(), sessions: map[*Session]struct{}{}, sources: map[netip.Addr]int{},
		closable: make(chan struct{}, 1), why: sessions.GatewayStops,
		limited: logs.NewSources(cfg.Log, "RADIUS/DTLS sessions")}
	s.admission.sources = map[netip.Addr]*list.List{}
	s.SetLimits(cfg.Limits)
	s.ctx, s.stop = context.WithCancelCause(context.Background())
	s.listeners.open = slices.Clone(cfg.Listeners)
	for _, l := range cfg.Listeners {
		l.server = s
	}
	return s, nil
}

// SetLimits replaces the limits. Sessions and handshakes that exceed them stay.
func (s *Server) SetLimits(l Limits) {
	l.setDefaults()
	s.limits.Store(&l)
	s.admission.resize(l.MaxHandshakes)
}

// Serve receives until ctx is done, then closes the sessions and the sockets. It returns after
// every goroutine has ended. It must be called once only.
func (s *Server) Serve(ctx context.Context) error {
	s.startListeners()
	s.check(ctx)
	s.draining.Store(true)
	s.stop(errStopping)
	s.closeAll()
	s.closeListeners()
	s.wg.Wait()
	s.closeAll() // those that a handshake led to meanwhile
	return nil
}

// receive handles what arrives on a socket until it is closed.
func (s *Server) receive(l *Listener) {
	for {
		err := l.socket.Receive(l.handle)
		if errors.Is(err, net.ErrClosed) || s.ctx.Err() != nil {
			return
		}
		s.receiving.Log(func() logs.Line {
			return logs.Line{Log: s.cfg.Log, Level: slog.LevelWarn, Text: "an error on a DTLS socket; it is read on",
				Fields: []any{"address", l.Addr().String(), "error", err}}
		})
		if !datagram.IsUnreachable(err) {
			select {
			case <-s.ctx.Done():
				return
			case <-time.After(receivePause):
			}
		}
	}
}

// receivePause is how long a socket rests after an error that may come again at once.
const receivePause = 100 * time.Millisecond

// checkTick is how often sessions are checked for their timeouts, at least.
const checkTick = time.Second

// check closes sessions that were terminated, and looks for idle ones, until ctx is done.
func (s *Server) check(ctx context.Context) {
	tick := checkTick
	if idle := s.limits.Load().IdleTimeout; idle > 0 {
		tick = min(tick, max(idle/10, 10*time.Millisecond))
	}
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.closable:
			s.closeEnded()
		case now := <-t.C:
			for _, session := range s.all() {
				session.check(now)
			}
		}
	}
}

// all returns the open sessions.
func (s *Server) all() (list []*Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list = make([]*Session, 0, len(s.sessions))
	for session := range s.sessions {
		list = append(list, session)
	}
	return list
}

// Why a session is refused after its handshake.
var (
	errTooMany       = errors.New("all sessions are in use (max_connections)")
	errSourceTooMany = errors.New("its source has as many sessions as it may have (max_connections_per_source)")
)

// open starts the session of a complete handshake. The session that its client had at the
// address before ends: the client has proved that it is there, and wants another (RFC 6347
// §4.2.8).
func (s *Server) open(session *Session, p *pending) (err error) {
	if err := s.reserve(session); err != nil {
		return err
	}
	session.sink, err = s.cfg.Acceptor.Accept(session)
	session.replaces = nil
	if err != nil {
		session.closing.Store(true)
		s.unregister(session)
		return err
	}
	s.register(session)
	if previous := session.listener.setSession(session, p); previous != nil {
		previous.silent.Store(true) // its client has forgotten the keys
		previous.terminate(metrics.ClosedLocally, "the client has started another session from the same address")
	}
	return nil
}

// reserve reserves the place of a session, if there is one.
func (s *Server) reserve(session *Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	source, limits := session.source, s.limits.Load()
	has, ofSource := 0, 0
	if session.replaces = session.listener.at(session.endpoints).session; session.replaces != nil {
		has = 1 // it ends
		if session.replaces.source == source {
			ofSource = 1
		}
	}
	switch {
	case s.stopping, s.draining.Load():
		return errStopping
	case s.places-has >= limits.MaxSessions:
		return errTooMany
	case limits.MaxPerSource > 0 && s.sources[source]-ofSource >= limits.MaxPerSource:
		return errSourceTooMany
	}
	s.places++
	s.sources[source]++
	return nil
}

// register adds a session that has its Sink.
func (s *Server) register(session *Session) {
	s.mu.Lock()
	s.sessions[session] = struct{}{}
	stopping, why := s.stopping, s.why
	s.mu.Unlock()
	if session.attach() {
		s.enqueue(session)
	}
	if stopping {
		session.terminate(metrics.ClosedShutdown, why)
	}
}

func (s *Server) unregister(session *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, session)
	s.places--
	if s.sources[session.source]--; s.sources[session.source] == 0 {
		delete(s.sources, session.source)
	}
}

// taken returns how many places of sessions are in use or reserved.
func (s *Server) taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.places
}

// acquireCPU waits until a handshake may compute. It reports false if ctx is done before.
func (s *Server) acquireCPU(ctx context.Context) bool {
	select {
	case s.cfg.CPU <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *Server) releaseCPU() { <-s.cfg.CPU }

// log logs a line that remote has caused, unless there were too many.
func (s *Server) log(remote netip.AddrPort, level slog.Level, msg string, args ...any) {
	s.limited.Log(sourceOf(remote.Addr()), level, msg, func() []any { return args })
}
