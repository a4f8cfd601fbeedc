package wire

import (
	"bytes"
	"slices"
	"testing"
)

// Rules: P35, P38, P41, P42, P43
func TestReveal(t *testing.T) {
	ra := [16]byte(authenticator(7))
	key, r := "k", ra[:]
	long := bytes.Repeat([]byte("z"), 200)
	list := []pair{
		{1, []byte("nemo")},
		{69, append([]byte{3}, salted(t, []byte("tunnel"), 0x8001, key, r)...)},
		vsa(311, append(sub(16, salted(t, []byte("send"), 0x8002, key, r)), sub(26, []byte("S="))...)...),
		vsa(311, sub(12, hidePassword(make([]byte, 32), key, r))...),
		vsa(9, sub(1, []byte("shell:x"))...),
		vsa(529, sub(214, xor(append([]byte("ascend"), make([]byte, 10)...), md5Of(r, []byte(key))))...),
		vsa(41112, sub(5, append(sub(1, []byte{0}), sub(2, salted(t, []byte("ppsk"), 0x8003, key, r))...))...),
		vsa(9, sub(1, append([]byte("Leap:Session-Key="), salted(t, make([]byte, 16), 0x8005, key, r)...))...),
		vsa(9, 1), {26, []byte{1}}, {241, []byte{4, 0, 0, 0, 1}}, {245, []byte{1, 0, 9}}, {241, nil},
		{69, []byte("broken")}, {17, nil},
	}
	list = append(list, splitWiMAX(5, salted(t, long, 0x8004, key, r), 90)...)
	want := []Attribute{
		{Type: 1, Name: "User-Name", Value: []byte("nemo")},
		{Type: 69, Name: "Tunnel-Password", Value: []byte("tunnel"), Tag: 3, Hidden: true},
		{Type: 26, Vendor: 311, Number: 16, Name: "MS-MPPE-Send-Key", Value: []byte("send"), Hidden: true},
		{Type: 26, Vendor: 311, Number: 26, Name: "MS-CHAP2-Success", Value: []byte("S=")},
		{Type: 26, Vendor: 311, Number: 12, Name: "MS-CHAP-MPPE-Keys", Value: make([]byte, 32), Hidden: true},
		{Type: 26, Vendor: 9, Number: 1, Name: "Cisco-AVPair", Value: []byte("shell:x")},
		{Type: 26, Vendor: 529, Number: 214, Name: "Ascend-Send-Secret", Value: []byte("ascend"), Hidden: true},
		{Type: 26, Vendor: 41112, Number: 5, Sub: 1, Name: "Vendor-41112-Attr-5.1", Value: []byte{0}},
		{Type: 26, Vendor: 41112, Number: 5, Sub: 2, Name: "UBNT-Tunnel-Password", Value: []byte("ppsk"), Hidden: true},
		{Type: 26, Vendor: 9, Number: 1, Name: "Cisco-AVPair", Value: append([]byte("Leap:Session-Key="), make([]byte, 16)...), Hidden: true},
		{Type: 26, Vendor: 9, Name: "Vendor-9", Value: []byte{1}},
		{Type: 26, Name: "Vendor-Specific", Value: []byte{1}},
		{Type: 241, Number: 4, Name: "Original-Packet-Code", Value: []byte{0, 0, 0, 1}},
		{Type: 245, Number: 1, Name: "SAML-Assertion", Value: []byte{9}},
		{Type: 241, Name: "Extended-Attribute-1"},
		{Type: 69, Name: "Tunnel-Password", Value: []byte("broken"), Hidden: true, Sealed: true},
		{Type: 17, Name: "Attr-17"},
		{Type: 26, Vendor: wimax, Number: 5, Name: "WiMAX-MSK", Value: long, Hidden: true},
	}
	got := Reveal(parsed(t, assemble(2, 1, nil, list...)), &ra, serverSecret(t, key))
	if len(got) != len(want) {
		t.Fatalf("expected %d attributes, got %d: %+v", len(want), len(got), got)
	}
	for i := range want {
		w, g := want[i], got[i]
		same := bytes.Equal(w.Value, g.Value)
		w.Value, g.Value = nil, nil
		if !same || w.Name != g.Name || w.Vendor != g.Vendor || w.Number != g.Number || w.Sub != g.Sub || w.Tag != g.Tag || w.Hidden != g.Hidden || w.Sealed != g.Sealed || w.Type != g.Type {
			t.Errorf("attribute %d: expected %+v, got %+v", i, want[i], got[i])
		}
	}
	for _, a := range Reveal(parsed(t, assemble(2, 1, nil, list...)), nil, nil) {
		if a.Sealed != a.Hidden {
			t.Errorf("without a secret %s is open", a.Name)
		}
	}
	// In a CoA-Request zeros take the place of the authenticator.
	coa := parsed(t, assemble(43, 1, r, pair{69, append([]byte{0}, salted(t, []byte("x"), 0x8001, key, make([]byte, 16))...)}))
	if a := Reveal(coa, &ra, serverSecret(t, key))[0]; string(a.Value) != "x" {
		t.Errorf("CoA-Request: expected Tunnel-Password x, got %+v", a)
	}
}

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
			t.Errorf("%d % x: expected the value unchanged, got %+v", p.t, p.value, got)
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
	// TLVs: an empty one is listed, and what is not a row of TLVs is one value.
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

// What is hidden like a User-Password is opened when it is whole blocks, one at
// least; the User-Password itself has eight at most.
// Rules: P42
func TestRevealPasswordLengths(t *testing.T) {
	ra := [16]byte(authenticator(1))
	for _, n := range []int{0, 1, 15, 16, 17, 32, 112, 128, 129, 144, 160} {
		plain := xs(n)
		hidden := hidePassword(plain[:n/16*16], "s", ra[:])
		hidden = append(hidden, xs(n%16)...)
		for _, c := range []struct {
			what string
			p    pair
			most int
		}{
			{"User-Password", pair{2, hidden}, 128},
			{"MS-CHAP-MPPE-Keys", vsa(311, sub(12, hidden)...), 255},
			{"Aruba-MPSK-Lookup-Info", vsa(14823, sub(66, hidden)...), 255},
		} {
			got := Reveal(parsed(t, assemble(1, 1, ra[:], c.p)), &ra, serverSecret(t, "s"))
			opens := n > 0 && n%16 == 0 && n <= c.most
			want := hidden
			if opens {
				want = plain
			}
			if len(got) != 1 || !got[0].Hidden || got[0].Sealed == opens || !bytes.Equal(got[0].Value, want) {
				t.Errorf("%s of %d octets: expected it opened: %t, got %+v", c.what, n, opens, got)
			}
		}
	}
}

// A salted value is revealed when the length in it is at most that of the value.
// Rules: P40, P42
func TestRevealLengthInside(t *testing.T) {
	ra := [16]byte(authenticator(1))
	salt := []byte{0x80, 1}
	for length := range 256 {
		plain := append([]byte{byte(length)}, xs(31)...)
		key := append(bytes.Clone(salt), hidePassword(plain, "s", append(bytes.Clone(ra[:]), salt...))...)
		got := Reveal(parsed(t, assemble(2, 1, nil, vsa(311, sub(16, key)...))), &ra, serverSecret(t, "s"))
		want := key
		if length <= 31 {
			want = xs(length)
		}
		if len(got) != 1 || got[0].Sealed != (length > 31) || !bytes.Equal(got[0].Value, want) {
			t.Errorf("length %d of 31: got %+v", length, got)
		}
	}
}

// The parts of a value that is not whole are listed one by one, sealed where the
// value is hidden; what is whole is joined, also after them.
// Rules: P12, P42
func TestRevealParts(t *testing.T) {
	for number, want := range map[byte]struct {
		name   string
		sealed bool
	}{5: {"WiMAX-MSK", true}, 7: {"Vendor-24757-Attr-7", false}, 86: {"Vendor-24757-Attr-86", true}} {
		list := []pair{wimaxPart(number, true, []byte("one")), wimaxPart(number, true, []byte("two")), vsa(wimax, number, 99)}
		got := Reveal(parsed(t, assemble(2, 1, nil, list...)), nil, nil)
		if len(got) != 3 {
			t.Fatalf("parts of %d: expected three, got %+v", number, got)
		}
		for i, text := range []string{"one", "two"} {
			if a := got[i]; string(a.Value) != text || a.Name != want.name || a.Hidden != want.sealed || a.Sealed != want.sealed || a.Number != int(number) {
				t.Errorf("part %d of %d: expected %s, sealed %t, got %+v", i, number, want.name, want.sealed, a)
			}
		}
		list = append(splitWiMAX(number, []byte("whole"), 2), wimaxPart(number, true, []byte("torn")))
		got = Reveal(parsed(t, assemble(2, 1, nil, list...)), nil, nil)
		var values []string
		for _, a := range got {
			values = append(values, string(a.Value))
		}
		if !slices.Equal(values, []string{"whole", "torn"}) {
			t.Errorf("%d: expected a whole value and a part, got %q", number, values)
		}
	}
}

// A vendor that the table does not know has its attributes listed by the layout
// that RFC 2865 §5.26 recommends; a value that looks like a row of TLVs is one only
// where the table says so.
func TestRevealInside(t *testing.T) {
	inside := append(sub(9, nil), sub(200, []byte{1, 3, 'x'})...)
	for _, vendor := range []uint32{9999, 311} {
		got := Reveal(parsed(t, assemble(2, 1, nil, vsa(vendor, inside...))), nil, nil)
		if len(got) != 2 || got[0].Number != 9 || got[1].Number != 200 || got[1].Sub != 0 || !bytes.Equal(got[1].Value, []byte{1, 3, 'x'}) || got[1].Hidden {
			t.Errorf("vendor %d: expected the attributes 9 and 200, got %+v", vendor, got)
		}
	}
}

// An attribute is found in the dictionary by its vendor, if it has one, and by the
// extended type in it.
func TestEntry(t *testing.T) {
	for _, c := range []struct {
		a    Attribute
		want string // "": none
	}{
		{Attribute{Type: 1}, "User-Name"},
		{Attribute{Type: 230}, ""},
		{Attribute{Type: 241}, "Extended-Attribute-1"},
		{Attribute{Type: 241, Number: 4}, "Original-Packet-Code"},
		{Attribute{Type: 26}, "Vendor-Specific"},
		{Attribute{Type: 26, Number: 69}, ""}, // vendor number 0 is not assigned
		{Attribute{Type: 26, Vendor: 311}, ""},
		{Attribute{Type: 26, Vendor: 311, Number: 16}, "MS-MPPE-Send-Key"},
		{Attribute{Type: 26, Vendor: wimax, Number: 86, Sub: 3}, "WiMAX-hDHCP-DHCP-RK"},
	} {
		got := ""
		if entry := c.a.Entry(); entry != nil {
			got = entry.Name
		}
		if got != c.want {
			t.Errorf("%+v: expected the entry %q, got %q", c.a, c.want, got)
		}
	}
}
