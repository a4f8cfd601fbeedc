package logs

// batch is a sequence of lines to be written. Its arrays never grow.
type batch struct {
	text  []byte
	lines []mark

	// how far it is written
	written int // bytes of text
	whole   int // lines
}

// mark is the end of a line in the batch's text.
type mark struct {
	end  int32
	kind Kind
}

func newBatch(bytes, lines int) *batch {
	return &batch{text: make([]byte, 0, bytes), lines: make([]mark, 0, lines)}
}

// add appends a line with its priority before it, unless it does not fit. The lines of requests may fill only three
// quarters, so that a busy gateway with a request log still has space for events.
func (b *batch) add(kind Kind, priority string, line []byte) bool {
	bytes, lines := cap(b.text), cap(b.lines)
	if kind != KindEvent {
		bytes, lines = bytes/4*3, lines/4*3
	}
	if len(b.text)+len(priority)+len(line) > bytes || len(b.lines) >= lines {
		return false
	}
	b.text = append(append(b.text, priority...), line...)
	b.lines = append(b.lines, mark{end: int32(len(b.text)), kind: kind})
	return true
}

// halfFull reports whether the batch is at least half full.
func (b *batch) halfFull() bool {
	return len(b.text) >= cap(b.text)/2 || len(b.lines) >= cap(b.lines)/2
}

// rest returns the text that is not written yet.
func (b *batch) rest() []byte { return b.text[b.written:] }

// advance notes that n more bytes are written, and calls done with the kind of
// each line that is whole by that.
func (b *batch) advance(n int, done func(Kind)) {
	b.written += n
	for b.whole < len(b.lines) && int(b.lines[b.whole].end) <= b.written {
		done(b.lines[b.whole].kind)
		b.whole++
	}
}

func (b *batch) reset() {
	b.text, b.lines, b.written, b.whole = b.text[:0], b.lines[:0], 0, 0
}
