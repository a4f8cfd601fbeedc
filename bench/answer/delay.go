package answer

import (
	"sync"
	"time"

	"radsec-gw/udpback/datagram"
)

// delayer sends replies a fixed time after they were put: a queue in order of time and
// one goroutine, no timer for each packet.
type delayer struct {
	socket *datagram.Listener
	delay  time.Duration
	queue  chan batch
	free   sync.Pool
	done   sync.WaitGroup
}

// batch is replies and when to send them.
type batch struct {
	due time.Time
	out *replies
}

// queued bounds the batches that wait: with one datagram to each that is a second's worth
// at any rate that one machine reaches.
const queued = 1 << 16

func startDelayer(socket *datagram.Listener, delay time.Duration) *delayer {
	d := &delayer{socket: socket, delay: delay, queue: make(chan batch, queued)}
	d.free.New = func() any { return new(replies) }
	d.done.Go(d.run)
	return d
}

func (d *delayer) empty() *replies { return d.free.Get().(*replies) }

// put hands the replies over; the delayer sends them when due.
func (d *delayer) put(out *replies) {
	if out.n == 0 {
		d.free.Put(out)
		return
	}
	d.queue <- batch{time.Now().Add(d.delay), out}
}

func (d *delayer) run() {
	for h := range d.queue {
		if wait := time.Until(h.due); wait > 0 {
			time.Sleep(wait)
		}
		h.out.send(d.socket)
		d.free.Put(h.out)
	}
}

// stop sends what is queued, as far as the socket is open. The receiving side has ended.
func (d *delayer) stop() {
	close(d.queue)
	d.done.Wait()
}
