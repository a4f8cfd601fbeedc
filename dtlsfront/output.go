package dtlsfront

import (
	"sync"
	"sync/atomic"

	"radsec-gw/dtlsfront/record"
	"radsec-gw/locks"
	"radsec-gw/udpback/datagram"
	"radsec-gw/wire"
)

// output gathers the datagrams of all sessions of a socket, for one system call. At most
// datagram.BatchSize wait: then they are written.
type output struct {
	socket *datagram.Listener // static after construction
	queued atomic.Bool        // current has datagrams

	mu      locks.Mutex[locks.DTLSOutput] // guards current
	current *batch                        // nil: nothing is queued

	batches sync.Pool // *batch
	buffers sync.Pool // *[]byte
}

// batch is datagrams that are sent together.
type batch struct {
	bufs  [][]byte
	peers []datagram.Peer
	owned []*[]byte // the memory of bufs
}

// sealedSize is the size of a record with a whole packet, with a Connection ID of the client.
const sealedSize = wire.MaxLength + record.MaxOverhead + 32

// buffer returns memory for a datagram, of length 0. add takes it.
func (o *output) buffer() *[]byte {
	if b, ok := o.buffers.Get().(*[]byte); ok {
		*b = (*b)[:0]
		return b
	}
	b := make([]byte, 0, sealedSize)
	return &b
}

// add queues a datagram, and writes what is queued if that is a full batch.
func (o *output) add(b *[]byte, to *datagram.Peer) {
	o.mu.Lock()
	full := o.current
	if full == nil {
		if full, _ = o.batches.Get().(*batch); full == nil {
			full = new(batch)
		}
		o.current = full
		o.queued.Store(true)
	}
	full.bufs = append(full.bufs, *b)
	full.peers = append(full.peers, *to)
	full.owned = append(full.owned, b)
	if len(full.bufs) < datagram.BatchSize {
		full = nil
	} else {
		o.current = nil
		o.queued.Store(false)
	}
	o.mu.Unlock()
	if full != nil {
		o.write(full)
	}
}

// flush writes what is queued. It is cheap if nothing is.
func (o *output) flush() {
	if !o.queued.Load() {
		return
	}
	o.mu.Lock()
	b := o.current
	o.current = nil
	o.queued.Store(false)
	o.mu.Unlock()
	if b != nil {
		o.write(b)
	}
}

// write sends a batch. A datagram that the kernel does not accept is lost, as it may be on the
// way: the client sends its request again.
func (o *output) write(b *batch) {
	o.socket.Send(b.bufs, b.peers)
	for _, buf := range b.owned {
		if cap(*buf) <= 2*sealedSize { // a handshake may have sent a longer one
			o.buffers.Put(buf)
		}
	}
	clear(b.bufs)
	clear(b.owned)
	b.bufs, b.peers, b.owned = b.bufs[:0], b.peers[:0], b.owned[:0]
	o.batches.Put(b)
}
