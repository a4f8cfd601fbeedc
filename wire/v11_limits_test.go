package wire

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

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

// A key of WiMAX that grows over the border of its Vendor-Specific goes on in
// another; one that came in fragments is hidden as one value, and shrinks on its
// way back.
// Rules: P12, P42, P127
func TestWiMAXFragments11(t *testing.T) {
	h, client, server := NewHasher(), RadSecSecret(), serverSecret(t, key11)
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
	// The last fragment is missing: the key is left out, never sent in clear.
	list := splitWiMAX(5, key, 100)[:1]
	n, err := h.WriteRequest(dst, parsed11(t, assemble11(1, 9, append(list, pair{1, []byte("nemo")})...)), client, server, 1)
	if err != nil || len(pairs(dst[:n])) != 2 {
		t.Errorf("expected Message-Authenticator and User-Name only, got %v, %v", pairs(dst[:n]), err)
	}
}

// A part of a WiMAX value has nothing else in its Vendor-Specific, the last part
// neither; what was behind the key begins another. One that needs no parts may have.
// Rules: P42, P127
func TestNothingBehindTheLastPart11(t *testing.T) {
	behind := []byte{1, 3, 0}
	for size, want := range map[int][]int{
		1:   {3 + 18 + 3},
		223: {3 + 226 + 3},
		239: {3 + 242 + 3},
		240: {249, 15, 3}, // one that is 3 + 258 octets hidden
		246: {249, 15, 3},
	} {
		inside := append(append([]byte{5, byte(3 + size), 0}, xs(size)...), behind...)
		if len(inside) > 249 {
			inside = inside[:249]
		}
		list := []pair{vsa(24757, inside...)}
		if size == 246 {
			list = append(list, vsa(24757, behind...))
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
		if last := got[len(got)-1].value; !bytes.HasSuffix(last, behind) {
			t.Errorf("a key of %d octets: expected % x behind it, got % x", size, behind, last)
		}
		for i, p := range got {
			if more := p.value[6]&0x80 != 0; more != (len(got) == 3 && i == 0) {
				t.Errorf("a key of %d octets, Vendor-Specific %d: goes on: %t", size, i, more)
			}
		}
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

// A container without any TLV has nothing to open or to hide: it goes there and
// back, in an Access-Accept too.
// Rules: P7, P8, P42
func TestEmptyContainers11(t *testing.T) {
	h, client, server := NewHasher(), RadSecSecret(), serverSecret(t, key11)
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
