package datagram

import (
	"errors"
	"net"
)

// Listener is a socket that exchanges datagrams with any number of peers, a batch at a
// time.
type Listener struct{ socket listenerSocket }

// NewListener returns a Listener on an unconnected socket, which Close closes.
func NewListener(u *net.UDPConn) (*Listener, error) {
	l := new(Listener)
	return l, l.socket.init(u, MaxSize, false)
}

// NewLocalListener is NewListener for a socket that may have several addresses: Local of a Peer
// is the one that its datagram came to, and what is sent to the Peer comes from there. Send
// does not wait: what the kernel has no space for is lost, and EAGAIN returned.
func NewLocalListener(u *net.UDPConn) (*Listener, error) {
	l := new(Listener)
	return l, l.socket.init(u, MaxSize, true)
}

// NewRecordListener is NewLocalListener for a socket whose datagrams are records of DTLS: it
// keeps MaxRecordSize octets of each, and has them fragmented on the way, where they are too
// long for it (IP_MTU_DISCOVER off), as a socket to a server does.
func NewRecordListener(u *net.UDPConn) (*Listener, error) {
	if err := allowFragments(u); err != nil {
		return nil, err
	}
	l := new(Listener)
	return l, l.socket.init(u, MaxRecordSize, true)
}

// Receive waits for datagrams and calls handle with each batch, until there is an error.
// The Inbox is valid until handle returns; a copy of a Peer remains valid.
func (l *Listener) Receive(handle func(*Inbox)) error { return l.socket.receive(handle) }

// Send sends each of bufs as one datagram to the peer in the same place of to. A datagram
// that the kernel does not accept is skipped. It returns how many were accepted, and the
// error of the last that was not.
func (l *Listener) Send(bufs [][]byte, to []Peer) (sent int, err error) {
	for len(bufs) > 0 {
		n, failed := l.socket.send(bufs, to)
		sent += n
		if failed != nil {
			err = failed
		}
		if n == len(bufs) || errors.Is(err, net.ErrClosed) {
			break
		}
		bufs, to = bufs[n+1:], to[n+1:]
	}
	return sent, err
}

// Close closes the socket: Receive returns net.ErrClosed. It waits for a handle that is
// running, and so must not be called from one.
func (l *Listener) Close() error { return l.socket.close() }
