package dtlsfront

import (
	"bytes"
	"crypto/rand"
	"time"

	"radsec-gw/dtlsfront/hello"
	"radsec-gw/dtlsfront/record"
	"radsec-gw/udpback/datagram"
)

// sizeCID is the size of our Connection IDs: not to be guessed, and found in a record without
// knowing whose it is.
const sizeCID = 8

type cid [sizeCID]byte

func newCID() []byte {
	var c cid
	rand.Read(c[:])
	return c[:]
}

// handle handles a batch of datagrams, then flushes: every packet is given to its Sink, then
// the Sinks send their batches, then what they have queued for clients is sent.
func (l *Listener) handle(in *datagram.Inbox) {
	now := time.Now()
	for i := range in.Len() {
		l.datagram(in.Datagram(i), in.Peer(i), now)
	}
	for i, s := range l.touched {
		s.flush()
		l.touched[i] = nil
	}
	l.touched = l.touched[:0]
	l.out.flush()
}

// datagram finds out whose a datagram is. Its first record decides:
//
//	a ClientHello           is answered without state, or starts a handshake: see hello
//	with a Connection ID    of a session, wherever it comes from, or of a handshake
//	of epoch 0              of the handshake at its address; a session ignores it
//	encrypted               of the session at its address, or of the handshake: the records of
//	                        both are of epoch 1, and only one has the keys
func (l *Listener) datagram(d []byte, from *datagram.Peer, now time.Time) {
	if hello.Is(d) {
		l.hello(d, from, now)
		return
	}
	first, _, ok := record.Next(d, sizeCID)
	if !ok {
		l.server.count(DatagramMalformed)
		return
	}
	at := l.at(endpoints{from.AddrPort(), from.Local()})
	if first.CID != nil {
		if s := l.withCID(first.CID); s != nil {
			at.session = s
		}
	}
	switch {
	case at.session == nil && at.pending == nil:
		l.server.count(DatagramUnknown)
	case at.pending == nil:
		l.deliver(at.session, d, from, now)
	case at.session == nil || first.Epoch == 0:
		if s := at.pending.offer(d); s != nil {
			l.deliver(s, d, from, now)
		}
	default:
		// To open a record that is not authentic destroys it.
		whole := bytes.Clone(d)
		if l.deliver(at.session, d, from, now) {
			return
		}
		if s := at.pending.offer(whole); s != nil {
			l.deliver(s, whole, from, now)
		}
	}
}

func (l *Listener) withCID(c []byte) *Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cids[cid(c)]
}

// deliver gives a datagram to a session, and notes that it must be flushed. It reports whether
// a record was authentic.
func (l *Listener) deliver(s *Session, d []byte, from *datagram.Peer, now time.Time) bool {
	authentic, first := s.receive(d, from, now)
	if first {
		l.touched = append(l.touched, s)
	}
	return authentic
}

// hello handles a datagram that begins with a ClientHello, of an address that may be forged.
// Nothing is kept of it, and no session at the address notices, until it returns a cookie (RFC
// 6347 §4.2.1, §4.2.8).
func (l *Listener) hello(d []byte, from *datagram.Peer, now time.Time) {
	if !l.budget.spend(now) {
		l.server.count(HelloOverload)
		return
	}
	h, ok := hello.Parse(d)
	if !ok {
		l.server.count(HelloMalformed)
		return
	}
	e := endpoints{from.AddrPort(), from.Local()}
	if l.server.draining.Load() || l.retired.Load() || !l.server.cfg.Acceptor.Admit(e.remote) {
		l.server.count(HelloNotAdmitted)
		return
	}
	if len(h.Cookie) == 0 || h.Message == 0 {
		l.server.count(HelloChallenged)
		b := l.out.buffer()
		*b = h.AppendVerifyRequest(*b, l.cookies.Make(now, e.remote, e.local, &h))
		l.out.add(b, from)
		return
	}
	// A handshake can only be done with the second ClientHello: pion counts the messages. A
	// client whose cookie has become invalid starts again when its handshake times out.
	if h.Message != 1 || !l.cookies.Valid(now, e.remote, e.local, &h) {
		l.server.count(HelloInvalidCookie)
		return
	}
	switch at := l.at(e); {
	case at.pending != nil && bytes.Equal(at.pending.random[:], h.Random):
		l.server.count(HelloRepeated)
		at.pending.offer(d) // pion sends its flight again
	case at.session != nil && bytes.Equal(at.session.random[:], h.Random):
		l.server.count(HelloRepeated) // was on the way for long
	case at.session == nil && l.server.taken() >= l.server.limits.Load().MaxSessions:
		l.server.count(HelloNotAdmitted)
		l.server.cfg.Acceptor.Refused(e.remote, errTooMany)
	default:
		l.startHandshake(e, from, &h, d)
	}
}
