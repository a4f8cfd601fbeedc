package wire

import (
	"bytes"
	"errors"
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

// What does not fit the hidden form fails the request; nothing is cut off, and
// nothing goes on in clear.
// Rules: P15, P17, P126, P127
func TestLimits11(t *testing.T) {
	h, client, server := NewHasher(), RadSecSecret(), serverSecret(t, key11)
	dst := make([]byte, MaxLength)
	full := make([]pair, 0, 16)
	for range 15 {
		full = append(full, pair{200, make([]byte, 253)})
	}
	octets := func(n int) []byte { return bytes.Repeat([]byte{'x'}, n) }
	for _, c := range []struct {
		name string
		list []pair
		want error
	}{
		{"password of 128", []pair{{2, octets(128)}}, nil},
		{"password of 129", []pair{{2, octets(129)}}, ErrUserPassword},
		{"password of 129 beside EAP-Message", []pair{{2, octets(129)}, {79, []byte{2, 1, 0, 4}}}, nil},
		{"empty password", []pair{{2, nil}}, nil},
		{"tunnel password of 239", []pair{{69, append([]byte{1}, octets(239)...)}}, nil},
		{"tunnel password of 240", []pair{{69, append([]byte{1}, octets(240)...)}}, ErrValueTooLong},
		{"MPPE key of 239", []pair{vsa(311, sub(16, octets(239))...)}, nil},
		{"MPPE key of 240", []pair{vsa(311, sub(16, octets(240))...)}, ErrValueTooLong},
		{"Ascend secret of 16", []pair{vsa(529, sub(214, octets(16))...)}, nil},
		{"Ascend secret of 17", []pair{vsa(529, sub(214, octets(17))...)}, ErrValueTooLong},
		{"UBNT TLV too long", []pair{vsa(41112, sub(5, sub(2, octets(245)))...)}, ErrValueTooLong},
		{"packet that outgrows", append(full, pair{69, append([]byte{1}, octets(200)...)}, pair{200, make([]byte, 28)}), ErrTooLong},
		{"CHAP with its challenge", []pair{{3, octets(17)}, {60, octets(16)}}, nil},
		{"CHAP without", []pair{{3, octets(17)}}, ErrChallenge},
		{"ARAP", []pair{{70, octets(16)}, {60, octets(16)}}, ErrChallenge},
	} {
		req := assemble11(1, 9, c.list...)
		n, err := h.WriteRequest(dst, parsed11(t, req), client, server, 1)
		if !errors.Is(err, c.want) || err == nil != (c.want == nil) {
			t.Errorf("%s: expected %v, got %v", c.name, c.want, err)
		}
		if err != nil {
			continue
		}
		oracleChecks(t, dst[:n], nil, key11)
		if bytes.Contains(dst[:n], octets(17)) && c.list[0].t != 3 {
			t.Errorf("%s: the value goes to the server in clear", c.name)
		}
		if c.name == "password of 129 beside EAP-Message" && len(only(pairs(dst[:n]), 2)) != 0 {
			t.Errorf("%s: the password was carried on", c.name)
		}
		if c.name == "empty password" && !bytes.Equal(revealPassword(only(pairs(dst[:n]), 2)[0].value, key11, dst[4:20]), make([]byte, 16)) {
			t.Errorf("%s: expected a block of padding", c.name)
		}
	}
	for _, code := range []Code{4, 40, 43} { // where there is no password to be tried
		req := assemble11(code, 9, pair{1, []byte("nemo")}, pair{2, octets(129)}, pair{44, []byte{'s'}})
		n, err := h.WriteRequest(dst, parsed11(t, req), client, server, 1)
		if err != nil {
			t.Errorf("password of 129 in a packet of code %d: %v", code, err)
			continue
		}
		samePairs(t, "password of 129", []pair{{1, []byte("nemo")}, {44, []byte{'s'}}}, without(pairs(dst[:n]), 80))
	}
	if !errors.Is(ErrValueTooLong, ErrTooLong) {
		t.Error("ErrValueTooLong is no ErrTooLong")
	}
}

// A server's value whose decrypted length cannot be costs an Access-Accept, which
// is nothing without its keys; another reply goes on without the value. One that
// has not the form of a hidden value is invalid and only omitted (RFC 6929 §2.8):
// the login goes on.
// Rules: P8, P40, P127
func TestUnreadableValues11(t *testing.T) {
	h, client, server := NewHasher(), RadSecSecret(), serverSecret(t, key11)
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
func TestHiddenValuesThereAndBack11(t *testing.T) {
	h, client, server := NewHasher(), RadSecSecret(), serverSecret(t, key11)
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
	n, err := h.WriteRequest(dst, parsed11(t, assemble11(43, 1, list...)), RadSecSecret(), serverSecret(t, key11), 1)
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

// clear11 is a value on either side: in clear in RADIUS/1.1, and what the server's
// end reads out of the hidden form.
type clear11 struct {
	name  string
	clear pair
	// read returns what the server reads; hide makes the server's own form.
	hide func(t testing.TB, ra []byte) pair
	read func(t *testing.T, p pair, ra []byte) string
	want string // what read returns; the clear value goes in
	back pair   // what the client gets of the server's form; zero: the clear pair
}

// values11 lists the methods and layouts.
func values11() []clear11 {
	salt := uint16(0x8001)
	read := func(cut int, open func(t testing.TB, v []byte, key string, ra []byte) []byte) func(t *testing.T, p pair, ra []byte) string {
		return func(t *testing.T, p pair, ra []byte) string {
			return string(p.value[:cut]) + "|" + string(open(t, p.value[cut:], key11, ra))
		}
	}
	password := func(_ testing.TB, v []byte, key string, ra []byte) []byte { return revealPassword(v, key, ra) }
	lookup := []byte("who wants which key, here")
	keys := []byte("24 octets that end in \x00\x00")
	secret16 := func(p pair, head int, ra []byte) []byte { return xor(p.value[head:], md5Of(ra, []byte(key11))) }
	return []clear11{
		{"User-Password", pair{2, []byte("hello")},
			func(_ testing.TB, ra []byte) pair {
				return pair{2, hidePassword(append([]byte("hello"), make([]byte, 27)...), key11, ra)}
			},
			read(0, password), "|hello\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", pair{}},
		{"User-Password of 17", pair{2, []byte("seventeen octets!")},
			func(_ testing.TB, ra []byte) pair {
				return pair{2, hidePassword(append([]byte("seventeen octets!"), make([]byte, 15)...), key11, ra)}
			},
			read(0, password), "|seventeen octets!" + string(make([]byte, 15)), pair{}},
		{"Tunnel-Password", pair{69, []byte("\x03tunnel")},
			func(t testing.TB, ra []byte) pair {
				return pair{69, append([]byte{3}, salted(t, []byte("tunnel"), salt, key11, ra)...)}
			},
			read(1, unsalted), "\x03|tunnel", pair{}},
		{"Tunnel-Password without a tag", pair{69, []byte("tunnel")},
			func(t testing.TB, ra []byte) pair {
				return pair{69, append([]byte{0x77}, salted(t, []byte("tunnel"), salt, key11, ra)...)}
			},
			read(1, unsalted), "\x00|tunnel", pair{69, []byte("\x00tunnel")}},
		{"MS-MPPE-Send-Key", vsa(311, sub(16, []byte("key\x00"))...),
			func(t testing.TB, ra []byte) pair {
				return vsa(311, sub(16, salted(t, []byte("key\x00"), salt, key11, ra))...)
			},
			read(6, unsalted), "\x00\x00\x01\x37\x10\x14|key\x00", pair{}},
		{"MS-CHAP-MPPE-Keys", vsa(311, sub(12, keys)...),
			func(_ testing.TB, ra []byte) pair {
				return vsa(311, sub(12, hidePassword(append(bytes.Clone(keys), make([]byte, 8)...), key11, ra))...)
			},
			read(6, password), "\x00\x00\x01\x37\x0c\x22|" + string(keys) + string(make([]byte, 8)), pair{}},
		{"Aruba-MPSK-Lookup-Info, longer than Microsoft's keys", vsa(14823, sub(66, lookup)...),
			func(_ testing.TB, ra []byte) pair {
				return vsa(14823, sub(66, hidePassword(append(bytes.Clone(lookup), make([]byte, 32-len(lookup))...), key11, ra))...)
			},
			read(6, password), "\x00\x00\x39\xe7\x42\x22|" + string(lookup) + string(make([]byte, 32-len(lookup))), pair{}},
		{"Ascend-Send-Secret", vsa(529, sub(214, []byte("ascend"))...),
			func(_ testing.TB, ra []byte) pair {
				p := vsa(529, sub(214, append([]byte("ascend"), make([]byte, 10)...))...)
				copy(p.value[6:], secret16(p, 6, ra))
				return p
			},
			func(_ *testing.T, p pair, ra []byte) string { return string(secret16(p, 6, ra)) },
			"ascend" + string(make([]byte, 10)), pair{}},
		{"Lucent-Receive-Secret", vsa(4846, append([]byte{0, 215, 9}, "lucent"...)...),
			func(_ testing.TB, ra []byte) pair {
				p := vsa(4846, append([]byte{0, 215, 19}, append([]byte("lucent"), make([]byte, 10)...)...)...)
				copy(p.value[7:], secret16(p, 7, ra))
				return p
			},
			func(_ *testing.T, p pair, ra []byte) string {
				return string(p.value[4:7]) + string(secret16(p, 7, ra))
			},
			"\x00\xd7\x13lucent" + string(make([]byte, 10)), pair{}},
		{"LCS-IKEv2-Local-Password, tagged", vsa(2356, sub(19, []byte("\x01ike"))...),
			func(t testing.TB, ra []byte) pair {
				return vsa(2356, sub(19, append([]byte{1}, salted(t, []byte("ike"), salt, key11, ra)...))...)
			},
			read(7, unsalted), "\x00\x00\x09\x34\x13\x15\x01|ike", pair{}},
		{"LEAP session key", vsa(9, sub(1, []byte("leap:session-key=\x00ey of 16 octets\x00"))...),
			func(t testing.TB, ra []byte) pair {
				return vsa(9, sub(1, append([]byte("leap:session-key="), salted(t, []byte("\x00ey of 16 octets\x00"), salt, key11, ra)...))...)
			},
			read(23, unsalted), "\x00\x00\x00\x09\x01\x35leap:session-key=|\x00ey of 16 octets\x00", pair{}},
		{"TLV of UBNT, with an open one", vsa(41112, sub(5, append(sub(1, []byte("open")), sub(2, []byte("closed"))...))...),
			func(t testing.TB, ra []byte) pair {
				return vsa(41112, sub(5, append(sub(1, []byte("open")), sub(2, salted(t, []byte("closed"), salt, key11, ra))...))...)
			},
			func(t *testing.T, p pair, ra []byte) string {
				return string(p.value[6:12]) + "|" + string(unsalted(t, p.value[14:], key11, ra))
			},
			"\x01\x06open|closed", pair{}},
		{"WiMAX-MSK", vsa(24757, 5, 11, 0, 1, 2, 3, 4, 5, 6, 7, 8),
			func(t testing.TB, ra []byte) pair {
				h := salted(t, []byte{1, 2, 3, 4, 5, 6, 7, 8}, salt, key11, ra)
				return vsa(24757, append([]byte{5, byte(3 + len(h)), 0}, h...)...)
			},
			read(7, unsalted), "\x00\x00\x60\xb5\x05\x15\x00|\x01\x02\x03\x04\x05\x06\x07\x08", pair{}},
	}
}
