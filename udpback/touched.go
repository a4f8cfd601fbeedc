package udpback

import "slices"

// Flusher is whatever gathers output until its batch is complete.
type Flusher interface{ Flush() }

// Touched is the set of connections that a batch has written to. Each is flushed once,
// after the whole batch, so that it writes all its answers with one system call.
// The zero Touched is empty. It belongs to one goroutine.
type Touched struct {
	conns []Flusher // in the order in which they were added
}

// Add puts a connection into the set.
func (t *Touched) Add(conn Flusher) {
	if !slices.Contains(t.conns, conn) { // a batch is small
		t.conns = append(t.conns, conn)
	}
}

// Flush flushes the connections in the order in which they were added, and empties the
// set.
func (t *Touched) Flush() {
	for _, conn := range t.conns {
		conn.Flush()
	}
	clear(t.conns)
	t.conns = t.conns[:0]
}
