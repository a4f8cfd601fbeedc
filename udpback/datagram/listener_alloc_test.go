//go:build linux && !race && !lockorder

// The race detector makes sync.Pool drop what it is given, at random.

package datagram

import (
	"fmt"
	"net"
	"testing"
)

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

// The same with local addresses.
func TestLocalListenerAllocatesNothing(t *testing.T) {
	l, port := listenLocal(t, "udp4", "127.0.0.1:0")
	c, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("hello"))
	l.Receive(func(in *Inbox) {
		bufs, to := [][]byte{in.Datagram(0)}, []Peer{*in.Peer(0)}
		if n := testing.AllocsPerRun(100, func() { l.Send(bufs, to) }); n >= 1 {
			t.Errorf("%v allocations with each Send, expected none", n)
		}
		go l.Close()
	})
}
