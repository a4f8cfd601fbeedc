package wire

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// The table is the file, row by row, and nothing else is hidden.
// Rules: P38, P41, P42
func TestHiddenTableIsTheFile(t *testing.T) {
	text, err := os.ReadFile("testdata/hidden-attributes.tsv")
	if err != nil {
		t.Fatal(err)
	}
	type key struct {
		vendor uint32
		number uint16
		sub    byte
	}
	want := map[key]rule{}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
	if len(lines) != len(hiddenAttributes) {
		t.Fatalf("file has %d rows, table %d", len(lines), len(hiddenAttributes))
	}
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("expected a number, got %q", s)
		}
		return n
	}
	for i, line := range lines {
		f := strings.Split(line, "\t")
		path := strings.Split(f[1], ".")
		k := key{vendor: uint32(number(f[0])), number: uint16(number(path[0]))}
		if len(path) == 2 {
			k.sub = byte(number(path[1]))
			want[key{k.vendor, k.number, 0}] = ruleTLVs
		}
		r := map[string]rule{"1": methodUserPassword, "2": methodSalted, "3": methodAscend, "4": methodSalted | ruleLEAP}[f[2]]
		if f[4] == "yes" {
			r |= ruleTagged
		}
		want[k] = r
		layout := map[string]format{"-": formatNone, "1,1": format11, "2,1": format21, "1,1,c": format11c}[f[6]]
		row := hiddenAttribute{k.vendor, k.number, k.sub, r, layout, f[7]}
		if hiddenAttributes[i] != row {
			t.Errorf("row %d: file says %+v, table %+v", i+2, row, hiddenAttributes[i])
		}
		if k.vendor != 0 && vendorFormat(k.vendor) != layout {
			t.Errorf("vendor %d: file says format %s, table %d", k.vendor, f[6], vendorFormat(k.vendor))
		}
		if k.vendor != 0 && VendorAttributeName(k.vendor, int(k.number), int(k.sub)) != f[7] {
			t.Errorf("row %d: expected the name %s, got %s", i+2, f[7], VendorAttributeName(k.vendor, int(k.number), int(k.sub)))
		}
	}
	vendors := map[uint32]bool{14988: true, 10415: true} // and two that hide nothing
	for k := range want {
		vendors[k.vendor] = true
	}
	for vendor := range vendors {
		for n := range 300 {
			for s := range 256 {
				k := key{vendor, uint16(n), byte(s)}
				if vendor == 0 {
					if s == 0 && n < 256 && standardRules[n] != want[k] {
						t.Errorf("attribute %d: expected rule %d, got %d", n, want[k], standardRules[n])
					}
				} else if got := vendorRule(vendor, k.number, k.sub); got != want[k] {
					t.Errorf("%d.%d.%d: expected rule %d, got %d", vendor, n, s, want[k], got)
				}
			}
		}
	}
	if vendorFormat(10415) != formatNone || vendorFormat(0) != formatNone {
		t.Error("a vendor outside the table has a format")
	}
	for vendor := range vendors { // doneParts knows parts by their number alone
		if vendorFormat(vendor) == format11c && vendor != wimax {
			t.Errorf("vendor %d has values in parts, expected WiMAX to be the only one", vendor)
		}
	}
}

// Every standard attribute with a rule is looked at when attributes are copied.
func TestHandlingKnowsEveryHiddenAttribute(t *testing.T) {
	for n, r := range standardRules {
		if how := handlingOf[n]; (r != 0) != (how == secretly || how == password) {
			t.Errorf("attribute %d has rule %d but handling %d", n, r, how)
		}
	}
}
