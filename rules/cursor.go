package rules

import "radsec-gw/wire"

// cursor goes through the instances of one attribute in a packet. One in a
// Vendor-Specific that does not follow its vendor's layout is passed over, and so are TLVs
// in a value of WiMAX that is spread over several attributes; removeTLV removes these.
//
// Rule: AR9.
type cursor struct {
	off, next      int // the attribute being read, and where the next one begins
	sub            int // the vendor's attribute
	subNext        int
	subEnd         int
	tlv            int // the TLV in it
	tlvNext        int
	tlvEnd         int
	start, end     int  // the value found
	isPart, isMore bool // the vendor's attribute continues one before it, or is continued
}

func newCursor() cursor { return cursor{next: wire.MinLength} }

// find goes on to the next instance of a in the packet p, the value of which is then
// p[c.start:c.end].
func (c *cursor) find(p []byte, a *attribute) bool {
	for {
		switch {
		case c.tlvNext < c.tlvEnd:
			c.tlv = c.tlvNext
			c.tlvNext += int(p[c.tlv+1])
			c.start, c.end = c.tlv+2, c.tlvNext
			if p[c.tlv] == a.sub {
				return true
			}
		case c.subNext < c.subEnd:
			if c.findInside(p, a) {
				return true
			}
		case c.next >= len(p):
			return false
		default:
			if c.findAttribute(p, a) {
				return true
			}
		}
	}
}

// findAttribute reads the next attribute: true if it is an instance of a.
func (c *cursor) findAttribute(p []byte, a *attribute) bool {
	c.off = c.next
	c.next += int(p[c.off+1])
	switch {
	case p[c.off] != a.typ:
		return false
	case a.vendor != 0:
		if vendorOf(p[c.off:c.next]) == a.vendor && fills(a.layout, p[c.off+vendorHead:c.next]) {
			c.subNext, c.subEnd = c.off+vendorHead, c.next
		}
		return false
	case isExtended(a.typ) && (c.next-c.off < a.head() || p[c.off+2] != a.sub):
		return false
	}
	c.start, c.end = c.off+a.head(), c.next
	return a.tagMatches(p[c.start:c.end])
}

// findInside reads the next attribute of a Vendor-Specific: true if it is an instance of
// a.
func (c *cursor) findInside(p []byte, a *attribute) bool {
	number, n, _ := split(a.layout, p[c.subNext:c.subEnd])
	c.sub = c.subNext
	c.subNext += n
	if number != a.number {
		return false
	}
	c.start, c.end = c.sub+headerOf(a.layout), c.subNext
	c.isPart = c.isMore
	c.isMore = headerOf(a.layout) == 3 && a.layout != layout21 && p[c.sub+2]&moreBit != 0
	if a.sub == 0 {
		return a.tagMatches(p[c.start:c.end])
	}
	if !c.isPart && !c.isMore && fills(layout11, p[c.start:c.end]) {
		c.tlvNext, c.tlvEnd = c.start, c.end
	}
	return false
}

// whole reports whether the value found is not spread over several attributes.
func (c *cursor) whole() bool { return !c.isPart && !c.isMore }

// replace replaces the octets of the packet from at to the end of the value found. The
// lengths of what holds the value are changed: the caller has checked that they fit.
func (c *cursor) replace(e *Editor, a *attribute, at int, value []byte) error {
	by := len(value) - (c.end - at)
	if err := e.splice(at, c.end-at, value); err != nil {
		return err
	}
	c.end += by
	c.move(by)
	c.resize(e.packet, a, by)
	return nil
}

// move moves everything behind the value found.
func (c *cursor) move(by int) {
	c.next += by
	c.subNext += by
	c.subEnd += by
	c.tlvNext += by
	c.tlvEnd += by
}

// resize changes the lengths of what holds the value found.
func (c *cursor) resize(p []byte, a *attribute, by int) {
	p[c.off+1] = byte(int(p[c.off+1]) + by)
	if a.vendor == 0 {
		return
	}
	at := c.sub + 1
	if a.layout == layout21 {
		at++
	}
	p[at] = byte(int(p[at]) + by)
	if a.sub != 0 {
		p[c.tlv+1] = byte(int(p[c.tlv+1]) + by)
	}
}

// most returns how many octets the value found may have where it is, its tag included.
func (c *cursor) most(p []byte) int { return 255 - int(p[c.off+1]) + c.end - c.start }

// remove removes the instance found, and what holds it when nothing else remains in that.
func (c *cursor) remove(e *Editor, a *attribute) {
	b := e.own()
	from, to := c.off, c.next
	subHead := headerOf(a.layout)
	switch {
	case a.vendor == 0:
	case a.sub != 0 && int(c.end-c.tlv)+subHead < c.subNext-c.sub: // another TLV remains
		from, to = c.tlv, c.end
	case c.subNext-c.sub+vendorHead < c.next-c.off: // another of the vendor's remains
		from, to = c.sub, c.subNext
	}
	switch from {
	case c.off:
		c.subNext, c.subEnd, c.tlvNext, c.tlvEnd = 0, 0, 0, 0
	case c.sub:
		c.tlvNext, c.tlvEnd = 0, 0
		b[c.off+1] -= byte(to - from)
	default:
		at := c.sub + 1
		if a.layout == layout21 {
			at++
		}
		b[c.off+1] -= byte(to - from)
		b[at] -= byte(to - from)
	}
	c.move(from - to)
	e.packet = b[:from+copy(b[from:], b[to:])]
}
