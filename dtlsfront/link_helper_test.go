package dtlsfront_test

import (
	"bytes"
	"net"
	"sync"
	"testing"
	"time"

	"radsec-gw/dtlsfront"
)

// fault is what happens to a datagram on the way.
type fault int

const (
	pass fault = iota
	lost
	doubled
	late // it arrives after the next one, or after lateness
)

// lateness is how long a late datagram waits for the next.
const lateness = 20 * time.Millisecond

// link is a path between a client and the front on which datagrams have faults.
type link struct {
	net.PacketConn
	plan func(fromClient bool, n int, d []byte) fault

	mu    sync.Mutex
	sent  [2]int // datagrams of each direction
	held  []byte // a late one of the client
	inbox [][]byte
	stash []byte // a late one of the front
}

// clear has everything pass from now on.
func (l *link) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plan = func(bool, int, []byte) fault { return pass }
}

// newLink returns a socket of a client behind a link.
func newLink(f *front, plan func(fromClient bool, n int, d []byte) fault) *link {
	return &link{PacketConn: f.socket(), plan: plan}
}

func (l *link) next(fromClient bool, d []byte) fault {
	i := 0
	if fromClient {
		i = 1
	}
	n := l.sent[i]
	l.sent[i]++
	return l.plan(fromClient, n, d)
}

func (l *link) WriteTo(b []byte, to net.Addr) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch l.next(true, b) {
	case lost:
		return len(b), nil
	case doubled:
		l.PacketConn.WriteTo(b, to)
	case late:
		held := bytes.Clone(b)
		l.held = held
		time.AfterFunc(lateness, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.release(held, to)
		})
		return len(b), nil
	}
	n, err := l.PacketConn.WriteTo(b, to)
	l.release(l.held, to)
	return n, err
}

// release sends a late datagram, if it was not sent yet.
func (l *link) release(held []byte, to net.Addr) {
	if held != nil && l.held != nil && &held[0] == &l.held[0] {
		l.held = nil
		l.PacketConn.WriteTo(held, to)
	}
}

func (l *link) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		if n := l.pop(b); n > 0 {
			return n, l.PacketConn.LocalAddr(), nil
		}
		n, from, err := l.PacketConn.ReadFrom(b)
		if err != nil {
			return n, from, err
		}
		l.mu.Lock()
		switch d := bytes.Clone(b[:n]); l.next(false, d) {
		case lost:
		case doubled:
			l.inbox = append(l.inbox, d, d)
		case late:
			l.stash = d
		default:
			l.inbox = append(l.inbox, d)
			if l.stash != nil {
				l.inbox = append(l.inbox, l.stash)
				l.stash = nil
			}
		}
		l.mu.Unlock()
	}
}

func (l *link) pop(b []byte) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.inbox) > 0 {
		n = copy(b, l.inbox[0])
		l.inbox = l.inbox[1:]
	}
	return n
}

// expectCount expects that something was counted n times.
func expectCount(t *testing.T, f *front, what string, c dtlsfront.Count, n int64) {
	t.Helper()
	eventually(t, what, func() bool { return f.server.Count(c) >= n })
	if got := f.server.Count(c); got != n {
		t.Errorf("expected that %s %d times, got %d", what, n, got)
	}
}
