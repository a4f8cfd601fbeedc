package dict

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Lookup returns the attribute with a number, of a vendor or, when vendor is 0,
// of none; when sub is not 0 the TLV or the extended type inside it. It returns
// nil for one that is not known.
func Lookup(vendor uint32, number uint16, sub byte) *Attribute {
	i, found := slices.BinarySearchFunc(attributes[:], Attribute{Vendor: vendor, Number: number, Sub: sub}, compare)
	if !found {
		return nil
	}
	return &attributes[i]
}

func compare(a, b Attribute) int {
	return cmp.Or(cmp.Compare(a.Vendor, b.Vendor), cmp.Compare(a.Number, b.Number), cmp.Compare(a.Sub, b.Sub))
}

// ByName returns the attribute with a name, ignoring case, or nil.
func ByName(name string) *Attribute {
	for a := range All() {
		if strings.EqualFold(a.Name, name) {
			return a
		}
	}
	return nil
}

// All yields every attribute in order of vendor, number and sub. They are read only.
func All() iter.Seq[*Attribute] {
	return func(yield func(*Attribute) bool) {
		for i := range attributes {
			if !yield(&attributes[i]) {
				return
			}
		}
	}
}

// HasTLVs reports whether a vendor's attribute is known to hold TLVs.
func HasTLVs(vendor uint32, number uint16) bool {
	return vendor != 0 && slices.ContainsFunc(attributes[:], func(a Attribute) bool {
		return a.Vendor == vendor && a.Number == number && a.Sub != 0
	})
}

// LayoutOf returns how a vendor lays out its attributes; for one that is not known
// what RFC 2865 §5.26 recommends.
func LayoutOf(vendor uint32) Layout {
	for i := range vendors {
		if vendors[i].Number == vendor {
			return vendors[i].Layout
		}
	}
	return Layout11
}

// Name returns the name of an attribute without a vendor, or of the extended type
// sub inside it; "Attr-…" for one that is not known.
func Name(number, sub byte) string {
	if a := Lookup(0, uint16(number), sub); a != nil {
		return a.Name
	}
	if sub != 0 {
		return fmt.Sprintf("Attr-%d.%d", number, sub)
	}
	return fmt.Sprintf("Attr-%d", number)
}

// VendorName returns the name of a vendor's attribute, or of the TLV sub inside it;
// "Vendor-…" for one that is not known. Number 0 means a Vendor-Specific whose content
// could not be read.
func VendorName(vendor uint32, number uint16, sub byte) string {
	if a := Lookup(vendor, number, sub); a != nil && vendor != 0 {
		return a.Name
	}
	switch {
	case sub != 0:
		return fmt.Sprintf("Vendor-%d-Attr-%d.%d", vendor, number, sub)
	case number != 0:
		return fmt.Sprintf("Vendor-%d-Attr-%d", vendor, number)
	}
	return fmt.Sprintf("Vendor-%d", vendor)
}
