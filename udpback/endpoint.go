package udpback

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// endpoint is one port of one server, with as many sockets as its load needs.
type endpoint struct {
	// static after construction
	server     *Server
	label      string // "auth", "acct", "coa"
	address    string // host and port
	maxSockets int
	metrics    *metrics.Server
	log        *slog.Logger
	judge      judge
	// A request without State is refused when this many Identifiers are in use, so
	// that conversations that have begun can end (RFC 5080 §2.2.3).
	newLimit int64
	named    bool // the server is given by host name

	outstanding atomic.Int64 // Identifiers in use on all sockets
	sockets     atomic.Pointer[[]*socket]

	mu        sync.Mutex // guards opening and closing
	closed    bool
	dialErr   time.Duration // when opening a socket last failed; 0: never
	refreshed time.Duration // when the name was last looked up anew
	retired   []*socket     // of an address that the name no longer has

	background sync.WaitGroup // looking a name up

	refusal, failure, forgery, unsigned, stale logs.Limiter
}

func newEndpoint(s *Server, label, address string, maxSockets int, health Health) *endpoint {
	e := &endpoint{server: s, label: label, address: address, maxSockets: maxSockets}
	capacity := int64(maxSockets) * 256
	e.newLimit = capacity - max(16, capacity/64)
	e.named = !s.address.IsValid()
	e.metrics = s.back.metrics.Server(s.Name, label)
	e.log = s.back.log.With("server", s.Name, "port", label, "address", address)
	e.sockets.Store(new([]*socket))
	e.judge.config = health.withDefaults()
	e.judge.probed = probeCode(health.Check, label) != 0
	e.judge.log, e.judge.probe, e.judge.clock = e.log, e.sendProbe, s.back.Now
	e.judge.onTurn = func(s State) { e.metrics.SetState(metrics.State(s)) }
	e.judge.onTurn(Up)
	if e.judge.probed {
		e.judge.start(func() { e.judge.tick(s.back.Now()) })
	}
	return e
}

// redialPause keeps a server name that does not resolve from being looked up for
// every request.
const redialPause = time.Second

// reserve finds an Identifier on the first socket that has one, and opens
// another socket when all are full, up to the ceiling. Filling the first before
// the second keeps the batches large and the readers few. The error is one of
// ErrNoIdentifier, ErrShare and ErrNoSocket.
func (e *endpoint) reserve(ex *Exchange) (*socket, wire.ServerID, uint32, error) {
	outstanding := e.outstanding.Load()
	if ex.State == 0 && ex.Kind == wire.KindAccess && outstanding >= e.newLimit {
		return nil, 0, 0, ErrNoIdentifier
	}
	if ex.Share.exceeds(outstanding, int64(e.maxSockets)*256) {
		return nil, 0, 0, ErrShare
	}
	for {
		all := *e.sockets.Load()
		for _, s := range all {
			if id, gen, ok := s.reserve(ex); ok {
				e.add(1)
				return s, id, gen, nil
			}
		}
		if err := e.grow(len(all)); err != nil {
			return nil, 0, 0, err
		}
	}
}

// grow opens one more socket unless another goroutine just did, the ceiling is
// reached or the server cannot be reached at all.
func (e *endpoint) grow(seen int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := *e.sockets.Load()
	if len(all) > seen {
		return nil
	}
	now := e.server.back.Now()
	if e.closed || len(all) >= e.maxSockets {
		return ErrNoIdentifier
	}
	if e.dialErr != 0 && now-e.dialErr < redialPause {
		return ErrNoSocket
	}
	conn, err := e.server.back.dial(e.address)
	if err != nil {
		e.dialErr = now
		e.metrics.SocketError(1)
		e.failure.Say(now, func() logs.Line {
			return logs.Line{Log: e.log, Level: slog.LevelError, Text: "cannot open a socket to the server: is its name or address right, and may this process open more files?", Fields: []any{"error", err}}
		})
		return ErrNoSocket
	}
	more := append(all[:len(all):len(all)], newSocket(e, conn))
	e.sockets.Store(&more)
	e.metrics.AddSockets(1)
	return nil
}

// add changes how many Identifiers are in use.
func (e *endpoint) add(n int) {
	e.outstanding.Add(int64(n))
	e.metrics.AddOutstanding(n)
}

// socketError counts a failed system call. One line a minute says so.
func (e *endpoint) socketError(err error) {
	e.metrics.SocketError(1)
	text, c := "sending to or receiving from the server failed", &e.failure
	if errors.Is(err, syscall.ECONNREFUSED) {
		text, c = "nobody listens on the server's port: is the RADIUS server running?", &e.refusal
		e.judge.refused()
	}
	e.warn(c, text, err)
}

func (e *endpoint) warn(c *logs.Limiter, text string, err error) {
	c.Say(e.server.back.Now(), func() logs.Line {
		return logs.Line{Log: e.log, Level: slog.LevelWarn, Text: text, Fields: []any{"error", err}}
	})
}

// badReply tells the operator of a reply that does not verify. One line a minute
// for each cause.
func (e *endpoint) badReply(err error) {
	text, c := "a reply from the server does not verify; the likeliest cause is that the secret here and on the server differ", &e.forgery
	switch {
	case errors.Is(err, errStale):
		text, c = "a reply from the server was dropped for its Event-Timestamp: do the clocks of the server and of this machine agree?", &e.stale
	case errors.Is(err, wire.ErrNoMessageAuthenticator):
		text, c = "a reply from the server has no Message-Authenticator and was dropped; update the server or have it sign, or set require_message_authenticator = false for it and accept the risk (CVE-2024-3596)", &e.unsigned
	}
	e.warn(c, text, err)
}

// close closes every socket, waits for all that runs, and fails what still waits.
func (e *endpoint) close() {
	e.judge.stop()
	e.mu.Lock()
	e.closed = true
	all := *e.sockets.Load()
	e.sockets.Store(new([]*socket))
	retired := e.retired
	e.mu.Unlock()
	e.background.Wait()
	for _, s := range retired {
		s.close()
	}
	for _, s := range all {
		s.close()
	}
	e.metrics.AddSockets(-len(all))
}
