package wire

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"radsec-gw/wire/dict"
)

// Vendor-Specifics are filled to 255 octets, and a next one is begun only then.
// What does not follow its vendor's layout is copied unchanged.
// Rules: P8, P42, P127
func TestVendorSpecificBorders11(t *testing.T) {
	keys := sub(16, xs(20)) // hidden: 2 + 34 octets
	for size, want := range map[int]int{212: 1, 213: 1, 214: 2} {
		got, _, err := toServer(t, vsa(311, append(sub(26, xs(size-2)), keys...)...))
		if err != nil || len(got) != want {
			t.Errorf("attributes of %d and 36 octets: expected %d Vendor-Specifics, got %d, %v", size, want, len(got), err)
		}
	}
	for _, p := range []pair{
		vsa(9, 1, 3, 0), vsa(9), vsa(311), {26, []byte{1}}, {26, nil}, vsa(4846, 0, 1, 9), vsa(41112, sub(1, xs(3))...),
	} {
		got, _, err := toServer(t, pair{69, []byte{1, 'x'}}, p)
		if err != nil || len(got) != 2 {
			t.Errorf("%x: expected it beside Tunnel-Password, got %v, %v", p.value, got, err)
			continue
		}
		samePairs(t, "after Tunnel-Password", []pair{p}, got[1:])
	}
	// Only Microsoft's keys are of fixed length; a User-Password that ends in zeros loses them.
	ra := [16]byte(authenticator(90))
	got, err := toClient(t, 11, &ra, vsa(311, sub(12, hidePassword(make([]byte, 32), key11, ra[:]))...), pair{2, hidePassword(append([]byte("word"), make([]byte, 28)...), key11, ra[:])})
	if err != nil {
		t.Fatal(err)
	}
	samePairs(t, "keys and password", []pair{vsa(311, sub(12, make([]byte, 24))...), {2, []byte("word")}}, got)
}

// A Vendor-Specific whose inner lengths do not fit is omitted where it begins an
// attribute that is hidden, or that signs, and copied unchanged otherwise. After the
// length that does not fit no attribute can be found.
// Rules: P8, P42, P127
func TestUnfitVendorSpecific11(t *testing.T) {
	leap := []byte(dict.LEAPPrefix)
	ra := [16]byte(authenticator(90))
	for _, c := range []struct {
		what string
		p    pair
		stay bool
	}{
		{"MS-MPPE-Send-Key without a length", vsa(311, 16), false},
		{"MS-MPPE-Send-Key that is too long", vsa(311, 16, 9, 0), false},
		{"MS-MPPE-Send-Key that is too short", vsa(311, 16, 1, 0), false},
		{"MS-MPPE-Send-Key after another", vsa(311, 26, 3, 0, 16, 9, 0), false},
		{"MS-MPPE-Send-Key before what does not fit", vsa(311, 16, 3, 0, 26, 9), false},
		{"MS-MPPE-Send-Key in what does not fit", vsa(311, 26, 9, 16, 3, 0), true},
		{"another of Microsoft's without a length", vsa(311, 26), true},
		{"MAC-Randomizer", vsa(9, 17, 9, 0), false},
		{"Message-Authentication-Code", vsa(9, 18), false},
		{"Cisco-AVPair with a key", vsa(9, append([]byte{1, 99}, leap...)...), false},
		{"Cisco-AVPair with another text", vsa(9, append([]byte{1, 99}, leap[1:]...)...), true},
		{"Cisco-AVPair without a text", vsa(9, 1), true},
		{"Lucent-Send-Secret", vsa(4846, 0, 214, 9, 0), false},
		{"Lucent-Send-Secret without a length", vsa(4846, 0, 214), false},
		{"another of Lucent's without a length", vsa(4846, 1, 214), true},
		{"half a number of Lucent's", vsa(4846, 214), true},
		{"half a number of Lucent's after another", vsa(4846, 0, 1, 4, 'x', 0), true},
		{"WiMAX-MSK without a continuation", vsa(24757, 5, 3), false},
		{"WiMAX-MSK without a length", vsa(24757, 5), false},
		{"another of WiMAX's without a continuation", vsa(24757, 7, 3), true},
		{"a container of UBNT's", vsa(41112, 5, 9, 1, 2), false},
	} {
		want := []pair{{1, []byte("nemo")}, {18, []byte("hello")}}
		if c.stay {
			want = []pair{want[0], c.p, want[1]}
		}
		list := []pair{{1, []byte("nemo")}, c.p, {18, []byte("hello")}}
		for where, send := range map[string]func() ([]pair, error){
			"server": func() ([]pair, error) { got, _, err := toServer(t, list...); return got, err },
			"client": func() ([]pair, error) { return toClient(t, 2, &ra, list...) },
		} {
			got, err := send()
			if err != nil {
				t.Errorf("%s, to the %s: %v", c.what, where, err)
				continue
			}
			samePairs(t, c.what+", to the "+where, want, got)
		}
	}
}

// A TLV is at most 255 octets hidden, and a WiMAX value in clear at most 255.
// Rules: P15, P127
func TestValuesThatGrow11(t *testing.T) {
	long := xs(255)
	for _, c := range []struct {
		what string
		list []pair
		want error
	}{
		{"UBNT TLV of 239", []pair{vsa(41112, sub(5, sub(2, xs(223)))...)}, nil},
		{"UBNT TLV of 240", []pair{vsa(41112, sub(5, sub(2, xs(240)))...)}, ErrTooLong},
		{"UBNT TLV of 240 beside another", []pair{vsa(41112, sub(5, append(sub(1, nil), sub(2, xs(240))...))...)}, ErrTooLong},
		{"WiMAX key of 255", splitWiMAX(5, long, 100, 100), nil},
		{"WiMAX key of 256", splitWiMAX(5, append(long, 'x'), 100, 100), ErrTooLong},
	} {
		got, vector, err := toServer(t, c.list...)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: expected %v, got %v", c.what, c.want, err)
		}
		if c.what != "WiMAX key of 255" || err != nil {
			continue
		}
		value := joinWiMAX(got)
		plain := revealPassword(value[2:], key11, append(bytes.Clone(vector), value[:2]...))
		if int(plain[0]) != len(long) || !bytes.Equal(plain[1:1+len(long)], long) {
			t.Errorf("%s: the server reads %q", c.what, plain)
		}
	}
}

// A fragment whose next one is another vendor's, another attribute's or not alone
// in its Vendor-Specific is not whole: the key goes neither on nor wrong.
// Rules: P12, P42
func TestBrokenFragments11(t *testing.T) {
	name := pair{1, []byte("nemo")}
	first := splitWiMAX(5, xs(60), 30)[0]
	other := append(bytes.Clone(wimaxPart(5, false, xs(10)).value), 7, 4, 0, 'z')
	after := append(bytes.Clone(first.value), 7, 4, 0, 'z') // the fragment is not the last of its Vendor-Specific
	for what, c := range map[string]struct{ list, want []pair }{
		"the end":           {[]pair{name, first}, []pair{name}},
		"another attribute": {[]pair{first, wimaxPart(7, false, xs(3)), name}, []pair{wimaxPart(7, false, xs(3)), name}},
		"another vendor":    {[]pair{first, vsa(9, 5, 4, 0, 'z'), name}, []pair{vsa(9, 5, 4, 0, 'z'), name}},
		"not alone":         {[]pair{first, {26, other}, name}, nil},
		"not the last":      {[]pair{{26, after}, name}, []pair{wimaxPart(7, false, []byte{'z'}), name}},
	} {
		got, _, err := toServer(t, c.list...)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		for _, p := range got {
			if bytes.Contains(p.value, xs(20)) {
				t.Errorf("%s: the key goes to the server in clear: %q", what, p.value)
			}
		}
		if c.want != nil {
			samePairs(t, what, c.want, got)
		}
	}
}

// Containers of TLVs at their limits, towards the server: 249 octets in a
// Vendor-Specific, 255 in a TLV, and 4096 in all.
// Rules: P15, P127
func TestContainersAtTheirLimits11(t *testing.T) {
	ubnt := func(open int) []pair { // becomes 2 + 20 octets more
		return []pair{vsa(41112, sub(5, bytes.Join([][]byte{sub(2, nil), sub(1, xs(open-2))}, nil))...)}
	}
	wimax86 := func(row []byte) []pair { return splitWiMAX(86, row, bytes.Count(row, nil)/2) }
	for what, c := range map[string]struct {
		list []pair
		want error
		size int // of the row that the server gets
	}{
		"249 octets":                       {ubnt(227), nil, 247},
		"250 octets":                       {ubnt(228), ErrTooLong, 0},
		"an open TLV of 255":               {wimax86(append(sub(3, nil), sub(1, xs(253))...)), nil, 20 + 255},
		"an open TLV of 254":               {wimax86(append(sub(3, nil), sub(1, xs(252))...)), nil, 20 + 254},
		"an open TLV after many that grow": {splitWiMAX(86, append(bytes.Repeat([]byte{3, 2}, 200), sub(1, xs(198))...), 200, 200), ErrTooLong, 0},
	} {
		got, _, err := toServer(t, c.list...)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: expected %v, got %v", what, c.want, err)
			continue
		}
		if err != nil {
			continue
		}
		var row []byte
		for _, p := range got {
			if p.value[4] == 86 {
				row = append(row, p.value[7:]...)
			} else {
				row = append(row, p.value[6:]...)
			}
		}
		if len(row) != c.size || !format11.fills(row) {
			t.Errorf("%s: expected a row of TLVs of %d octets, got %d: % x", what, c.size, len(row), row)
		}
	}
}

// A Vendor-Specific that grows at the end of the packet, wherever that is.
// Rules: P15
func TestVendorSpecificAtTheEnd11(t *testing.T) {
	key := vsa(311, sub(16, nil)...)
	const size = 6 + 2 + 2 + 16 // of it at the server
	for left := range 2 * size {
		var want error
		if left < size {
			want = ErrTooLong
		}
		list := append(filling(18, 4096-38-left), key)
		if n := len(assemble(1, 1, nil, list...)); n > 4096 {
			t.Fatalf("the request has %d octets", n)
		}
		if _, _, err := toServer(t, list...); err != want {
			t.Errorf("%d octets left: expected %v, got %v", left, want, err)
		}
	}
}

// A key of WiMAX that outgrows its Vendor-Specific continues in
// another; one in fragments is hidden as one value, and shrinks on its
// way back.
// Rules: P12, P42, P127
func TestWiMAXFragments11(t *testing.T) {
	h, client, server := NewHasher(), radSecSecret(), serverSecret(t, key11)
	dst := make([]byte, MaxLength)
	key := bytes.Repeat([]byte("0123456789"), 25)[:246]
	for _, list := range [][]pair{
		{vsa(24757, append([]byte{5, 249, 0}, key...)...)},
		splitWiMAX(5, key, 100, 40),
	} {
		list = append([]pair{vsa(24757, append([]byte{4, 5, 0}, "ab"...)...)}, list...)
		n, err := h.WriteRequest(dst, parsed11(t, assemble11(1, 9, list...)), client, server, 1)
		if err != nil {
			t.Fatal(err)
		}
		oracleChecks(t, dst[:n], nil, key11)
		got := only(pairs(dst[:n]), 26)
		if len(got) != 3 || got[1].value[6] != 0x80 || got[2].value[6] != 0 {
			t.Fatalf("expected one open and two fragments, the first to be continued: % x", got)
		}
		value := append(bytes.Clone(got[1].value[7:]), got[2].value[7:]...)
		plain := revealPassword(value[2:], key11, append(bytes.Clone(dst[4:20]), value[:2]...))
		if int(plain[0]) != len(key) || !bytes.Equal(plain[1:1+len(key)], key) {
			t.Errorf("the server reads %q", plain)
		}
		ra := [16]byte(dst[4:20])
		reply := parsed(t, oracleSign(assemble(11, 1, nil, got...), ra[:], key11))
		n, err = h.WriteReply(dst, reply, parsed11(t, assemble11(1, 9)), &ra, server, client)
		if err != nil {
			t.Fatal(err)
		}
		wellMade11(t, dst[:n], 11, 9)
		samePairs(t, "the reply", []pair{list[0], vsa(24757, append([]byte{5, 249, 0}, key...)...)}, pairs(dst[:n]))
	}
	// The last fragment is missing: the key is omitted, never sent in clear.
	list := splitWiMAX(5, key, 100)[:1]
	n, err := h.WriteRequest(dst, parsed11(t, assemble11(1, 9, append(list, pair{1, []byte("nemo")})...)), client, server, 1)
	if err != nil || len(pairs(dst[:n])) != 2 {
		t.Errorf("expected Message-Authenticator and User-Name only, got %v, %v", pairs(dst[:n]), err)
	}
}

// A part of a WiMAX value, the last one included, is alone in its Vendor-Specific; what
// followed the key begins another. A value without parts need not be alone.
// Rules: P42, P127
func TestNothingBehindTheLastPart11(t *testing.T) {
	after := []byte{1, 3, 0}
	for size, want := range map[int][]int{
		1:   {3 + 18 + 3},
		223: {3 + 226 + 3},
		239: {3 + 242 + 3},
		240: {249, 15, 3}, // one that is 3 + 258 octets hidden
		246: {249, 15, 3},
	} {
		inside := append(append([]byte{5, byte(3 + size), 0}, xs(size)...), after...)
		if len(inside) > 249 {
			inside = inside[:249]
		}
		list := []pair{vsa(24757, inside...)}
		if size == 246 {
			list = append(list, vsa(24757, after...))
		}
		got, _, err := toServer(t, list...)
		var sizes []int
		for _, p := range got {
			sizes = append(sizes, len(p.value)-4)
		}
		if err != nil || !slices.Equal(sizes, want) {
			t.Errorf("a key of %d octets: expected Vendor-Specifics of %d octets, got %d, %v", size, want, sizes, err)
			continue
		}
		if last := got[len(got)-1].value; !bytes.HasSuffix(last, after) {
			t.Errorf("a key of %d octets: expected % x after it, got % x", size, after, last)
		}
		for i, p := range got {
			if more := p.value[6]&0x80 != 0; more != (len(got) == 3 && i == 0) {
				t.Errorf("a key of %d octets, Vendor-Specific %d: continues: %t", size, i, more)
			}
		}
	}
}

// A container without any TLV has nothing to reveal or to hide: it is copied in both
// directions, in an Access-Accept too.
// Rules: P7, P8, P42
func TestEmptyContainers11(t *testing.T) {
	h, client, server := NewHasher(), radSecSecret(), serverSecret(t, key11)
	dst, ra := make([]byte, MaxLength), [16]byte(authenticator(90))
	for what, p := range map[string]pair{
		"UBNT":                vsa(41112, 5, 2),
		"UBNT beside another": vsa(41112, 5, 2, 7, 3, 'x'),
		"WiMAX-hDHCP":         vsa(wimax, 86, 3, 0),
		"WiMAX-vDHCP":         vsa(wimax, 87, 3, 0),
	} {
		n, err := h.WriteRequest(dst, parsed11(t, assemble11(1, 9, p)), client, server, 1)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		samePairs(t, what+" to the server", []pair{p}, without(pairs(dst[:n]), 80))
		n, err = h.WriteReply(dst, parsed(t, assemble(2, 1, nil, p)), parsed11(t, assemble11(1, 9)), &ra, server, client)
		if err != nil {
			t.Fatalf("%s in an Access-Accept: %v", what, err)
		}
		samePairs(t, what+" to the client", []pair{p}, pairs(dst[:n]))
	}
}

// The TLVs of a container grow; a row of them that fits into no packet is ErrTooLong.
// Rules: P15, P127
func TestContainerThatOutgrows11(t *testing.T) {
	for count, want := range map[int]error{1: nil, 12: nil, 13: nil, 190: nil, 194: nil, 204: ErrTooLong, 205: ErrTooLong, 300: ErrTooLong, 900: ErrTooLong} {
		row := bytes.Repeat([]byte{3, 2}, count) // each is 20 octets when it is hidden
		var sizes []int
		for n := len(row); n > 240; n -= 240 {
			sizes = append(sizes, 240)
		}
		list := splitWiMAX(86, row, sizes...)
		got, _, err := toServer(t, list...)
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%d TLVs: expected %v, got %v", count, want, err)
			continue
		}
		if value := joinWiMAX(got); err == nil && len(value) != 20*count {
			t.Errorf("%d TLVs: expected %d octets, got %d", count, 20*count, len(value))
		}
	}
}
