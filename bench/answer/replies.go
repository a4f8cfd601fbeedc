package answer

import "radsec-gw/udpback/datagram"

// replies are the replies to one batch of requests. The zero value is empty and ready.
type replies struct {
	octets [datagram.BatchSize][replySize]byte
	bufs   [datagram.BatchSize][]byte // parts of octets
	to     [datagram.BatchSize]datagram.Peer
	n      int
}

func (r *replies) reset() { r.n = 0 }

// next is where the next reply may be written.
func (r *replies) next() []byte { return r.octets[r.n][:] }

// add adds the reply that was written into next.
func (r *replies) add(length int, to *datagram.Peer) {
	r.bufs[r.n], r.to[r.n] = r.octets[r.n][:length], *to
	r.n++
}

// send sends all replies. One that the kernel does not accept is lost.
func (r *replies) send(socket *datagram.Listener) {
	if r.n > 0 {
		_, _ = socket.Send(r.bufs[:r.n], r.to[:r.n])
	}
}
