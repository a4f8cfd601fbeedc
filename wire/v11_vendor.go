package wire

import "encoding/binary"

// ruleKeys is for MS-CHAP-MPPE-Keys: of fixed length, and may end in zeros.
const ruleKeys rule = 16

const (
	chapKeys = 24 // octets of these keys: LM 8, NT 16 (RFC 2548 §2.4.1)

	maxAttribute = 2 + maxValue // octets of an attribute with its header
)

// convertVendor writes the Vendor-Specific at src[off:] for the other side, with
// the fragments that follow it. It returns the offset of the attribute to go on
// with. One whose inside does not follow its vendor's layout is copied as it is.
func (h *hider) convertVendor(dst []byte, n int, src []byte, off int, c *conversion) (end, next int, err error) {
	next = off + int(src[off+1])
	vendor, ok := vendorOf(src[off:next])
	f := formatNone
	if ok {
		f = vendorFormat(vendor)
	}
	if f == formatNone || !f.fills(src[off+vendorHead:next]) {
		end, err = appendTo(dst, n, src[off:next])
		return end, next, err
	}
	w := vendorWriter{dst: dst, n: n, vendor: vendor, format: f}
	for at, inside := off+vendorHead, next; at < inside; {
		number, size, _ := f.split(src[at:inside])
		attribute := src[at : at+size]
		value, whole := attribute[f.header():], true
		r := vendorRule(vendor, number, 0)
		if r != 0 && f.more(attribute) {
			value, next, whole = h.join(src, at, inside, vendor, number)
		}
		switch {
		case r == 0:
			err = w.copy(attribute)
		case !whole:
			err = c.leaveOut()
		default:
			err = h.convertInside(&w, attribute[:f.header()], value, number, r, c)
		}
		if err != nil {
			return 0, 0, err
		}
		at += size
	}
	return w.n, next, nil
}

// convertInside writes one vendor attribute that has a rule; head is its header.
func (h *hider) convertInside(w *vendorWriter, head, value []byte, number uint16, r rule, c *conversion) error {
	var err error
	switch {
	case r&ruleTLVs != 0:
		value, err = h.convertTLVs(h.made[:0], value, w.vendor, number, c)
	case w.vendor == vendorMicrosoft && r == methodUserPassword:
		value, err = h.convertValue(h.made[:0], value, r|ruleKeys, c)
	default:
		value, err = h.convertValue(h.made[:0], value, r, c)
	}
	switch err {
	case nil:
		return w.write(head, value)
	case errUnreadable:
		return c.leaveOut()
	}
	return err
}

// convertTLVs appends to out a row of TLVs, those of them that are hidden in
// their other form.
func (h *hider) convertTLVs(out, value []byte, vendor uint32, number uint16, c *conversion) ([]byte, error) {
	if !format11.fills(value) {
		return nil, errUnreadable
	}
	for len(value) > 0 {
		sub, n, _ := format11.split(value)
		at := len(out)
		if n > cap(out)-at {
			return nil, ErrTooLong
		}
		out = append(out, value[0], 0)
		var err error
		if out, err = h.convertValue(out, value[2:n], vendorRule(vendor, number, byte(sub)), c); err != nil {
			return nil, err
		}
		size := len(out) - at
		if size > 255 {
			return nil, ErrValueTooLong
		}
		out[at+1] = byte(size)
		value = value[n:]
	}
	return out, nil
}

// join puts together a value that begins with the vendor attribute at
// b[at:end], which says that more follows, and goes on in the next
// Vendor-Specifics. It returns where these end; not whole when the last is missing.
func (h *hider) join(b []byte, at, end int, vendor uint32, number uint16) (value []byte, next int, whole bool) {
	_, size, _ := format11c.split(b[at:end])
	if at+size != end { // something else follows in the same Vendor-Specific
		return nil, end, false
	}
	n := copy(h.joined[:], b[at+format11c.header():end])
	next = end
	for last := false; !last; {
		var part []byte
		if part, last, next, whole = fragment(b, next, vendor, number); !whole {
			return nil, next, false
		}
		n += copy(h.joined[n:], part)
	}
	return h.joined[:n], next, true
}

// vendorWriter writes the attributes of one vendor into Vendor-Specifics, as
// many as they need: values that have grown may not fit into the one they came in.
type vendorWriter struct {
	dst    []byte
	n      int // where dst ends
	vendor uint32
	format format
	start  int // of the Vendor-Specific that is open; 0: none
}

// room makes sure that the open Vendor-Specific has room for size octets more.
func (w *vendorWriter) room(size int) error {
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
	if err := w.room(len(attribute)); err != nil {
		return err
	}
	w.n += copy(w.dst[w.n:], attribute)
	return nil
}

// write writes a vendor attribute with the header head and a value of another
// length; WiMAX's in several Vendor-Specifics when it needs them.
func (w *vendorWriter) write(head, value []byte) error {
	const most = maxAttribute - vendorHead
	for {
		part := value
		if w.format == format11c && len(head)+len(part) > most {
			part = part[:most-len(head)]
		}
		value = value[len(part):]
		size := len(head) + len(part)
		if err := w.room(size); err != nil {
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
		if len(value) == 0 {
			return nil
		}
		w.dst[at+2] |= moreBit
		w.start = 0 // a fragment has nothing else in its Vendor-Specific
	}
}
