package wire

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

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

// The length octet may not exceed the value.
// Rules: P40
func TestLengthOctet11(t *testing.T) {
	ra := [16]byte(authenticator(90))
	for n, opens := range map[byte]bool{0: true, 14: true, 15: true, 16: false, 17: false, 18: false, 255: false} {
		plain := append([]byte{n}, xs(15)...)
		hidden := append([]byte{0x80, 1}, xor(plain, md5Of([]byte(key11), ra[:], []byte{0x80, 1}))...)
		for _, p := range []pair{{69, append([]byte{0}, hidden...)}, vsa(311, sub(16, hidden)...)} {
			got, err := toClient(t, 11, &ra, p)
			if err != nil || (len(got) == 1) != opens {
				t.Errorf("length %d before 15 octets, type %d: expected it copied: %t, got %v, %v", n, p.t, opens, got, err)
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

// limits11 are Access-Requests of RADIUS/1.1 with values as long as they may be, and longer.
var limits11 = []struct {
	name string
	list []pair
	want error
}{
	{"password of 128", []pair{{2, xs(128)}}, nil},
	{"password of 129", []pair{{2, xs(129)}}, ErrUserPassword},
	{"password of 129 beside EAP-Message", []pair{{2, xs(129)}, {79, []byte{2, 1, 0, 4}}}, nil},
	{"empty password", []pair{{2, nil}}, nil},
	{"tunnel password of 239", []pair{{69, append([]byte{1}, xs(239)...)}}, nil},
	{"tunnel password of 240", []pair{{69, append([]byte{1}, xs(240)...)}}, ErrValueTooLong},
	{"MPPE key of 239", []pair{vsa(311, sub(16, xs(239))...)}, nil},
	{"MPPE key of 240", []pair{vsa(311, sub(16, xs(240))...)}, ErrValueTooLong},
	{"Ascend secret of 16", []pair{vsa(529, sub(214, xs(16))...)}, nil},
	{"Ascend secret of 17", []pair{vsa(529, sub(214, xs(17))...)}, ErrValueTooLong},
	{"UBNT TLV too long", []pair{vsa(41112, sub(5, sub(2, xs(245)))...)}, ErrValueTooLong},
	{"packet that outgrows", append(slices.Repeat([]pair{{200, make([]byte, 253)}}, 15), pair{69, append([]byte{1}, xs(200)...)}, pair{200, make([]byte, 28)}), ErrTooLong},
	{"CHAP with its challenge", []pair{{3, xs(17)}, {60, xs(16)}}, nil},
	{"CHAP without", []pair{{3, xs(17)}}, ErrChallenge},
	{"ARAP", []pair{{70, xs(16)}, {60, xs(16)}}, ErrChallenge},
}

// A value that does not fit the hidden form fails the request: it is neither cut nor sent
// to the server in clear.
// Rules: P15, P17, P126, P127
func TestLimits11(t *testing.T) {
	h, client, server := NewHasher(), radSecSecret(), serverSecret(t, key11)
	dst := make([]byte, MaxLength)
	for _, c := range limits11 {
		req := assemble11(1, 9, c.list...)
		n, err := h.WriteRequest(dst, parsed11(t, req), client, server, 1)
		if !errors.Is(err, c.want) || err == nil != (c.want == nil) {
			t.Errorf("%s: expected %v, got %v", c.name, c.want, err)
		}
		if err != nil {
			continue
		}
		oracleChecks(t, dst[:n], nil, key11)
		if bytes.Contains(dst[:n], xs(17)) && c.list[0].t != 3 {
			t.Errorf("%s: the value goes to the server in clear", c.name)
		}
		if c.name == "password of 129 beside EAP-Message" && len(only(pairs(dst[:n]), 2)) != 0 {
			t.Errorf("%s: the password goes to the server", c.name)
		}
		if c.name == "empty password" && !bytes.Equal(revealPassword(only(pairs(dst[:n]), 2)[0].value, key11, dst[4:20]), make([]byte, 16)) {
			t.Errorf("%s: expected a block of padding", c.name)
		}
	}
	if !errors.Is(ErrValueTooLong, ErrTooLong) {
		t.Error("ErrValueTooLong is not an ErrTooLong")
	}
}

// In requests that are not to be authenticated a User-Password that is too long is omitted.
// Rules: P17, P126
func TestLongPasswordBesideAccess11(t *testing.T) {
	for _, code := range []Code{4, 40, 43} {
		dst := make([]byte, MaxLength)
		req := assemble11(code, 9, pair{1, []byte("nemo")}, pair{2, xs(129)}, pair{44, []byte{'s'}})
		n, err := NewHasher().WriteRequest(dst, parsed11(t, req), radSecSecret(), serverSecret(t, key11), 1)
		if err != nil {
			t.Errorf("password of 129 in a packet of code %d: %v", code, err)
			continue
		}
		samePairs(t, "password of 129", []pair{{1, []byte("nemo")}, {44, []byte{'s'}}}, without(pairs(dst[:n]), 80))
	}
}

// An Access-Accept with a value whose decrypted length points past it is refused,
// because it is worthless without its keys; from another reply the value is omitted. A
// value that does not have the form of a hidden one is invalid and only omitted (RFC
// 6929 §2.8).
// Rules: P8, P40, P127
func TestUnreadableValues11(t *testing.T) {
	h, client, server := NewHasher(), radSecSecret(), serverSecret(t, key11)
	dst, ra := make([]byte, MaxLength), [16]byte(authenticator(90))
	wrong := salted(t, []byte("key"), 0x8001, key11, ra[:])
	wrong[2] ^= 0xff // the length octet
	leap := []byte("leap:session-key=")
	state, tlv := pair{24, []byte("state")}, sub(1, []byte("open"))
	for what, c := range map[string]struct {
		p    pair
		left []pair // of p
		want error  // in an Access-Accept
	}{
		"Tunnel-Password, wrong length":        {pair{69, append([]byte{1}, wrong...)}, nil, ErrHidden},
		"MS-MPPE-Send-Key, wrong length":       {vsa(311, sub(16, wrong)...), nil, ErrHidden},
		"Cisco's LEAP key, wrong length":       {vsa(9, sub(1, append(leap, wrong...))...), nil, ErrHidden},
		"UBNT TLV, wrong length":               {vsa(41112, sub(5, sub(2, wrong))...), nil, ErrHidden},
		"WiMAX in two parts, wrong length":     {vsa(wimax, append(append([]byte{5, 13, 0x80}, wrong[:10]...), append([]byte{5, byte(3 + len(wrong) - 10), 0}, wrong[10:]...)...)...), nil, ErrHidden},
		"Tunnel-Password without a tag":        {pair{69, make([]byte, 18)}, nil, nil},
		"Tunnel-Password of no octets":         {pair{69, nil}, nil, nil},
		"Tunnel-Password in clear":             {pair{69, []byte("\x00in clear")}, nil, nil},
		"User-Password of 15":                  {pair{2, make([]byte, 15)}, nil, nil},
		"MS-MPPE-Recv-Key of 17":               {vsa(311, sub(17, make([]byte, 17))...), nil, nil},
		"MS-CHAP-MPPE-Keys of 31":              {vsa(311, sub(12, make([]byte, 31))...), nil, nil},
		"MS-CHAP-MPPE-Keys of none":            {vsa(311, sub(12, nil)...), nil, nil},
		"Ascend-Send-Secret of 15":             {vsa(529, sub(214, make([]byte, 15))...), nil, nil},
		"X-Ascend-Send-Secret of 17":           {pair{214, make([]byte, 17)}, nil, nil},
		"Lucent-Send-Secret of 17":             {vsa(4846, append([]byte{0, 214, 20}, make([]byte, 17)...)...), nil, nil},
		"Cisco's LEAP key of 33":               {vsa(9, sub(1, append(leap, make([]byte, 33)...))...), nil, nil},
		"a tagged one of Lancom's without tag": {vsa(2356, sub(19, make([]byte, 18))...), nil, nil},
		"UBNT TLVs that do not fill":           {vsa(41112, sub(5, []byte{2, 9})...), nil, nil},
		"UBNT TLV of 17, alone":                {vsa(41112, sub(5, sub(2, make([]byte, 17)))...), nil, nil},
		"UBNT TLV of 17, beside another":       {vsa(41112, sub(5, append(sub(2, make([]byte, 17)), tlv...))...), []pair{vsa(41112, sub(5, tlv)...)}, nil},
		"MPPE key of 17 beside another's":      {vsa(311, append(sub(16, make([]byte, 17)), tlv...)...), []pair{vsa(311, tlv...)}, nil},
		"WiMAX key whose end is missing":       {splitWiMAX(5, make([]byte, 34), 20)[0], nil, nil},
		"a length inside that does not fit":    {vsa(311, 17, 99, 1, 2), nil, nil},
	} {
		for _, code := range []Code{2, 11} {
			reply := parsed(t, assemble(code, 1, nil, state, c.p))
			n, err := h.WriteReply(dst, reply, parsed11(t, assemble11(1, 9)), &ra, server, client)
			if want := c.want; code == 2 && want != nil {
				if !errors.Is(err, want) {
					t.Errorf("%s in an Access-Accept: expected %v, got %v", what, want, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s in a reply of code %d: expected it without, got %v", what, code, err)
				continue
			}
			wellMade11(t, dst[:n], code, 9)
			samePairs(t, what, append([]pair{state}, c.left...), pairs(dst[:n]))
		}
	}
}

// Values in clear arrive at the server hidden under its secret and the new Request
// Authenticator; the server's come back in clear, without padding.
// Rules: P126, P127, P129, P131, P38, P39, P42, P46
func TestHiddenValuesRoundTrip11(t *testing.T) {
	h, client, server := NewHasher(), radSecSecret(), serverSecret(t, key11)
	dst := make([]byte, MaxLength)
	around := []pair{{1, []byte("nemo")}, {25, []byte("class")}, {24, []byte("state")}}
	for _, c := range values11() {
		t.Run(c.name, func(t *testing.T) {
			list := []pair{around[0], {80, make([]byte, 16)}, {33, []byte("one")}, c.clear, {241, []byte{4, 0, 0, 0, 1}}, around[1], {33, []byte("two")}, around[2]}
			req := parsed11(t, assemble11(1, 9, list...))
			n, err := h.WriteRequest(dst, req, client, server, 77)
			if err != nil {
				t.Fatal(err)
			}
			oracleChecks(t, dst[:n], nil, key11)
			got := pairs(dst[:n])
			if dst[1] != 77 || got[0].t != 80 || len(got) != 5 {
				t.Fatalf("Identifier %d, attributes %v; expected 77, Message-Authenticator first, and four more", dst[1], got)
			}
			samePairs(t, "the rest", around, []pair{got[1], got[3], got[4]})
			if got := c.read(t, got[2], dst[4:20]); got != c.want {
				t.Errorf("the server reads %q, expected %q", got, c.want)
			}

			ra := [16]byte(authenticator(90))
			reply := parsed(t, oracleSign(assemble(2, 77, nil, ma, around[0], c.hide(t, ra[:]), around[1], around[2], pair{33, []byte("the server's")}), ra[:], key11))
			n, err = h.WriteReply(dst, reply, req, &ra, server, client)
			if err != nil {
				t.Fatal(err)
			}
			wellMade11(t, dst[:n], 2, 9)
			back := c.clear
			if c.back.t != 0 {
				back = c.back
			}
			samePairs(t, "the reply", []pair{around[0], back, around[1], around[2], {33, []byte("one")}, {33, []byte("two")}}, pairs(dst[:n]))
		})
	}
}

// The salts of one packet differ and have their top bit set, however many values
// are hidden anew.
// Rules: P39, P127
func TestSaltsOfOneRequest11(t *testing.T) {
	h := NewHasher()
	dst := make([]byte, MaxLength)
	var list []pair
	for range 20 {
		list = append(list, pair{69, []byte("\x01x")}, vsa(311, append(sub(16, []byte("a")), sub(17, []byte("b"))...)...))
	}
	n, err := h.WriteRequest(dst, parsed11(t, assemble11(43, 1, list...)), radSecSecret(), serverSecret(t, key11), 1)
	if err != nil {
		t.Fatal(err)
	}
	oracleChecks(t, dst[:n], nil, key11)
	seen := map[string]bool{}
	for _, p := range without(pairs(dst[:n]), 80) {
		salts := []string{string(p.value[1:3])}
		if p.t == 26 {
			salts = []string{string(p.value[6:8]), string(p.value[26:28])}
			if plain := unsalted(t, p.value[26:], key11, make([]byte, 16)); string(plain) != "b" {
				t.Errorf("the second key of one Vendor-Specific reads %q over zeros, as CoA hides", plain)
			}
		}
		for _, s := range salts {
			if seen[s] || s[0] < 0x80 {
				t.Errorf("salt % x is used twice, or has no top bit", s)
			}
			seen[s] = true
		}
	}
	if len(seen) != 60 {
		t.Errorf("%d salts, expected 60", len(seen))
	}
}
