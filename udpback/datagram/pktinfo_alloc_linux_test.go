//go:build linux && (amd64 || arm64) && !race && !lockorder

// The race detector makes sync.Pool drop what it is given, at random.

package datagram

import "testing"

// Nothing is allocated for a datagram that is received with its local address and answered
// from there.
func TestExchangeWithLocalAddressAllocatesNothing(t *testing.T) {
	for address, asked := range map[string]string{"0.0.0.0:0": "127.0.1.7", "[::]:0": "127.0.1.7", ":0": "::1"} {
		l, port := listenLocal(t, "udp", address)
		c := dialLocal(t, port, asked)[0]
		bufs, to := make([][]byte, 1), make([]Peer, 1)
		go l.Receive(func(in *Inbox) {
			for i := range in.Len() {
				bufs[0], to[0] = in.Datagram(i), *in.Peer(i)
				l.Send(bufs, to)
			}
		})
		request, answer := []byte("hello"), make([]byte, 10)
		n := testing.AllocsPerRun(200, func() {
			c.Write(request)
			if size, err := c.Read(answer); size != len(request) || err != nil {
				t.Fatalf("the answer has %d octets, and %v", size, err)
			}
		})
		if n >= 1 {
			t.Errorf("%s asked at %s: %v allocations with each datagram, expected none", address, asked, n)
		}
	}
}
