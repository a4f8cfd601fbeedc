package twin

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// value returns a value in the form of the other side, after prefix, which is not
// changed; false: it is omitted. keep is how many octets of a Password are the key when
// it may end in zeros; 0: zeros are padding.
func (c *transfer) value(how Method, prefix, v []byte, keep int) (piece, bool) {
	switch {
	case how == Plain:
		return literal(append(bytes.Clone(prefix), v...)), true
	case c.v11 && c.toServer:
		return c.conceal(how, prefix, v)
	case !how.fits(v):
		return literal(append(bytes.Clone(prefix), v...)), !c.v11 // P8
	}
	blocks := how.open(v, c.from)
	salted := how == Salted || how == Tagged
	impossible := salted && int(blocks[0]) > len(blocks)-1
	if impossible && c.code == AccessAccept {
		c.fail(ErrHidden) // an Access-Accept needs its keys
	}
	if impossible && (c.v11 || c.code == AccessAccept) {
		return piece{}, false
	}
	if !c.v11 {
		return hiddenPiece(newJob(how, prefix, v[0], blocks)), true // P35: padded blocks unchanged
	}
	out := bytes.Clone(prefix)
	switch {
	case salted:
		if how == Tagged {
			out = append(out, tagOf(v)) // P127
		}
		out = append(out, blocks[1:1+int(blocks[0])]...)
	case keep > 0:
		out = append(out, blocks[:min(keep, len(blocks))]...)
	default:
		out = append(out, bytes.TrimRight(blocks, "\x00")...) // P126
	}
	return literal(out), true
}

// tagOf returns the tag that a value begins with; an octet above 0x1f is not one (RFC
// 2868 §3.3).
func tagOf(v []byte) byte {
	if len(v) == 0 || v[0] > 0x1f {
		return 0
	}
	return v[0]
}

// conceal hides a value that RADIUS/1.1 has in clear.
func (c *transfer) conceal(how Method, prefix, v []byte) (piece, bool) {
	if how == Ascend && len(v) > 16 {
		c.fail(fmt.Errorf("a secret of %d octets: %w", len(v), ErrTooLong))
		return piece{}, false
	}
	tag := byte(0)
	if how == Tagged {
		if tag = tagOf(v); len(v) > 0 && v[0] <= 0x1f {
			v = v[1:]
		}
	}
	if how == Salted || how == Tagged {
		if len(v) > 255 {
			c.fail(fmt.Errorf("a value of %d octets: %w", len(v), ErrTooLong))
			return piece{}, false
		}
		v = append([]byte{byte(len(v))}, v...)
	}
	return hiddenPiece(newJob(how, prefix, tag, pad(v))), true
}

// inner is one attribute inside a Vendor-Specific.
type inner struct {
	number int
	head   []byte
	value  []byte
	more   bool // WiMAX: continues in the next Vendor-Specific
}

// split reads the attributes inside a Vendor-Specific. fits is false when the lengths do
// not fit; then list has what could be read, and the type of what could not.
func split(layout string, b []byte) (list []inner, fits bool) {
	if len(b) == 0 {
		return nil, false
	}
	for len(b) > 0 {
		i, n := inner{number: int(b[0])}, 0
		head := map[string]int{layout11: 2, layout21: 3, layout11c: 3}[layout]
		if layout == layout21 {
			i.number = -1
			if len(b) > 1 {
				i.number = int(binary.BigEndian.Uint16(b))
			}
		}
		if len(b) >= head {
			n = int(b[head-1])
			if layout == layout11c {
				n = int(b[1])
			}
		}
		i.more = layout == layout11c && (len(b) < head || b[2]&0x80 != 0)
		if len(b) < head || n < head || n > len(b) {
			i.value = b[min(head, len(b)):]
			return append(list, i), false
		}
		i.head, i.value = b[:head], b[head:n]
		list, b = append(list, i), b[n:]
	}
	return list, true
}

// methodOf returns how the value of a vendor's attribute is hidden, and how many octets
// precede the hidden ones.
func (c *transfer) methodOf(vendor uint32, i inner) (how Method, prefix int) {
	if vendor == Cisco && i.number == 1 && len(i.value) >= len(leapPrefix) && strings.EqualFold(string(i.value[:len(leapPrefix)]), leapPrefix) {
		return Salted, len(leapPrefix)
	}
	return Hidden[Key{vendor, i.number, 0}], 0
}

// secret reports whether a vendor's attribute must not be copied unchanged between
// RADIUS/1.0 and 1.1.
func (c *transfer) secret(vendor uint32, i inner) bool {
	how, _ := c.methodOf(vendor, i)
	return how != Plain || container(vendor, i.number) || c.signature(vendor, i)
}

// signature reports whether a vendor's attribute signs packets, which RADIUS/1.1 does
// not have (P125).
func (c *transfer) signature(vendor uint32, i inner) bool {
	return c.v11 && vendor == Cisco && (i.number == 17 || i.number == 18)
}

// vendorSpecific writes a Vendor-Specific, the at-th of the attributes.
func (c *transfer) vendorSpecific(at int, v []byte) {
	if len(v) < 4 {
		c.out.attribute(vendor, literal(v))
		return
	}
	number := binary.BigEndian.Uint32(v)
	layout, known := vendors[number]
	var inside []inner
	fits := false
	if known {
		inside, fits = split(layout, v[4:])
	}
	if !fits {
		for _, i := range inside {
			if c.v11 && c.secret(number, i) {
				return // its key would be copied in clear, or hidden
			}
		}
		c.out.attribute(vendor, literal(v))
		return
	}
	w := &writer{c: c, vendor: v[:4], layout: layout}
	for k, i := range inside {
		how, _ := c.methodOf(number, i)
		link := c.links[[2]int{at, k}]
		switch {
		case c.signature(number, i):
		case how == Plain && !container(number, i.number), link != nil && !link.of.whole && !c.v11:
			w.keep(i)
		case link != nil:
			c.chained(w, number, i, link)
		default:
			if p, ok := c.inside(number, i); ok {
				w.add(i, p)
			}
		}
	}
	w.end()
}

// chained writes a part of a value that is split over several attributes: where it was,
// or, when lengths change, the whole value at the first.
func (c *transfer) chained(w *writer, number uint32, i inner, l *link) {
	chain := l.of
	if !chain.whole {
		return
	}
	if l.from == 0 && !chain.read {
		chain.read = true
		i.value = chain.value
		p, ok := c.inside(number, i)
		if chain.p = p; ok && c.v11 {
			w.add(i, p)
		}
	}
	if !c.v11 && len(chain.p.octets) == len(chain.value) {
		w.raw(i.head, chain.p.cut(l.from, l.to))
	}
}

// inside returns the value of a vendor's attribute for the other side.
func (c *transfer) inside(number uint32, i inner) (piece, bool) {
	if container(number, i.number) {
		return c.container(number, i)
	}
	keep := 0
	if number == Microsoft && i.number == 12 {
		keep = 24
	}
	how, prefix := c.methodOf(number, i)
	return c.value(how, i.value[:prefix], i.value[prefix:], keep)
}

// container returns a row of TLVs, those of them that are hidden for the other side.
func (c *transfer) container(number uint32, i inner) (piece, bool) {
	tlvs, fits := split(layout11, i.value)
	if !fits {
		return literal(i.value), len(i.value) == 0 || !c.v11
	}
	var all piece
	for _, tlv := range tlvs {
		p, ok := c.value(Hidden[Key{number, i.number, byte(tlv.number)}], nil, tlv.value, 0)
		if !ok {
			continue
		}
		if len(p.octets) > 253 {
			c.fail(fmt.Errorf("a TLV of %d octets: %w", len(p.octets), ErrTooLong))
			return piece{}, false
		}
		all = join(all, literal([]byte{byte(tlv.number), byte(2 + len(p.octets))}), p)
	}
	return all, len(all.octets) > 0
}

// writer writes vendor attributes into Vendor-Specifics of at most 255 octets: the same
// ones where no length has changed, otherwise as few as possible.
type writer struct {
	c      *transfer
	vendor []byte
	layout string
	open   piece
}

// add writes one attribute.
func (w *writer) add(i inner, p piece) {
	if w.c.v11 {
		w.spread(i, p)
	} else {
		w.raw(i.head, p)
	}
}

// raw writes an attribute whose length has not changed.
func (w *writer) raw(head []byte, p piece) { w.open = join(w.open, literal(head), p) }

// keep writes an attribute unchanged.
func (w *writer) keep(i inner) {
	if len(w.open.octets)+len(i.head)+len(i.value) > 249 {
		w.end()
	}
	w.open = join(w.open, literal(i.head), literal(i.value))
}

// spread writes an attribute from or to RADIUS/1.1; a WiMAX value in several
// Vendor-Specifics when it needs them.
func (w *writer) spread(i inner, p piece) {
	const most = 249
	wasSplit := false
	for {
		chunk, more := p, false
		if n := most - len(i.head); w.layout == layout11c && len(p.octets) > n {
			chunk, p, more = p.cut(0, n), p.cut(n, len(p.octets)), true
		}
		head, size := bytes.Clone(i.head), len(i.head)+len(chunk.octets)
		if size > most {
			w.c.fail(fmt.Errorf("vendor attribute %d: %w", i.number, ErrTooLong))
			return
		}
		if len(w.open.octets)+size > most {
			w.end()
		}
		if w.layout == layout21 {
			head[2] = byte(size)
		} else {
			head[1] = byte(size)
		}
		if w.layout == layout11c {
			head[2] &^= 0x80
			if more {
				head[2] |= 0x80
			}
		}
		w.open = join(w.open, literal(head), chunk)
		if more || wasSplit {
			w.end() // a fragment has nothing else in its Vendor-Specific
		}
		if !more {
			return
		}
		wasSplit = true
	}
}

// end closes the Vendor-Specific that is open.
func (w *writer) end() {
	if len(w.open.octets) > 0 {
		w.c.out.attribute(vendor, join(literal(w.vendor), w.open))
	}
	w.open = piece{}
}
