//go:build !(linux && (amd64 || arm64))

package udpback

import (
	"net"
	"sync"
)

func newDatagrams(u *net.UDPConn, inboxes *sync.Pool) (datagrams, error) {
	return &single{conn: u, ins: inboxes}, nil
}

// vector is nothing where there is no recvmmsg.
type vector struct{}

func (vector) point(*inbox) {}
