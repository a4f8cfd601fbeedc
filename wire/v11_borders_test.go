package wire

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"radsec-gw/wire/dict"
)

// toServer writes a request of RADIUS/1.1 for the server and returns what the
// server gets behind its Message-Authenticator.
func toServer(t *testing.T, list ...pair) (got []pair, ra []byte, err error) {
	t.Helper()
	dst := make([]byte, MaxLength)
	n, err := NewHasher().WriteRequest(dst, parsed11(t, assemble11(1, 9, list...)), RadSecSecret(), serverSecret(t, key11), 1)
	if err != nil {
		return nil, nil, err
	}
	oracleChecks(t, dst[:n], nil, key11)
	return pairs(dst[:n])[1:], dst[4:20], nil
}

// toClient writes a server's reply for a client of RADIUS/1.1.
func toClient(t *testing.T, code Code, ra *[16]byte, list ...pair) ([]pair, error) {
	t.Helper()
	dst := make([]byte, MaxLength)
	n, err := NewHasher().WriteReply(dst, parsed(t, assemble(code, 1, nil, list...)), parsed11(t, assemble11(1, 9)), ra, serverSecret(t, key11), RadSecSecret())
	if err != nil {
		return nil, err
	}
	wellMade11(t, dst[:n], code, 9)
	return pairs(dst[:n]), nil
}

func xs(n int) []byte { return bytes.Repeat([]byte{'x'}, n) }

// A packet of exactly 4096 octets, in either direction, and one octet more.
// Rules: P1, P15
func TestExactly4096Of11(t *testing.T) {
	ra := [16]byte(authenticator(90))
	tunnel := pair{69, append([]byte{1}, xs(20)...)}                // hidden: 2 + 1 + 2 + 32 octets
	keys := vsa(311, sub(16, xs(20))...)                            // hidden: 2 + 4 + 2 + 2 + 32
	plain := vsa(311, sub(26, xs(20))...)                           // 2 + 4 + 2 + 20, beside one that is hidden
	two := vsa(311, append(sub(16, xs(20)), sub(26, xs(20))...)...) // 2 + 4 + 2 + 34 + 22
	for _, c := range []struct {
		what string
		last []pair
		size int
	}{
		{"no hidden value", nil, 0},
		{"Tunnel-Password", []pair{tunnel}, 37},
		{"MPPE key", []pair{keys}, 42},
		{"vendor's attribute in clear", []pair{keys, plain}, 42 + 28},
		{"two in one Vendor-Specific", []pair{two}, 64},
		{"another vendor's", []pair{tunnel, vsa(9, 1, 3, 0)}, 37 + 9},
	} {
		for more, want := range []error{nil, ErrTooLong} {
			list := append(filling(18, 4096-38-c.size+more), c.last...)
			_, _, err := toServer(t, list...)
			if err != want {
				t.Errorf("request with %s, %d octets too long: expected %v, got %v", c.what, more, want, err)
			}
		}
	}
	reply := parsed(t, assemble(2, 1, nil, filling(18, 2000)...))
	for more, want := range []error{nil, ErrTooLong} {
		request := parsed11(t, assemble11(1, 9, filling(33, 4096-20-2000+more)...))
		for _, dst := range [][]byte{make([]byte, 0, MaxLength), make([]byte, 2*MaxLength)} {
			n, err := NewHasher().WriteReply(dst, reply, request, &ra, serverSecret(t, key11), RadSecSecret())
			if err != want || err == nil && n != 4096 {
				t.Errorf("reply, %d octets too long: expected %v, got %d octets, %v", more, want, n, err)
			}
		}
	}
}

// Only what goes on counts, whatever is left out or joined on the way, and wherever
// that stands: a request of 4096 octets goes on when that makes up for the 18 octets of
// Message-Authenticator.
// Rules: P8, P15, P99, P125
func TestOnlyWhatGoesOnCounts11(t *testing.T) {
	for _, c := range []struct {
		what string
		list []pair
		less int // octets that it makes the request shorter
	}{
		{"User-Password beside EAP-Message", []pair{{79, nil}, {2, xs(129)}}, 131},
		{"unfit Vendor-Specific", []pair{vsa(311, append([]byte{16, 99}, xs(10)...)...)}, 18},
		{"shorter unfit Vendor-Specific", []pair{vsa(311, append([]byte{16, 99}, xs(9)...)...)}, 17},
		{"signature", []pair{vsa(9, sub(17, xs(10))...)}, 18},
		{"shorter signature", []pair{vsa(9, sub(18, xs(9))...)}, 17},
		{"Response-Length", []pair{{241, append([]byte{3}, xs(15)...)}}, 18},
		{"shorter Response-Length", []pair{{241, append([]byte{3}, xs(14)...)}}, 17},
		{"Proxy-State", []pair{{33, xs(16)}}, 18},
		{"shorter Proxy-State", []pair{{33, xs(15)}}, 17},
		{"WiMAX key in four parts", splitWiMAX(5, xs(15), 4, 4, 4), 4*9 + 15 - (9 + 2 + 16)},
		{"WiMAX key in three parts", splitWiMAX(5, xs(15), 5, 5), 3*9 + 15 - (9 + 2 + 16)},
		{"parts without a last one", []pair{wimaxPart(5, true, nil), wimaxPart(5, true, nil)}, 18},
		{"shorter parts without a last one", []pair{wimaxPart(5, true, xs(8))}, 17},
	} {
		size := len(assemble(1, 1, nil, c.list...))
		fill := filling(18, 4096-size)
		for where, list := range map[string][]pair{"in front": slices.Concat(c.list, fill), "behind": slices.Concat(fill, c.list)} {
			var want error
			if c.less < 18 {
				want = ErrTooLong
			}
			got, _, err := toServer(t, list...)
			if err != want || err == nil && len(assemble(1, 1, nil, got...)) != 4096-c.less {
				t.Errorf("%s, %s: expected %d octets less, %v, got %v", c.what, where, c.less, want, err)
			}
		}
	}
}

// The same for a reply, which grows by the Proxy-State of the client.
// Rules: P8, P15, P99, P125
func TestOnlyWhatGoesOnCountsInReplies11(t *testing.T) {
	ra := [16]byte(authenticator(90))
	for _, c := range []struct {
		what string
		list []pair
		size int // of what comes of it
	}{
		{"unfit Vendor-Specific", []pair{vsa(311, append([]byte{16, 99}, xs(10)...)...)}, 0},
		{"signatures", []pair{vsa(9, append(sub(17, xs(10)), sub(18, nil)...)...)}, 0},
		{"Proxy-State and Message-Authenticator", []pair{{33, xs(16)}, {80, xs(16)}}, 0},
		{"what is in no hidden form", []pair{{69, xs(34)}}, 0},
		{"a hidden value", []pair{{69, append([]byte{1}, salted(t, xs(20), 0x8001, key11, ra[:])...)}}, 2 + 1 + 20},
		{"hidden padding", []pair{{2, hidePassword(make([]byte, 32), key11, ra[:])}}, 2},
		{"WiMAX key in parts", splitWiMAX(5, salted(t, xs(5), 0x8001, key11, ra[:]), 5, 5, 5), 9 + 5},
	} {
		for more, want := range []error{nil, ErrTooLong} {
			for where, list := range map[string][]pair{"in front": append(c.list[:len(c.list):len(c.list)], pair{18, xs(8)}), "behind": append([]pair{{18, xs(8)}}, c.list...)} {
				reply := parsed(t, assemble(3, 1, nil, list...))
				request := parsed11(t, assemble11(1, 9, filling(33, 4096-20-10-c.size+more)...))
				n, err := NewHasher().WriteReply(make([]byte, MaxLength), reply, request, &ra, serverSecret(t, key11), RadSecSecret())
				if err != want || err == nil && n != 4096 {
					t.Errorf("%s, %s, %d octets too long: expected %v, got %d octets, %v", c.what, where, more, want, n, err)
				}
			}
		}
	}
}

// A tag is 0 to 0x1F; a first octet above is the value's (RFC 2868 §3.3, §3.5).
// Rules: P38, P127
func TestTags11(t *testing.T) {
	ra := [16]byte(authenticator(90))
	for _, c := range []struct {
		clear []byte
		tag   byte
		plain string
	}{
		{[]byte("\x00abc"), 0, "abc"}, {[]byte("\x1fabc"), 0x1f, "abc"}, {[]byte("\x20abc"), 0, "\x20abc"},
		{[]byte("\x05"), 5, ""}, {[]byte("a"), 0, "a"}, {nil, 0, ""},
	} {
		got, vector, err := toServer(t, pair{69, c.clear})
		if err != nil || len(got) != 1 || got[0].value[0] != c.tag {
			t.Errorf("%q: expected the tag %d, got % x, %v", c.clear, c.tag, got, err)
			continue
		}
		if plain := unsalted(t, got[0].value[1:], key11, vector); string(plain) != c.plain {
			t.Errorf("%q: the server reads %q, expected %q", c.clear, plain, c.plain)
		}
	}
	for tag, want := range map[byte]byte{0: 0, 3: 3, 0x1f: 0x1f, 0x20: 0, 0xff: 0} {
		for _, plain := range [][]byte{[]byte("secret"), xs(15), xs(31)} {
			hidden := append([]byte{tag}, salted(t, plain, 0x8001, key11, ra[:])...)
			got, err := toClient(t, 2, &ra, pair{69, hidden})
			if err != nil || len(got) != 1 || !bytes.Equal(got[0].value, append([]byte{want}, plain...)) {
				t.Errorf("tag %d before %q: expected the tag %d and the value, got %v, %v", tag, plain, want, got, err)
			}
		}
	}
}

// The length octet tells at most what is there.
// Rules: P40
func TestLengthOctet11(t *testing.T) {
	ra := [16]byte(authenticator(90))
	for n, opens := range map[byte]bool{0: true, 14: true, 15: true, 16: false, 17: false, 18: false, 255: false} {
		plain := append([]byte{n}, xs(15)...)
		hidden := append([]byte{0x80, 1}, xor(plain, md5Of([]byte(key11), ra[:], []byte{0x80, 1}))...)
		for _, p := range []pair{{69, append([]byte{0}, hidden...)}, vsa(311, sub(16, hidden)...)} {
			got, err := toClient(t, 11, &ra, p)
			if err != nil || (len(got) == 1) != opens {
				t.Errorf("length %d before 15 octets, type %d: expected it carried on %t, got %v, %v", n, p.t, opens, got, err)
			}
			if opens && len(got) == 1 {
				want := append([]byte{0}, plain[1:1+n]...)
				if p.t == 26 {
					want = vsa(311, sub(16, plain[1:1+n])...).value
				}
				if !bytes.Equal(got[0].value, want) {
					t.Errorf("length %d, type %d: expected % x, got % x", n, p.t, want, got[0].value)
				}
			}
		}
	}
}

// Original-Packet-Code is left out, and nothing that looks a little like it.
// Rules: P7, P125
func TestOriginalPacketCode11(t *testing.T) {
	ra := [16]byte(authenticator(90))
	stays := []pair{{1, []byte{4, 5}}, {241, nil}, {4, []byte{192, 0, 2, 1}}, {241, []byte{5, 4}}, {242, []byte{4, 0, 0, 0, 1}}, {241, []byte{8}}}
	list := append([]pair{{241, []byte{4}}}, stays...)
	list = append(list, pair{241, []byte{4, 0, 0, 0, 1}}, pair{241, nil})
	stays = append(stays, pair{241, nil})
	got, err := toClient(t, 11, &ra, list...)
	if err != nil {
		t.Fatal(err)
	}
	samePairs(t, "the reply", stays, got)
	got, _, err = toServer(t, list...)
	if err != nil {
		t.Fatal(err)
	}
	samePairs(t, "the request", stays, got)
}

// Vendor-Specifics are filled to 255 octets, and a next one is begun only then.
// What is not as its vendor has it is copied as it came.
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
		samePairs(t, "behind Tunnel-Password", []pair{p}, got[1:])
	}
	// Only Microsoft's keys are of fixed length; a User-Password that ends in zeros loses them.
	ra := [16]byte(authenticator(90))
	got, err := toClient(t, 11, &ra, vsa(311, sub(12, hidePassword(make([]byte, 32), key11, ra[:]))...), pair{2, hidePassword(append([]byte("word"), make([]byte, 28)...), key11, ra[:])})
	if err != nil {
		t.Fatal(err)
	}
	samePairs(t, "keys and password", []pair{vsa(311, sub(12, make([]byte, 24))...), {2, []byte("word")}}, got)
}

// A Vendor-Specific whose inner lengths do not fit is left out where it begins an
// attribute that is hidden, or that signs, and copied as it came otherwise. What
// stands behind the length that does not fit has no borders, and so no name.
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
		{"MS-MPPE-Send-Key behind another", vsa(311, 26, 3, 0, 16, 9, 0), false},
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
		{"half a number of Lucent's behind another", vsa(4846, 0, 1, 4, 'x', 0), true},
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
	behind := append(bytes.Clone(first.value), 7, 4, 0, 'z') // the fragment is not the last of its Vendor-Specific
	for what, c := range map[string]struct{ list, want []pair }{
		"the end":           {[]pair{name, first}, []pair{name}},
		"another attribute": {[]pair{first, wimaxPart(7, false, xs(3)), name}, []pair{wimaxPart(7, false, xs(3)), name}},
		"another vendor":    {[]pair{first, vsa(9, 5, 4, 0, 'z'), name}, []pair{vsa(9, 5, 4, 0, 'z'), name}},
		"not alone":         {[]pair{first, {26, other}, name}, nil},
		"not the last":      {[]pair{{26, behind}, name}, []pair{wimaxPart(7, false, []byte{'z'}), name}},
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
