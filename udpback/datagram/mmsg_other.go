//go:build !(linux && (amd64 || arm64))

package datagram

import "net"

func newConn(u *net.UDPConn, m *memory) (Conn, error) {
	return &single{conn: u, inboxes: &m.inboxes}, nil
}

// vector is nothing where there is no recvmmsg.
type vector struct{}

func (vector) init(*Inbox, bool, bool) {}
