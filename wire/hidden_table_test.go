package wire

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"radsec-gw/wire/dict"
)

// hiddenAttribute is a hidden attribute as this package sees it.
type hiddenAttribute struct {
	vendor uint32
	number uint16
	sub    byte
	rule   rule
	format format
	name   string
}

// hiddenAttributes returns those of the dictionary, in its order.
func hiddenAttributes() (list []*hiddenAttribute) {
	for a := range dict.All() {
		if a.Hidden == dict.Clear {
			continue
		}
		r := map[dict.Method]rule{dict.UserPassword: methodUserPassword, dict.Salted: methodSalted, dict.Ascend: methodAscend, dict.LEAP: methodSalted | ruleLEAP}[a.Hidden]
		if a.Tagged {
			r |= ruleTagged
		}
		if a.Hidden == dict.UserPassword && a.Size != 0 {
			r |= ruleKeys
		}
		f := formatNone
		if a.Vendor != 0 {
			f = map[dict.Layout]format{dict.Layout11: format11, dict.Layout21: format21, dict.Layout11c: format11c}[dict.LayoutOf(a.Vendor)]
		}
		list = append(list, &hiddenAttribute{a.Vendor, a.Number, a.Sub, r, f, a.Name})
	}
	return list
}

// published returns the hidden attributes of relay/twin/hidden-attributes.tsv.
func published(t *testing.T) (list []*hiddenAttribute) {
	text, err := os.ReadFile("../relay/twin/hidden-attributes.tsv")
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("expected a number, got %q", s)
		}
		return n
	}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		f := strings.Split(line, "\t")
		path := strings.Split(f[1], ".")
		a := &hiddenAttribute{vendor: uint32(number(f[0])), number: uint16(number(path[0])), name: f[7]}
		if len(path) == 2 {
			a.sub = byte(number(path[1]))
		}
		a.rule = map[string]rule{"1": methodUserPassword, "2": methodSalted, "3": methodAscend, "4": methodSalted | ruleLEAP}[f[2]]
		if f[4] == "yes" {
			a.rule |= ruleTagged
		}
		if f[2] == "1" && strings.HasPrefix(f[5], "octets[") {
			a.rule |= ruleKeys
		}
		a.format = map[string]format{"-": formatNone, "1,1": format11, "2,1": format21, "1,1,c": format11c}[f[6]]
		if f[8] == "UBNT" { // the file names them inside their vendor, where another Tunnel-Password may be
			a.name = "UBNT-" + a.name
		}
		list = append(list, a)
	}
	return list
}

// The dictionary marks those attributes as hidden that are published as such, and no
// others.
// Rules: P38, P41, P42
func TestDictionaryHidesWhatIsPublished(t *testing.T) {
	want, got := published(t), hiddenAttributes()
	has := func(list []*hiddenAttribute, a *hiddenAttribute) bool {
		return slices.ContainsFunc(list, func(b *hiddenAttribute) bool { return *a == *b })
	}
	for _, a := range got {
		if !has(want, a) {
			t.Errorf("dictionary.txt hides %+v, relay/twin/hidden-attributes.tsv does not", *a)
		}
	}
	for _, a := range want {
		if !has(got, a) {
			t.Errorf("relay/twin/hidden-attributes.tsv hides %+v, dictionary.txt does not", *a)
		}
	}
}

// The generated table agrees with the dictionary, and nothing else is hidden.
// Rules: P38, P41, P42
func TestHiddenTableIsTheDictionary(t *testing.T) {
	type key struct {
		vendor uint32
		number uint16
		sub    byte
	}
	want := map[key]rule{}
	vendors := map[uint32]format{14988: formatNone, 10415: formatNone} // and two that hide nothing
	for _, a := range hiddenAttributes() {
		if a.sub != 0 {
			want[key{a.vendor, a.number, 0}] = ruleTLVs
		}
		want[key{a.vendor, a.number, a.sub}] = a.rule
		vendors[a.vendor] = a.format
	}
	for vendor, layout := range vendors {
		if got := vendorFormat(vendor); got != layout {
			t.Errorf("vendor %d: expected format %d, got %d", vendor, layout, got)
		}
		if layout == format11c && vendor != wimax { // doneParts knows parts by their number alone
			t.Errorf("vendor %d has values in parts, expected WiMAX to be the only one", vendor)
		}
		for n := range 300 {
			for s := range 256 {
				k := key{vendor, uint16(n), byte(s)}
				got := vendorRule(vendor, k.number, k.sub)
				if vendor == 0 {
					got = 0
					if s == 0 && n < 256 {
						got = standardRules[n]
					}
				}
				if got != want[k] {
					t.Errorf("%d.%d.%d: expected rule %d, got %d", vendor, n, s, want[k], got)
				}
			}
		}
	}
}
