//go:build !(linux && (amd64 || arm64))

package datagram

import (
	"net"
	"sync"
)

func newConn(u *net.UDPConn, inboxes *sync.Pool) (Conn, error) {
	return &single{conn: u, inboxes: inboxes}, nil
}

// vector is nothing where there is no recvmmsg.
type vector struct{}

func (vector) init(*Inbox, bool) {}
