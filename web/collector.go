package web

import (
	"runtime"
	"runtime/metrics"
	"time"
)

const (
	// garbageShare is the part of the live heap that garbage may grow to before a request
	// has it collected. Go itself waits for as much as the whole of it, which is right for
	// connections of clients, but would let callers of the HTTP side double the memory.
	garbageShare = 8
)

// collector collects the garbage that requests leave.
type collector struct {
	turn chan struct{} // holds an element while one goroutine is in collect

	// owned by the holder of the turn
	samples []metrics.Sample
	next    time.Time // not before then
}

func newCollector() *collector {
	return &collector{turn: make(chan struct{}, 1), samples: []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}}}
}

// collect collects garbage if there is much. It does not wait for a collection that another
// call began.
func (c *collector) collect() {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	default:
		return
	}
	began := time.Now()
	if began.Before(c.next) {
		return
	}
	metrics.Read(c.samples)
	now, live := c.samples[0].Value.Uint64(), c.samples[1].Value.Uint64()
	if live == 0 || now < live+live/garbageShare {
		return
	}
	runtime.GC()
	end := time.Now()
	c.next = end.Add(end.Sub(began)) // half of the time is left at least
}
