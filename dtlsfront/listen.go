package dtlsfront

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"radsec-gw/dtlsfront/hello"
	"radsec-gw/locks"
	"radsec-gw/udpback/datagram"
)

// Listener is a UDP socket with its sessions.
type Listener struct {
	// static after construction
	Address netip.AddrPort // as it was asked for
	conn    *net.UDPConn
	socket  *datagram.Listener
	out     output
	server  *Server     // set by New, or SetListeners
	retired atomic.Bool // no more sessions are accepted

	// owned by the goroutine that receives
	cookies *hello.Cookies
	budget  budget     // of ClientHellos
	touched []*Session // have handled packets since their last Flush

	mu    locks.Mutex[locks.DTLSListener] // guards what follows
	peers map[endpoints]place
	cids  map[cid]*Session
}

// endpoints are the two addresses of a session. local is the zero Addr where it is not known.
type endpoints struct {
	remote netip.AddrPort
	local  netip.Addr
}

// place is what there is with an address: a session, a handshake, or both while the client of a
// session does another one (RFC 6347 §4.2.8).
type place struct {
	session *Session
	pending *pending
}

// Listen opens a socket for one of some addresses. It does not wait. An unspecified address of
// IPv6 accepts IPv4, too, unless there is one of IPv4 with the same port.
func Listen(address netip.AddrPort, all ...netip.AddrPort) (*Listener, error) {
	conn, err := datagram.Listen(address, all...)
	if err != nil {
		return nil, err
	}
	socket, err := datagram.NewRecordListener(conn)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("cannot listen on %v: %w", address, err)
	}
	l := &Listener{Address: address, conn: conn, socket: socket, cookies: hello.NewCookies(time.Now()),
		peers: map[endpoints]place{}, cids: map[cid]*Session{}}
	l.out.socket = socket
	return l, nil
}

// Addr returns the address of the socket.
func (l *Listener) Addr() netip.AddrPort {
	a := l.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// Close closes the socket.
func (l *Listener) Close() error { return l.socket.Close() }

// at returns what there is with an address.
func (l *Listener) at(e endpoints) place {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.peers[e]
}

// setPending notes a handshake, and returns the one that it replaces, if there was one.
func (l *Listener) setPending(p *pending) (previous *pending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.peers[p.endpoints]
	previous, at.pending = at.pending, p
	l.peers[p.endpoints] = at
	return previous
}

// removePending forgets a handshake.
func (l *Listener) removePending(p *pending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := l.peers[p.endpoints]; at.pending == p {
		at.pending = nil
		l.put(p.endpoints, at)
	}
}

// setSession replaces a handshake by its session, and returns the session that was there.
func (l *Listener) setSession(s *Session, p *pending) (previous *Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.peers[s.endpoints]
	previous, at.session = at.session, s
	s.at = s.endpoints
	if at.pending == p {
		at.pending = nil
	}
	l.put(s.endpoints, at)
	if s.hasCID {
		l.cids[s.cid] = s
	}
	return previous
}

// moved notes that a session is at another address now: somebody else may get the one before,
// and a client that restarts there gets a session for this one. If there is another session, this
// one is found by its Connection ID only.
func (l *Listener) moved(s *Session, to endpoints) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leave(s)
	s.at = to
	if at := l.peers[to]; at.session == nil {
		at.session = s
		l.put(to, at)
	}
}

// leave forgets the address of a session. Called with mu held.
func (l *Listener) leave(s *Session) {
	if at := l.peers[s.at]; at.session == s {
		at.session = nil
		l.put(s.at, at)
	}
}

// removeSession forgets a session.
func (l *Listener) removeSession(s *Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leave(s)
	if s.hasCID {
		delete(l.cids, s.cid)
	}
}

func (l *Listener) put(e endpoints, at place) {
	if at == (place{}) {
		delete(l.peers, e)
		return
	}
	l.peers[e] = at
}
