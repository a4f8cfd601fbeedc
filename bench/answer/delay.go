package answer

import (
	"sync"
	"time"
)

// delayer sends batches a fixed time after they were put: a queue in order of
// time and one goroutine, no timer per packet.
type delayer struct {
	sock  *socket
	delay time.Duration
	queue chan held
	free  sync.Pool
	done  sync.WaitGroup
}

type held struct {
	due time.Time
	out *batch
}

// queued bounds the batches that wait: at 64 to one datagram each that is a
// second's worth at any rate that one machine reaches.
const queued = 1 << 16

func startDelayer(sock *socket, delay time.Duration) *delayer {
	d := &delayer{sock: sock, delay: delay, queue: make(chan held, queued)}
	d.free.New = func() any { return newBatch(replySize) }
	d.done.Go(d.run)
	return d
}

func (d *delayer) empty() *batch { return d.free.Get().(*batch) }

// put hands the batch over; the delayer sends it when due.
func (d *delayer) put(b *batch) {
	if b.n == 0 {
		d.free.Put(b)
		return
	}
	d.queue <- held{time.Now().Add(d.delay), b}
}

func (d *delayer) run() {
	for h := range d.queue {
		if wait := time.Until(h.due); wait > 0 {
			time.Sleep(wait)
		}
		_ = d.sock.send(h.out) // a closed socket ends the receiving side
		d.free.Put(h.out)
	}
}

// stop drops nothing: what is queued is still tried. The receiving side has ended.
func (d *delayer) stop() {
	close(d.queue)
	d.done.Wait()
}
