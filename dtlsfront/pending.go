package dtlsfront

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"radsec-gw/dtlsfront/handshake"
	"radsec-gw/dtlsfront/hello"
	"radsec-gw/locks"
	"radsec-gw/udpback/datagram"
)

const (
	// maxWaiting is how many datagrams may wait for a handshake: a flight of a client with a
	// chain of 16 kB has as many.
	maxWaiting = 16
	// maxWaitingOctets bounds their size.
	maxWaitingOctets = 32 << 10
	// maxOctets is how much a handshake may receive: pion keeps up to 2 MB of fragments. A
	// flight with a chain of 16 kB may arrive seven times.
	maxOctets = 128 << 10
)

// pending is a handshake with a peer that has returned a cookie. A goroutine does it.
type pending struct {
	// static after construction
	listener  *Listener
	endpoints endpoints
	peer      datagram.Peer
	source    netip.Addr
	random    [32]byte // of the ClientHello
	first     []byte   // the datagram with it
	cancel    context.CancelCauseFunc
	wake      chan struct{} // receives when a datagram waits

	place *list.Element // guarded by admission.mu; nil: displaced, or ended

	mu      locks.Mutex[locks.DTLSPending] // guards what follows
	waiting [][]byte
	octets  int      // of waiting
	total   int      // octets that arrived
	session *Session // that it led to
	ended   bool
}

// Why a handshake is cancelled.
var (
	errDisplaced = errors.New("ended to admit others: it was the oldest of the source that had the most")
	errReplaced  = errors.New("the client started another handshake")
	errStopping  = errors.New("the gateway stops")
	errTooLong   = fmt.Errorf("the client has sent more than %d octets, which is the limit for a handshake", maxOctets)
	errTimeout   = errors.New("the handshake was not complete in time")
)

// startHandshake starts a handshake for a ClientHello that has returned its cookie.
func (l *Listener) startHandshake(e endpoints, peer *datagram.Peer, h *hello.Hello, d []byte) {
	ctx, cancel := context.WithCancelCause(l.server.ctx)
	p := &pending{listener: l, endpoints: e, peer: *peer, source: sourceOf(e.remote.Addr()), random: [32]byte(h.Random),
		first: bytes.Clone(d), cancel: cancel, wake: make(chan struct{}, 1)}
	if previous := l.setPending(p); previous != nil {
		previous.cancel(errReplaced)
	}
	if displaced := l.server.admission.enter(p); displaced != nil {
		displaced.cancel(errDisplaced)
	}
	l.server.count(HandshakeStarted)
	l.server.wg.Go(func() { p.run(ctx) })
}

// offer keeps a copy of a datagram for the handshake. If it has led to a session already, that
// is returned instead.
func (p *pending) offer(d []byte) *Session {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.session != nil:
		return p.session
	case p.ended:
	case p.total > maxOctets:
		p.cancel(errTooLong)
	case len(p.waiting) >= maxWaiting || p.octets+len(d) > maxWaitingOctets:
		p.listener.server.count(HandshakeOverflow)
	default:
		p.waiting = append(p.waiting, bytes.Clone(d))
		p.octets += len(d)
		p.total += len(d)
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// take returns the datagrams that wait.
func (p *pending) take() (waiting [][]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting, p.waiting, p.octets = p.waiting, nil, 0
	return waiting
}

// run does the handshake, and starts the session that it leads to.
func (p *pending) run(ctx context.Context) {
	server := p.listener.server
	defer p.end()
	ctx, stop := context.WithTimeoutCause(ctx, server.limits.Load().HandshakeTimeout, errTimeout)
	defer stop()
	result, err := p.handshake(ctx)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			err = cause
		}
		p.failed(err)
		return
	}
	s := newSession(p, result)
	if err := server.open(s, p); err != nil {
		server.count(HandshakeRefused)
		server.cfg.Acceptor.Ended(p.endpoints.remote, HandshakeRefused, err)
		s.sendAlert(alertCloseNotify)
		p.listener.out.flush()
		return
	}
	server.count(HandshakeComplete)
	server.cfg.Acceptor.Ended(p.endpoints.remote, HandshakeComplete, nil)
	p.handOver(s)
}

// end forgets the handshake.
func (p *pending) end() {
	p.cancel(nil)
	p.listener.server.admission.leave(p)
	p.listener.removePending(p)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended, p.waiting, p.octets = true, nil, 0
}

// handOver gives the datagrams that arrived meanwhile to the session.
func (p *pending) handOver(s *Session) {
	p.mu.Lock()
	waiting := p.waiting
	p.session, p.waiting = s, nil
	p.mu.Unlock()
	now := time.Now()
	for _, d := range waiting {
		s.receive(d, &p.peer, now)
	}
	s.flush()
	p.listener.out.flush()
}

// failed counts and reports a handshake that failed.
func (p *pending) failed(err error) {
	server, how := p.listener.server, HandshakeFailed
	switch {
	case errors.Is(err, errDisplaced):
		how = HandshakeDisplaced
	case errors.Is(err, errTimeout):
		how = HandshakeTimeout
	}
	server.count(how)
	server.cfg.Acceptor.Ended(p.endpoints.remote, how, err)
}

// handshake drives pion until the handshake is complete. Only a few compute at one time: the
// packets of sessions must not wait for them.
func (p *pending) handshake(ctx context.Context) (*handshake.Result, error) {
	server := p.listener.server
	first, ok := hello.Parse(p.first)
	if !ok {
		return nil, errors.New("not a ClientHello")
	}
	cfg, err := server.cfg.Acceptor.Handshake(p.endpoints.remote, first.Offer())
	if err != nil {
		return nil, err
	}
	if server.cfg.ConnectionIDs {
		cfg.NewCID = newCID
	}
	if !server.acquireCPU(ctx) {
		return nil, ctx.Err()
	}
	h, err := handshake.Start(ctx, &cfg, &first, p.first, p.write)
	server.releaseCPU()
	if err != nil {
		p.listener.out.flush()
		return nil, err
	}
	for {
		done, err := h.Send(p.write)
		p.listener.out.flush()
		if err != nil {
			h.Close()
			return nil, err
		}
		if done {
			return h.Result()
		}
		select {
		case <-ctx.Done():
			h.Close()
			return nil, endedWith(context.Cause(ctx), h.PSK())
		case <-h.Ready():
		case <-p.wake:
			if !server.acquireCPU(ctx) {
				continue
			}
			for _, d := range p.take() {
				h.Receive(d)
			}
			server.releaseCPU()
		}
	}
}

// errUnproved says that a client has sent the identity of a PSK, and not shown that it has the key.
var errUnproved = errors.New("the key of a PSK was not proved")

// endedWith returns why a handshake was cancelled. If the client has another key under the
// identity of its PSK, what it sends last cannot be read, and is dropped as a forgery would be
// (RFC 6347 §4.1.2.7); it may try again before that times out.
func endedWith(cause error, psk *handshake.PSK) error {
	if psk == nil || !errors.Is(cause, errTimeout) && !errors.Is(cause, errReplaced) && !errors.Is(cause, errDisplaced) {
		return cause
	}
	return fmt.Errorf("%w; %w: the client has sent the PSK identity %q: do the two sides have the same key, and the same \"hex:\" before it?", cause, errUnproved, psk.Identity)
}

// write queues a datagram of the handshake.
func (p *pending) write(d []byte) {
	b := p.listener.out.buffer()
	*b = append(*b, d...)
	p.listener.out.add(b, &p.peer)
}
