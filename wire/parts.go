package wire

// parts iterates over the parts of one WiMAX value that is split over several
// attributes: the vendor attributes of one number, each but the last with the bit that
// says that the value continues. They may be in a Vendor-Specific of their own or in
// one with others, with other attributes between them (RFC 6929 §2.2 has the like for
// its own fragments).
type parts struct {
	b       []byte // attributes, up to the packet's end
	vendor  uint32
	number  uint16
	at, end int  // what remains of the Vendor-Specific being read
	next    int  // the attribute after it
	broken  bool // its inner lengths do not fit
}

// step returns the value of the next part, and whether the value continues after it.
// readable is false for a part in a Vendor-Specific whose inner lengths do not fit, so
// that the part's value is unknown. When there is no part both are false.
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
			// Without a continuation octet the value may continue.
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

// join concatenates the parts from p on and marks them as done. The value is not whole
// when the last part is missing or one of them cannot be read.
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

// rehideParts rewrites a value that is split over several attributes, the first of
// which is at p: it is joined, rewritten, and split at the same places. When it is not
// whole all parts are left unchanged.
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

// doneParts records which attributes of a packet are parts of a value that was handled
// at its first part: all attributes of a number up to an offset. The number is enough,
// because only one vendor's values have parts.
type doneParts struct {
	until [256]uint16
	any   bool
}

// clear removes what belongs to the previous packet.
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
