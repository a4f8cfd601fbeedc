package record

// windowSize is how far behind the newest record another may arrive (RFC 6347 §4.1.2.6: 64
// by default).
const windowSize = 64

// Window remembers which records have been received. The zero Window has seen none.
type Window struct {
	next uint64 // the lowest sequence number above all that were received
	seen uint64 // bit i: next-1-i was received
}

// NewWindow returns a Window to which all sequence numbers below next have been received.
func NewWindow(next uint64) Window { return Window{next: next, seen: ^uint64(0)} }

// New reports whether a record with a sequence number may be new: it was not received before,
// and is not too old to know.
func (w *Window) New(sequence uint64) bool {
	if sequence >= w.next {
		return true
	}
	age := w.next - 1 - sequence
	return age < windowSize && w.seen&(1<<age) == 0
}

// Newest reports whether a sequence number is above all that were received.
func (w *Window) Newest(sequence uint64) bool { return sequence >= w.next }

// Add records a record that was authentic.
func (w *Window) Add(sequence uint64) {
	if sequence < w.next {
		w.seen |= 1 << (w.next - 1 - sequence)
		return
	}
	if shift := sequence + 1 - w.next; shift < windowSize {
		w.seen = w.seen<<shift | 1
	} else {
		w.seen = 1
	}
	w.next = sequence + 1
}
