package rules

import (
	"encoding/binary"

	"radsec-gw/wire"
)

// Editor is scratch for changing packets. It belongs to one goroutine. It holds the
// packets that Apply, StripFacts and ReplaceUserName return, the last one and the one
// before: what one has returned may be given to another.
type Editor struct {
	buffers [2][wire.MaxLength]byte
	views   [2]wire.View

	packet []byte // being changed: the original, until own copies it
	into   int    // the buffer to copy it to
	owned  bool

	value  [scratch]byte // of an attribute
	sealed [scratch]byte // the same, hidden
	matcher
}

// scratch is more than any value has: text beyond it is a mistake of the rule or of the
// facts, and a ValueError.
const scratch = 4096

// NewEditor returns an Editor.
func NewEditor() *Editor {
	return &Editor{matcher: matcher{jobs: make([]job, 0, 1024)}}
}

// begin begins to change v, which may be inside e.
func (e *Editor) begin(v *wire.View) {
	e.packet, e.owned, e.into = v.Packet, false, 0
	if &v.Packet[0] == &e.buffers[0][0] {
		e.into = 1
	}
}

// own makes the packet a copy that may be changed, and returns it.
func (e *Editor) own() []byte {
	if !e.owned {
		e.owned = true
		e.packet = e.buffers[e.into][:copy(e.buffers[e.into][:], e.packet)]
	}
	return e.packet
}

// end returns the packet as a view: v itself when nothing has changed.
func (e *Editor) end(v *wire.View) (*wire.View, error) {
	if !e.owned {
		return v, nil
	}
	binary.BigEndian.PutUint16(e.packet[2:], uint16(len(e.packet)))
	view := &e.views[e.into]
	if err := view.ParseLike(e.packet, v); err != nil {
		return nil, err
	}
	return view, nil
}

// splice replaces n octets of the packet at off by as many as value has. The error is
// wire.ErrTooLong when the packet would exceed 4096 octets (RFC 2865 §3).
func (e *Editor) splice(off, n int, value []byte) error {
	b := e.own()
	size := len(b) + len(value) - n
	if size > wire.MaxLength {
		return wire.ErrTooLong
	}
	tail := b[off+n:]
	b = b[:size]
	copy(b[off+len(value):], tail)
	copy(b[off:], value)
	e.packet = b
	return nil
}
