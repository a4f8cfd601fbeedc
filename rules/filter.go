package rules

import (
	"radsec-gw/wire"
	"radsec-gw/wire/dict"
)

// fate is what a filter does with an attribute.
type fate uint8

const (
	stays   fate = iota
	goes         // is removed
	depends      // on what is in it
)

// filter removes what it lists, or everything else. It is immutable.
type filter struct {
	keep  bool
	items []*attribute
	fates [256]fate
}

// newFilter returns a filter of these attributes.
func newFilter(keep bool, items []*attribute) *filter {
	f := &filter{keep: keep, items: items}
	for typ := range f.fates {
		if keep && !neverRemoved(byte(typ), 0) {
			f.fates[typ] = goes
		}
	}
	if keep {
		f.fates[typeVendorSpecific] = depends
		f.fates[typeExtended1] = depends
	}
	if !keep {
		f.watchDisguises()
	}
	for _, a := range items {
		switch {
		case a.vendor != 0 || a.allVendors || isExtended(a.typ) || a.hasTag:
			f.fates[a.typ] = depends
		case f.fates[a.typ] != depends:
			f.fates[a.typ] = goes
			if keep {
				f.fates[a.typ] = stays
			}
		}
	}
	// A type with and without a tag is the type without one.
	for _, a := range items {
		if a.vendor == 0 && !a.allVendors && !isExtended(a.typ) && !a.hasTag {
			f.fates[a.typ] = goes
			if keep {
				f.fates[a.typ] = stays
			}
		}
	}
	return f
}

// run filters the packet in e.
func (f *filter) run(e *Editor) {
	b, w := e.packet, wire.MinLength
	for r := wire.MinLength; r < len(b); {
		n := int(b[r+1])
		is := f.fates[b[r]]
		if is == depends {
			is = f.fateOf(b[r : r+n])
		}
		if is != stays {
			b = e.own()
		}
		switch is {
		case stays:
			if w != r {
				copy(b[w:], b[r:r+n])
			}
			w += n
		case depends:
			w = f.runInside(b, w, r, n)
		}
		r += n
	}
	if w != len(b) {
		e.packet = b[:w]
	}
}

// fateOf returns the fate of one attribute: depends when a part of a Vendor-Specific
// goes.
func (f *filter) fateOf(a []byte) fate {
	if a[0] != typeVendorSpecific {
		sub := byte(0)
		if isExtended(a[0]) && len(a) > 2 {
			sub = a[2]
		}
		if neverRemoved(a[0], sub) {
			return stays
		}
		if !f.keep && f.isDisguise(a) {
			return goes
		}
		return f.fateIf(f.lists(a[0], sub, a[2:]))
	}
	vendor := vendorOf(a)
	switch {
	case !f.keep && isNobodys(vendor):
		return goes
	case !f.keep && !f.names(vendor):
		return stays
	}
	layout := dict.LayoutOf(vendor)
	inside := a[min(vendorHead, len(a)):]
	if !fills(layout, inside) {
		if f.keep {
			return f.fateIf(f.listsAll(vendor))
		}
		return goes // what a server finds in it cannot be known
	}
	remain, removed := false, false
	for len(inside) > 0 {
		number, n, _ := split(layout, inside)
		if f.fateInside(vendor, number, inside[headerOf(layout):n]) == goes {
			removed = true
		} else {
			remain = true
		}
		inside = inside[n:]
	}
	switch {
	case !removed:
		return stays
	case !remain:
		return goes
	}
	return depends
}

// fateIf returns the fate of what the filter lists or does not list.
func (f *filter) fateIf(listed bool) fate {
	if listed == f.keep {
		return stays
	}
	return goes
}

// lists reports whether an attribute without a vendor is listed.
func (f *filter) lists(typ, sub byte, value []byte) bool {
	for _, a := range f.items {
		if a.typ == typ && a.sub == sub && a.vendor == 0 && a.tagMatches(value) {
			return true
		}
	}
	return false
}

// names reports whether an attribute of this vendor may be listed.
func (f *filter) names(vendor uint32) bool {
	for _, a := range f.items {
		if a.allVendors || a.vendor == vendor && vendor != 0 {
			return true
		}
	}
	return false
}

// listsAll reports whether all attributes of a vendor are listed.
func (f *filter) listsAll(vendor uint32) bool {
	for _, a := range f.items {
		if a.allVendors || a.allNumbers && a.vendor == vendor {
			return true
		}
	}
	return false
}

// fateInside returns the fate of one attribute of a vendor.
func (f *filter) fateInside(vendor uint32, number uint16, value []byte) fate {
	if vendor == vendorMicrosoft && protectedMicrosoft(number) {
		return stays
	}
	for _, a := range f.items {
		if a.allVendors || a.vendor == vendor && vendor != 0 && (a.allNumbers || a.sub == 0 && a.number == number && a.tagMatches(value)) {
			return f.fateIf(true)
		}
	}
	return f.fateIf(false)
}

// runInside copies the Vendor-Specific of n octets at r to w, without what goes, and
// returns where it ends.
func (f *filter) runInside(b []byte, w, r, n int) int {
	vendor := vendorOf(b[r : r+n])
	layout := dict.LayoutOf(vendor)
	start, end := w, r+n
	copy(b[w:], b[r:r+vendorHead])
	w += vendorHead
	for at := r + vendorHead; at < end; {
		number, size, _ := split(layout, b[at:end])
		if f.fateInside(vendor, number, b[at+headerOf(layout):at+size]) == stays {
			w += copy(b[w:], b[at:at+size])
		}
		at += size
	}
	b[start+1] = byte(w - start)
	return w
}
