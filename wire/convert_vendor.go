package wire

import (
	"encoding/binary"
	"errors"
)

const (
	chapKeys = 24 // octets of MS-CHAP-MPPE-Keys: LM 8, NT 16 (RFC 2548 §2.4.1)

	maxAttribute = 2 + maxValue // octets of an attribute with its header
)

// convertVendor writes the Vendor-Specific at src[off:] for the other side. A value
// that is split over several is written where its first part is.
func (c *cipher) convertVendor(dst []byte, n int, src []byte, off int, t *transfer) (end int, err error) {
	next := off + int(src[off+1])
	vendor, _ := vendorOf(src[off:next])
	f := vendorFormat(vendor)
	if inside := src[off+vendorHead : next]; !f.fills(inside) {
		if number, may := f.mayHold(inside, vendor); may {
			c.omitted.addVendor(OmittedUnreadable, vendor, number, 0)
			return n, nil
		}
		return appendTo(dst, n, src[off:next])
	}
	w := vendorWriter{dst: dst, n: n, vendor: vendor, format: f}
	for at := off + vendorHead; at < next; {
		number, size, _ := f.split(src[at:next])
		attribute := src[at : at+size]
		value, whole := attribute[f.header():], true
		switch r := ruleOf(vendor, number, value); {
		case signs11(vendor, number):
		case r == 0:
			err = w.copy(attribute)
		case f == format11c && c.done.has(number, at):
		default:
			if f.more(attribute) {
				value, whole = c.join(parts{b: src, vendor: vendor, number: number, at: at, end: next, next: next})
			}
			if whole {
				err = c.convertInside(&w, attribute[:f.header()], value, number, r, t)
			} else { // an errUnreadable: none of its parts is written
				c.omitted.addVendor(OmittedUnreadable, vendor, number, 0)
			}
		}
		if err != nil {
			return 0, err
		}
		at += size
	}
	return w.n, nil
}

// mayHold reports whether b, the inside of a Vendor-Specific whose inner lengths
// do not fit, begins one of the vendor's attributes that must not be copied as it
// is: one with a value to hide or to reveal, whose end is unknown, or a signature.
// number is that attribute's. Such a Vendor-Specific is omitted, for the same reasons
// as an errUnreadable. After a length that does not fit no attribute can be found.
func (f format) mayHold(b []byte, vendor uint32) (number uint16, may bool) {
	for len(b) > 0 {
		number, n, ok := f.split(b)
		if !ok {
			if f == format21 && len(b) < 2 {
				return 0, false // half a number
			}
			if number = uint16(b[0]); f == format21 {
				number = binary.BigEndian.Uint16(b)
			}
			n = len(b)
		}
		if signs11(vendor, number) || ruleOf(vendor, number, b[min(f.header(), n):n]) != 0 {
			return number, true
		}
		b = b[n:]
	}
	return 0, false
}

// convertInside writes one vendor attribute that has a rule; head is its header.
func (c *cipher) convertInside(w *vendorWriter, head, value []byte, number uint16, r rule, t *transfer) error {
	var err error
	if r&ruleTLVs != 0 {
		value, err = c.convertTLVs(c.made[:0], value, w.vendor, number, t)
	} else {
		value, err = c.convertValue(c.made[:0], value, r, t)
	}
	switch {
	case err == nil:
		return w.write(head, value)
	case err == errNothingRemains:
		return nil
	case t.omits(err):
		c.omitted.addVendor(omissionOf(err), w.vendor, number, 0)
		return nil
	}
	return err
}

// errNothingRemains is returned for a row of TLVs each of which is omitted.
var errNothingRemains = errors.New("no TLV remains")

// convertTLVs appends to out a row of TLVs, those of them that are hidden in
// their other form, or omitted when they have none. An empty value is valid, but the
// error is errNothingRemains when every TLV was omitted.
func (c *cipher) convertTLVs(out, value []byte, vendor uint32, number uint16, t *transfer) ([]byte, error) {
	if len(value) == 0 {
		return out, nil
	}
	if !format11.fills(value) {
		return nil, errUnreadable
	}
	start := len(out)
	for len(value) > 0 {
		sub, n, _ := format11.split(value)
		at := len(out)
		if n > cap(out)-at {
			return nil, ErrTooLong
		}
		made, err := c.convertValue(append(out, value[0], 0), value[2:n], vendorRule(vendor, number, byte(sub)), t)
		if t.omits(err) {
			c.omitted.addVendor(omissionOf(err), vendor, number, byte(sub))
			value = value[n:]
			continue
		}
		if err != nil {
			return nil, err
		}
		out = made
		size := len(out) - at
		if size > 255 {
			return nil, ErrValueTooLong
		}
		out[at+1] = byte(size)
		value = value[n:]
	}
	if len(out) == start {
		return nil, errNothingRemains
	}
	return out, nil
}

// vendorWriter writes the attributes of one vendor into Vendor-Specifics, as
// many as they need: values that have grown may not fit into the one they were in.
type vendorWriter struct {
	dst    []byte
	n      int // where dst ends
	vendor uint32
	format format
	start  int // of the Vendor-Specific that is open; 0: none
}

// reserve makes sure that the open Vendor-Specific can take size more octets: it
// begins another when it cannot.
func (w *vendorWriter) reserve(size int) error {
	if vendorHead+size > maxAttribute {
		return ErrValueTooLong
	}
	if w.start == 0 || w.n-w.start+size > maxAttribute {
		if vendorHead+size > len(w.dst)-w.n {
			return ErrTooLong
		}
		w.start = w.n
		w.dst[w.n] = typeVendorSpecific
		binary.BigEndian.PutUint32(w.dst[w.n+2:], w.vendor)
		w.n += vendorHead
	}
	if size > len(w.dst)-w.n {
		return ErrTooLong
	}
	w.dst[w.start+1] = byte(w.n - w.start + size)
	return nil
}

// copy writes a vendor attribute as it is.
func (w *vendorWriter) copy(attribute []byte) error {
	if err := w.reserve(len(attribute)); err != nil {
		return err
	}
	w.n += copy(w.dst[w.n:], attribute)
	return nil
}

// write writes a vendor attribute with the header head and a value of another
// length; WiMAX's in several Vendor-Specifics when it needs them.
func (w *vendorWriter) write(head, value []byte) error {
	const most = maxAttribute - vendorHead
	for split := false; ; split = true {
		part := value
		if w.format == format11c && len(head)+len(part) > most {
			part = part[:most-len(head)]
		}
		value = value[len(part):]
		size := len(head) + len(part)
		if err := w.reserve(size); err != nil {
			return err
		}
		at := w.n
		w.n += copy(w.dst[w.n:], head)
		w.n += copy(w.dst[w.n:], part)
		if w.format == format21 {
			w.dst[at+2] = byte(size)
			return nil
		}
		w.dst[at+1] = byte(size)
		if w.format != format11c {
			return nil
		}
		w.dst[at+2] &^= moreBit
		more := len(value) > 0
		if more {
			w.dst[at+2] |= moreBit
		}
		if more || split {
			w.start = 0 // a part, the last one too, has nothing else in its Vendor-Specific
		}
		if !more {
			return nil
		}
	}
}
