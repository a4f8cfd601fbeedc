//go:build !race && !lockorder

// The race detector makes sync.Pool drop what it is given, at random.

package datagram

import "testing"

// Nothing is allocated for what a Listener receives and sends.
func TestListenerAllocatesNothing(t *testing.T) {
	l, _ := greeted(t)
	l.Receive(func(in *Inbox) {
		bufs, to := [][]byte{in.Datagram(0)}, []Peer{*in.Peer(0)}
		if n := testing.AllocsPerRun(100, func() { l.Send(bufs, to) }); n >= 1 {
			t.Errorf("%v allocations with each Send, expected none", n)
		}
		go l.Close()
	})
}
