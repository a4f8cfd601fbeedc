package dict

import (
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for _, c := range []struct{ want, got string }{
		{"Message-Authenticator", Name(80, 0)}, {"Operator-Name", Name(126, 0)}, {"Attr-230", Name(230, 0)},
		{"Extended-Attribute-1", Name(241, 0)}, {"Frag-Status", Name(241, 1)}, {"Proxy-State-Length", Name(241, 2)},
		{"Response-Length", Name(241, 3)}, {"Operator-NAS-Identifier", Name(241, 8)},
		{"Attr-241.5", Name(241, 5)}, {"Attr-242.1", Name(242, 1)},
		{"MS-CHAP-Response", VendorName(311, 1, 0)}, {"MS-MPPE-Recv-Key", VendorName(311, 17, 0)},
		{"MS-TSG-Device-Redirection", VendorName(311, 63, 0)}, {"Vendor-311-Attr-64", VendorName(311, 64, 0)},
		{"Vendor-311-Attr-200", VendorName(311, 200, 0)}, {"Vendor-311", VendorName(311, 0, 0)},
		{"WiMAX-hDHCP-DHCP-RK", VendorName(24757, 86, 3)}, {"Vendor-24757-Attr-86.4", VendorName(24757, 86, 4)},
		{"Vendor-0-Attr-69", VendorName(0, 69, 0)}, // a Vendor-Specific with vendor number 0 is not a standard attribute
	} {
		if c.got != c.want {
			t.Errorf("expected the name %s, got %s", c.want, c.got)
		}
	}
}

// Every attribute is found by its numbers and, in letters of either case, by its
// name, which it shares with no other.
func TestEveryAttributeIsFound(t *testing.T) {
	n := 0
	for a := range All() {
		n++
		if got := Lookup(a.Vendor, a.Number, a.Sub); got != a {
			t.Errorf("%s is not at %d.%d.%d: got %v", a.Name, a.Vendor, a.Number, a.Sub, got)
		}
		for _, name := range []string{a.Name, strings.ToUpper(a.Name), strings.ToLower(a.Name)} {
			if got := ByName(name); got != a {
				t.Errorf("%s: expected it at %d.%d.%d, got %+v", name, a.Vendor, a.Number, a.Sub, got)
			}
		}
	}
	if n != len(attributes) {
		t.Errorf("expected %d attributes, got %d", len(attributes), n)
	}
	for range All() { // may be left before its end
		break
	}
	if !slices.IsSortedFunc(attributes[:], compare) {
		t.Error("attributes are not sorted")
	}
	if a := Lookup(311, 64, 0); a != nil {
		t.Errorf("found %+v, which is not in the dictionary", a)
	}
	if a := ByName("No-Such-Attribute"); a != nil {
		t.Errorf("found %+v, which is not in the dictionary", a)
	}
}

func TestLayouts(t *testing.T) {
	for vendor, want := range map[uint32]Layout{311: Layout11, 4846: Layout21, 24757: Layout11c, 99999: Layout11} {
		if got := LayoutOf(vendor); got != want {
			t.Errorf("vendor %d: expected layout %d, got %d", vendor, want, got)
		}
	}
	for a := range All() {
		if a.Vendor != 0 && !slices.ContainsFunc(vendors[:], func(v Vendor) bool { return v.Number == a.Vendor }) {
			t.Errorf("%s is of vendor %d, which is not listed", a.Name, a.Vendor)
		}
	}
}

func TestHasTLVs(t *testing.T) {
	for _, c := range []struct {
		vendor uint32
		number uint16
		want   bool
	}{{24757, 86, true}, {24757, 85, false}, {41112, 5, true}, {41112, 6, false}, {0, 241, false}} {
		if got := HasTLVs(c.vendor, c.number); got != c.want {
			t.Errorf("%d.%d: expected %t, got %t", c.vendor, c.number, c.want, got)
		}
	}
}
