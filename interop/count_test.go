package interop

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// counter is a UDP relay in front of a server: it counts what is sent to the server, and lets only
// a number of datagrams pass, so that a loop ends.
type counter struct {
	port int
	sent atomic.Int64 // to the server, including those that did not pass
}

// countDatagrams relays to a port of 127.0.0.1 until the test ends.
func countDatagrams(t *testing.T, port int, most int64) *counter {
	t.Helper()
	front := listenUDP(t)
	c := &counter{port: portOf(front)}
	server := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	var running sync.WaitGroup
	backs := map[string]*net.UDPConn{} // by the sender's address
	running.Go(func() {
		b := make([]byte, 4096)
		for {
			n, from, err := front.ReadFromUDP(b)
			if err != nil {
				break
			}
			if c.sent.Add(1) > most {
				continue
			}
			back := backs[from.String()]
			if back == nil {
				if back, err = net.DialUDP("udp4", nil, server); err != nil {
					t.Error(err)
					break
				}
				backs[from.String()] = back
				running.Go(func() { copyDatagrams(front, from, back) })
			}
			_, _ = back.Write(b[:n]) // a server that has stopped refuses it: its sender gets no answer
		}
		for _, back := range backs {
			back.Close()
		}
	})
	t.Cleanup(func() {
		front.Close()
		running.Wait()
	})
	return c
}

// copyDatagrams sends the replies of a server to the sender of the requests, until the socket is
// closed.
func copyDatagrams(front *net.UDPConn, to *net.UDPAddr, back *net.UDPConn) {
	b := make([]byte, 4096)
	for {
		n, err := back.Read(b)
		if n > 0 {
			_, _ = front.WriteToUDP(b[:n], to)
		} else if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}
