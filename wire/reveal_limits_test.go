package wire

import (
	"bytes"
	"slices"
	"testing"
)

// Extended attributes are 241 to 246; 245 and 246 have an octet of flags.
func TestRevealExtended(t *testing.T) {
	for typ := byte(240); typ <= 247; typ++ {
		value := []byte{9, 7, 5}
		want := Attribute{Type: typ, Value: value}
		if typ >= 241 && typ <= 246 {
			want.Number, want.Value = 9, value[1:]
		}
		if typ == 245 || typ == 246 {
			want.Value = value[2:]
		}
		got := Reveal(parsed(t, assemble(2, 1, nil, pair{typ, value})), nil, nil)
		if len(got) != 1 || got[0].Type != typ || got[0].Number != want.Number || !bytes.Equal(got[0].Value, want.Value) {
			t.Errorf("type %d: expected %+v, got %+v", typ, want, got)
		}
	}
	// Too short to have an extended type, and flags, and a value of no octets.
	for _, p := range []pair{{241, nil}, {245, []byte{1}}} {
		if got := Reveal(parsed(t, assemble(2, 1, nil, p)), nil, nil); len(got) != 1 || got[0].Number != 0 || !bytes.Equal(got[0].Value, p.value) {
			t.Errorf("%d % x: expected the value as it is, got %+v", p.t, p.value, got)
		}
	}
	if got := Reveal(parsed(t, assemble(2, 1, nil, pair{245, []byte{3, 0}})), nil, nil); got[0].Number != 3 || len(got[0].Value) != 0 {
		t.Errorf("245.3 without a value: got %+v", got[0])
	}
}

// A vendor's attributes are listed one by one, an empty one too, and a fragment
// that nothing follows is listed alone.
func TestRevealVendor(t *testing.T) {
	numbers := func(list []Attribute) (n []int) {
		for _, a := range list {
			n = append(n, a.Number*100+a.Sub)
		}
		return n
	}
	both := vsa(9, append(sub(1, nil), sub(2, []byte{5})...)...)
	packet := assemble(2, 1, nil, both, wimaxPart(5, true, []byte("lost")), pair{1, []byte("nemo")})
	got := Reveal(parsed(t, packet), nil, nil)
	if want := []int{100, 200, 500, 0}; !slices.Equal(numbers(got), want) {
		t.Errorf("expected the numbers %d, got %d", want, numbers(got))
	}
	if v := got[2].Value; string(v) != "lost" {
		t.Errorf("a fragment that nothing follows: expected its value, got %q", v)
	}
	// Fragments are joined in memory of their own.
	packet = assemble(2, 1, nil, append(splitWiMAX(99, []byte("one two three"), 4, 4), pair{1, []byte("nemo")})...)
	before := bytes.Clone(packet)
	got = Reveal(parsed(t, packet), nil, nil)
	if len(got) != 2 || string(got[0].Value) != "one two three" {
		t.Errorf("expected one attribute of three fragments and User-Name, got %+v", got)
	}
	if !bytes.Equal(packet, before) {
		t.Error("the packet was written to")
	}
	if got := Reveal(parsed(t, assemble(2, 1, nil, vsa(9), vsa(311))), nil, nil); len(got) != 2 || got[0].Vendor != 9 || got[1].Name != "Vendor-311" {
		t.Errorf("Vendor-Specifics with nothing in them: expected their vendors, got %+v", got)
	}
	// TLVs: an empty one is listed, and what is no row of TLVs is one value.
	tlvs := vsa(41112, sub(5, append(sub(1, nil), sub(3, nil)...))...)
	if got := Reveal(parsed(t, assemble(2, 1, nil, tlvs)), nil, nil); !slices.Equal(numbers(got), []int{501, 503}) {
		t.Errorf("TLVs: expected 5.1 and 5.3, got %+v", got)
	}
	broken := vsa(41112, sub(5, []byte{1, 9, 0})...)
	if got := Reveal(parsed(t, assemble(2, 1, nil, broken)), nil, nil); len(got) != 1 || got[0].Sub != 0 || !bytes.Equal(got[0].Value, []byte{1, 9, 0}) || !got[0].Hidden || !got[0].Sealed {
		t.Errorf("no row of TLVs: expected one value, sealed because one of the TLVs may be hidden, got %+v", got)
	}
	empty := vsa(41112, sub(5, nil)...)
	if got := Reveal(parsed(t, assemble(2, 1, nil, empty)), nil, nil); len(got) != 1 || len(got[0].Value) != 0 || got[0].Hidden || got[0].Sealed {
		t.Errorf("no TLVs at all: expected one empty value, not hidden, got %+v", got)
	}
}
