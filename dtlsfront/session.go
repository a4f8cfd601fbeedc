package dtlsfront

import (
	"crypto/x509"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"radsec-gw/dtlsfront/handshake"
	"radsec-gw/dtlsfront/record"
	"radsec-gw/locks"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
	"radsec-gw/udpback/datagram"
)

// Session is one DTLS session of a client. It has no goroutine.
type Session struct {
	// static after construction
	server    *Server
	listener  *Listener
	endpoints endpoints // when it started
	at        endpoints // where Listener.peers has it, if there is no other; guarded by Listener.mu
	source    netip.Addr
	number    uint64 // of the session, counted from 1 since the server was made
	random    [32]byte
	suite     string
	certs     []*x509.Certificate
	psk       *handshake.PSK // nil: none
	cid       cid
	hasCID    bool
	finished  []byte   // the message that ended the handshake
	sink      Sink     // set by Server.open
	replaces  *Session // set by Server.open for Acceptor.Accept: a session of the same address, which ends when this one is accepted; nil: none
	fields    []any    // of the log line at its end; set by Acceptor.Accept

	closing  atomic.Bool // set once, by terminate
	attached atomic.Bool // sink is set; stored with mu held
	silent   atomic.Bool // it ends without close_notify
	draining atomic.Bool // set once
	remote   atomic.Pointer[netip.AddrPort]

	mu      locks.Mutex[locks.DTLSSession] // guards why the session ends
	reason  metrics.Reason
	text    string
	drainAs metrics.Reason // why it drains
	drained string

	receiving locks.Mutex[locks.DTLSReceiving] // guards what follows; held while the Sink is called
	opener    *record.Opener
	window    record.Window
	packets   int // given to the Sink so far
	unflushed int // given to it since its last Flush
	activity  sessions.Activity
	heard     time.Time        // when the last authentic record arrived
	wasDone   bool             // nothing was outstanding at the last check while draining
	accepted  func(slog.Level) // logs that it was accepted; set by Acceptor.Accept; nil: it was logged

	sending locks.Mutex[locks.DTLSSending] // guards what follows
	sealer  *record.Sealer
	plain   uint64        // next sequence number of epoch 0
	peer    datagram.Peer // where to send to
}

// newSession returns the session of a complete handshake.
func newSession(p *pending, r *handshake.Result) *Session {
	server := p.listener.server
	s := &Session{server: server, listener: p.listener, endpoints: p.endpoints, source: p.source, number: server.opened.Add(1),
		random: r.ClientRandom, suite: record.SuiteName(r.Suite), certs: r.Certificates, psk: r.PSK,
		finished: r.Finished, opener: r.Opener, window: record.NewWindow(r.Seen),
		sealer: r.Sealer, plain: r.Plain, peer: p.peer}
	if len(r.CID) == sizeCID {
		s.cid, s.hasCID = cid(r.CID), true
	}
	s.activity.Started, s.activity.LastRequest = server.started, time.Now()
	s.heard = s.activity.LastRequest
	s.remote.Store(&p.endpoints.remote)
	return s
}

// RemoteAddr returns the peer's address. It is never an IPv4-mapped IPv6 address. It changes
// while the client moves with a Connection ID.
func (s *Session) RemoteAddr() netip.AddrPort { return *s.remote.Load() }

// LocalAddr returns the address that the peer is connected to; invalid where it is not known.
func (s *Session) LocalAddr() netip.AddrPort {
	if !s.endpoints.local.IsValid() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(s.endpoints.local, s.listener.Addr().Port())
}

// Number returns the number of the session, from 1 since the server was made.
func (s *Session) Number() uint64 { return s.number }

// Certificates returns what the peer presented, its own first; none if it has a PSK.
func (s *Session) Certificates() []*x509.Certificate { return s.certs }

// PSK returns the peer's pre-shared key; nil if it has none.
func (s *Session) PSK() *handshake.PSK { return s.psk }

// Security returns the certificate that the peer presented, nil if there was none, and the
// version of DTLS.
func (s *Session) Security() (leaf *x509.Certificate, version string) {
	if len(s.certs) > 0 {
		leaf = s.certs[0]
	}
	return leaf, "DTLS 1.2"
}

// Send queues p as one record, in a datagram of its own (RFC 7360 §5.1). It may be called from
// any goroutine, and does not keep p. It reports false if p will not be sent: the session is
// closed, or is closed now.
func (s *Session) Send(p []byte) bool {
	if s.closing.Load() {
		return false
	}
	if !s.seal(record.ApplicationData, p) {
		s.terminate(metrics.ClosedLocally, "all sequence numbers are used")
		return false
	}
	if s.attached.Load() {
		s.activity.Answered()
	}
	return true
}

// Flush sends what is queued, for all sessions of the socket, with one system call. It is
// cheap if nothing is queued, and may be called from any goroutine.
func (s *Session) Flush() { s.listener.out.flush() }

// seal queues a record.
func (s *Session) seal(contentType byte, content []byte) bool {
	b := s.listener.out.buffer()
	s.sending.Lock()
	if s.sealer.Exhausted() {
		s.sending.Unlock()
		return false
	}
	*b = s.sealer.Seal(*b, contentType, content)
	peer := s.peer
	s.sending.Unlock()
	s.listener.out.add(b, &peer)
	return true
}

// sendLastFlight sends the end of the handshake again, encrypted anew: the client has not
// received it, and has sent its own again (RFC 6347 §4.2.4).
func (s *Session) sendLastFlight() {
	s.server.count(LastFlightSentAgain)
	b := s.listener.out.buffer()
	s.sending.Lock()
	if s.sealer.Exhausted() || s.plain > record.MaxSequence {
		s.sending.Unlock()
		return
	}
	*b = record.AppendPlain(*b, record.ChangeCipherSpec, s.plain, []byte{1})
	s.plain++
	*b = s.sealer.Seal(*b, record.Handshake, s.finished)
	peer := s.peer
	s.sending.Unlock()
	s.listener.out.add(b, &peer)
}

// Version11 reports false: RADIUS/1.1 (RFC 9765) is not offered.
func (s *Session) Version11() bool { return false }
