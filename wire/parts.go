package wire

// parts walks the parts of one WiMAX value that is spread over several attributes:
// the vendor attributes of one number, each but the last of which says that the
// value goes on. They are found wherever they stand: what lies between them, in a
// Vendor-Specific of their own or in one with others, does not matter (RFC 6929
// §2.2 has the like for its own fragments).
type parts struct {
	b       []byte // attributes, up to the packet's end
	vendor  uint32
	number  uint16
	at, end int  // what is left of the Vendor-Specific being read
	next    int  // the attribute after it
	broken  bool // its inner lengths do not fit
}

// step returns the value of the next part, and whether the value goes on after it.
// readable is false for a part in a Vendor-Specific whose inner lengths do not
// fit: it has been there, but what it holds cannot be known. When there is none
// the value does not go on either, and is not readable.
func (p *parts) step() (value []byte, more, readable bool) {
	head := format11c.header()
	for {
		for p.at < p.end {
			rest := p.b[p.at:p.end]
			number, n, whole := format11c.split(rest)
			if !whole {
				number, n = uint16(rest[0]), len(rest)
			}
			p.at += n
			if number != p.number {
				continue
			}
			// Without a continuation octet it is anybody's guess: it may go on.
			more = len(rest) < head || rest[head-1]&moreBit != 0
			if p.broken {
				return nil, more, false
			}
			return rest[head:n], more, true
		}
		if p.next >= len(p.b) {
			return nil, false, false
		}
		off := p.next
		p.next += int(p.b[off+1])
		if p.b[off] != typeVendorSpecific {
			continue
		}
		if vendor, ok := vendorOf(p.b[off:p.next]); ok && vendor == p.vendor {
			p.at, p.end = off+vendorHead, p.next
			p.broken = !format11c.fills(p.b[p.at:p.end])
		}
	}
}

// join puts the parts from p on together. They are done then. Not whole: the last
// is missing, or one of them cannot be read.
func (c *cipher) join(p parts) (value []byte, whole bool) {
	n := 0
	whole = true
	for more := true; more; {
		var part []byte
		var readable bool
		part, more, readable = p.step()
		whole = whole && readable
		n += copy(c.joined[n:], part) // fits: a packet is no longer than joined
	}
	c.done.add(p.number, p.at)
	return c.joined[:n], whole
}

// rehideParts rewrites a value that is spread over several attributes, whose first
// is at p: one cipher text, joined, rewritten and laid back over the same borders.
// When it is not whole all parts are left as they came.
func (c *cipher) rehideParts(p parts, r rule, t *transfer) error {
	joined, whole := c.join(p)
	if !whole {
		return nil
	}
	c.rehideValue(joined, p.vendor, p.number, r, t)
	if err := c.rekeyAll(t); err != nil {
		return err
	}
	for more := true; more; {
		var part []byte
		part, more, _ = p.step()
		joined = joined[copy(part, joined):]
	}
	return nil
}

// doneParts says which attributes of a packet are parts of a value that was dealt
// with at its first part. Only one vendor's values have parts, so the number says
// which: all attributes of a number up to an offset.
type doneParts struct {
	until [256]uint16
	any   bool
}

// clear forgets the packet before.
func (d *doneParts) clear() {
	if d.any {
		*d = doneParts{}
	}
}

func (d *doneParts) add(number uint16, until int) {
	d.until[byte(number)], d.any = uint16(until), true
}

// has reports whether the attribute with this number at this offset is done.
func (d *doneParts) has(number uint16, at int) bool { return at < int(d.until[byte(number)]) }
