package wire

import (
	"bytes"
	"slices"
	"testing"
)

// The Vendor-Specific with the last part of a value may also hold another value of the
// same number after it, and another attribute before it.
// Rules: P12, P42
func TestValueAfterTheLastPart(t *testing.T) {
	ra := authenticator(90)
	one := splitWiMAX(5, salted(t, xs(40), 0x8001, "server's", ra), 20)
	two := salted(t, []byte("two"), 0x8002, "server's", ra)
	three := salted(t, []byte("three"), 0x8003, "server's", ra)
	open := []byte{1, 4, 0, 'o'}
	list := []pair{one[0], vsa(wimax, bytes.Join([][]byte{open, one[1].value[4:], wimaxPart(5, false, two).value[4:], wimaxPart(5, false, three).value[4:]}, nil)...)}
	request := assemble(1, 7, authenticator(1))
	got := without(clientSees(t, request, assemble(2, 200, nil, list...)), 80)
	last := got[1].value
	first := append(bytes.Clone(got[0].value[7:]), last[8+3:][:len(one[1].value)-7]...)
	if plain := unsalted(t, first, "radsec", request[4:20]); !bytes.Equal(plain, xs(40)) {
		t.Errorf("the value in parts: the client reads %q", plain)
	}
	for i, text := range []string{"three", "two"} {
		end := len(last) - i*(3+18)
		if plain := unsalted(t, last[end-18:end], "radsec", request[4:20]); string(plain) != text {
			t.Errorf("after it: the client reads %q, expected %q", plain, text)
		}
	}
	sent, dst := [16]byte(ra), make([]byte, MaxLength)
	n, err := NewHasher().WriteReply(dst, parsed(t, assemble(2, 200, nil, list...)), parsed11(t, assemble11(1, 9)), &sent, serverSecret(t, "server's"), radSecSecret())
	if err != nil {
		t.Fatal(err)
	}
	want := []pair{wimaxPart(5, false, xs(40)), vsa(wimax, bytes.Join([][]byte{open, wimaxPart(5, false, []byte("two")).value[4:], wimaxPart(5, false, []byte("three")).value[4:]}, nil)...)}
	samePairs(t, "in RADIUS/1.1", want, pairs(dst[:n]))
	shown := Reveal(parsed(t, assemble(2, 200, nil, list...)), &sent, serverSecret(t, "server's"))
	if len(shown) != 4 || !bytes.Equal(shown[0].Value, xs(40)) || string(shown[2].Value) != "two" || string(shown[3].Value) != "three" {
		t.Errorf("revealed: got %+v", shown)
	}
}

// An Access-Accept with a value in parts that was hidden under another secret is
// refused, whatever it decrypts to.
// Rules: P40
func TestPartsOfAnotherSecret(t *testing.T) {
	request, sent := parsed(t, assemble(1, 7, authenticator(1))), [16]byte(authenticator(90))
	h, dst, server := NewHasher(), make([]byte, MaxLength), serverSecret(t, "server's")
	for salt := range uint16(300) {
		plain := append([]byte{255}, make([]byte, 15)...)
		octets := []byte{0x80 | byte(salt>>8), byte(salt)}
		value := append(octets, hidePassword(plain, "server's", append(bytes.Clone(sent[:]), octets...))...)
		reply := parsed(t, assemble(2, 200, nil, append(splitWiMAX(5, value, 9), pair{1, []byte("nemo")})...))
		if _, err := h.WriteReply(dst, reply, request, &sent, server, radSecSecret()); err != ErrHidden {
			t.Fatalf("salt %d: expected ErrHidden, got %v", salt, err)
		}
	}
}

// The parts of one packet have no effect on the next.
// Rules: P12, P42
func TestPartsOfThePreviousPacket(t *testing.T) {
	ra := authenticator(90)
	sent, dst := [16]byte(ra), make([]byte, MaxLength)
	h, server := NewHasher(), serverSecret(t, "server's")
	before := assemble(2, 200, nil, append(filling(18, 2000), splitWiMAX(5, salted(t, xs(40), 0x8001, "server's", ra), 20)...)...)
	after := assemble(2, 201, nil, wimaxPart(5, false, salted(t, []byte("key"), 0x8002, "server's", ra)))
	request := assemble(1, 7, authenticator(1))
	for what, asked := range map[string]*View{"RADIUS/1.0": parsed(t, request), "RADIUS/1.1": parsed11(t, assemble11(1, 9))} {
		var got []pair
		for _, reply := range [][]byte{before, after} {
			n, err := h.WriteReply(dst, parsed(t, reply), asked, &sent, server, radSecSecret())
			if err != nil {
				t.Fatal(err)
			}
			got = without(pairs(dst[:n]), 80)
		}
		key := got[0].value[7:]
		if !asked.Is11() {
			key = unsalted(t, key, "radsec", request[4:20])
		}
		if string(key) != "key" {
			t.Errorf("%s: the client reads %q", what, key)
		}
	}
}

// A WiMAX value of RADIUS/1.1 is in one part of 246 octets at most, whatever its parts
// were before.
// Rules: P42, P127
func TestPartsTowardsTheClient11(t *testing.T) {
	ra := [16]byte(authenticator(90))
	for size, want := range map[int][]int{0: {3}, 1: {4}, 245: {248}, 246: {249}, 247: {249, 4}, 248: {249, 5}, 255: {249, 12}} {
		plain := append([]byte{byte(size)}, xs(size)...)
		plain = append(plain, make([]byte, (16-len(plain)%16)%16)...)
		salt := []byte{0x80, 9}
		hidden := append(salt, hidePassword(plain, key11, append(bytes.Clone(ra[:]), salt...))...)
		list := []pair{wimaxPart(5, false, hidden)}
		if len(hidden) > 100 {
			list = splitWiMAX(5, hidden, 100)
		}
		list = append(list, wimaxPart(1, false, nil))
		got, err := toClient(t, 2, &ra, list...)
		if err != nil {
			t.Fatal(err)
		}
		var sizes []int
		for i, p := range got[:len(got)-1] {
			sizes = append(sizes, len(p.value)-4)
			if more := p.value[6] != 0; more != (i == 0 && len(want) == 2) || int(p.value[5]) != len(p.value)-4 {
				t.Errorf("a value of %d octets, part %d: % x", size, i, p.value)
			}
		}
		if !slices.Equal(sizes, want) || !bytes.Equal(joinWiMAX(got[:len(got)-1]), xs(size)) {
			t.Errorf("a value of %d octets: expected parts of %d octets, got %d: %q", size, want, sizes, joinWiMAX(got))
		}
	}
}

// wimaxValue returns the value of a WiMAX attribute as an end reads it that joins what
// has one number.
func wimaxValue(list []pair, number byte) (value []byte) {
	for _, p := range list {
		if !bytes.HasPrefix(p.value, []byte{0, 0, 0x60, 0xb5}) || !format11c.fills(p.value[4:]) {
			continue
		}
		for in := p.value[4:]; len(in) > 0; in = in[in[1]:] {
			if in[0] == number {
				value = append(value, in[3:in[1]]...)
			}
		}
	}
	return value
}

// apart are two WiMAX keys in replies, split in several ways.
type apart struct {
	key, other []byte // of the attributes 5 and 10
	ra         []byte
	mppe       pair // a hidden attribute of another vendor
}

// apartReply is one of the replies.
type apartReply struct {
	name  string
	list  []pair
	rest  []pair // of list, without the values of 5 and 10
	other bool   // the second key is there, too
}

func newApart(t *testing.T) (*apart, []apartReply) {
	x := &apart{key: bytes.Repeat([]byte("0123456789abcdef"), 3)[:45], other: []byte("another key"), ra: authenticator(90)}
	x.mppe = vsa(311, sub(16, salted(t, []byte("mppe"), 0x8003, "server's", x.ra))...)
	text := pair{18, []byte("between")}
	value := salted(t, x.key, 0x8001, "server's", x.ra)
	a := splitWiMAX(5, value, 32)        // the last part, 18 octets, might be a value of its own
	b := splitWiMAX(5, value, 1, 16, 16) // split inside a block
	second := splitWiMAX(10, salted(t, x.other, 0x8002, "server's", x.ra), 16)
	body := func(p pair) []byte { return bytes.Clone(p.value[4:]) }
	return x, []apartReply{
		{"an attribute between", []pair{a[0], text, a[1]}, []pair{text}, false},
		{"what the hop drops between", []pair{a[0], {33, []byte("ps")}, a[1]}, nil, false},
		{"another vendor's between", []pair{b[0], vsa(10415, 1, 3, 1), b[1], text, b[2], text, b[3]}, []pair{vsa(10415, 1, 3, 1), text, text}, false},
		{"another number between", []pair{a[0], wimaxPart(6, false, nil), a[1]}, []pair{wimaxPart(6, false, nil)}, false},
		{"a hidden one between", []pair{a[0], x.mppe, a[1]}, []pair{x.mppe}, false},
		{"two values interleaved", []pair{a[0], second[0], a[1], second[1]}, nil, true},
		{"one value inside the other", []pair{a[0], second[0], second[1], a[1]}, nil, true},
		{"two parts in one", []pair{vsa(wimax, append(body(a[0]), body(a[1])...)...)}, nil, false},
		{"parts of two values in one", []pair{vsa(wimax, append(body(a[0]), body(second[0])...)...), second[1], a[1]}, nil, true},
		{"a broken one of another number", []pair{a[0], vsa(wimax, 6, 99, 0), a[1]}, []pair{vsa(wimax, 6, 99, 0)}, false},
		{"one without an inside between", []pair{a[0], vsa(wimax), a[1]}, []pair{vsa(wimax)}, false},
	}
}

// A WiMAX key in parts is one value, wherever its parts are: a client of RADIUS/1.0
// reads it, and what lies between is copied unchanged.
// Rules: P8, P12, P42
func TestPartsApart(t *testing.T) {
	x, replies := newApart(t)
	for _, c := range replies {
		request := assemble(1, 7, authenticator(1))
		got := without(clientSees(t, request, assemble(2, 200, nil, c.list...)), 80)
		if plain := unsalted(t, wimaxValue(got, 5), "radsec", request[4:20]); !bytes.Equal(plain, x.key) {
			t.Errorf("%s: the client reads %q, expected %q", c.name, plain, x.key)
		}
		if c.other && !bytes.Equal(unsalted(t, wimaxValue(got, 10), "radsec", request[4:20]), x.other) {
			t.Errorf("%s: the client cannot read the second key", c.name)
		}
		for i, p := range without(c.list, 33) { // split at the same places
			if len(p.value) != len(got[i].value) || p.t != got[i].t {
				t.Errorf("%s: attribute %d: expected type %d of %d octets, got %v", c.name, i, p.t, len(p.value), got[i])
			}
		}
	}
}

// The same for a client of RADIUS/1.1.
// Rules: P8, P12, P42
func TestPartsApart11(t *testing.T) {
	x, replies := newApart(t)
	for _, c := range replies {
		dst, sent := make([]byte, MaxLength), [16]byte(x.ra)
		n, err := NewHasher().WriteReply(dst, parsed(t, assemble(2, 200, nil, c.list...)), parsed11(t, assemble11(1, 9)), &sent, serverSecret(t, "server's"), radSecSecret())
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		wellMade11(t, dst[:n], 2, 9)
		got := pairs(dst[:n])
		if plain := wimaxValue(got, 5); !bytes.Equal(plain, x.key) {
			t.Errorf("%s: the client reads %q, expected %q", c.name, plain, x.key)
		}
		if c.other && !bytes.Equal(wimaxValue(got, 10), x.other) {
			t.Errorf("%s: the client cannot read the second key", c.name)
		}
		var rest []pair
		for _, p := range got {
			if wimaxValue([]pair{p}, 5) == nil && wimaxValue([]pair{p}, 10) == nil {
				rest = append(rest, p)
			}
		}
		for i := range c.rest {
			if bytes.Equal(c.rest[i].value, x.mppe.value) {
				c.rest[i] = vsa(311, sub(16, []byte("mppe"))...)
			}
		}
		samePairs(t, c.name+": what lies between", c.rest, rest)
	}
}

// A value of which a part is missing or cannot be read is invalid: it goes to a
// client of RADIUS/1.0 unchanged, and not to one of 1.1. None of its parts is taken
// for a value of its own, whatever its length, and the Access-Accept is not refused.
// Rules: P8, P12, P40
func TestIncompleteParts(t *testing.T) {
	block := func(n int) []byte { return make([]byte, n) } // 18, 34: would pass for a salted value
	text := pair{18, []byte("text")}
	broken := vsa(wimax, 5, 99, 0x80, 1, 2, 3)
	request, sent := assemble(1, 7, authenticator(1)), [16]byte(authenticator(90))
	for what, c := range map[string]struct{ list, left []pair }{
		"a broken one in the middle":            {[]pair{wimaxPart(5, true, block(18)), broken, wimaxPart(5, false, block(18)), text}, []pair{text}},
		"one too short for its flags":           {[]pair{wimaxPart(5, true, block(18)), vsa(wimax, 5), wimaxPart(5, false, block(18)), text}, []pair{text}},
		"a broken one beside a good one":        {[]pair{wimaxPart(5, true, block(18)), vsa(wimax, 6, 3, 0, 5, 99, 0), text}, []pair{text}},
		"octets after a valid one":              {[]pair{wimaxPart(5, true, block(18)), vsa(wimax, 5, 3, 0x80, 9), text, wimaxPart(5, false, block(18))}, []pair{text}},
		"the last is missing":                   {[]pair{text, wimaxPart(5, true, block(34))}, []pair{text}},
		"the last is missing, others are there": {[]pair{wimaxPart(5, true, block(18)), text, wimaxPart(5, true, block(34))}, []pair{text}},
	} {
		got := clientSees(t, request, assemble(2, 200, nil, c.list...))
		samePairs(t, what+", RADIUS/1.0", c.list, without(got, 80))
		dst := make([]byte, MaxLength)
		n, err := NewHasher().WriteReply(dst, parsed(t, assemble(2, 200, nil, c.list...)), parsed11(t, assemble11(1, 9)), &sent, serverSecret(t, "server's"), radSecSecret())
		if err != nil {
			t.Errorf("%s, RADIUS/1.1: expected the login to go on, got %v", what, err)
			continue
		}
		samePairs(t, what+", RADIUS/1.1", c.left, pairs(dst[:n]))
		// In clear, towards the server.
		n, err = NewHasher().WriteRequest(dst, parsed11(t, assemble11(1, 9, c.list...)), radSecSecret(), serverSecret(t, key11), 1)
		if err != nil {
			t.Fatalf("%s, to the server: %v", what, err)
		}
		samePairs(t, what+", to the server", c.left, without(pairs(dst[:n]), 80))
	}
	// The parts after a broken last one are those of another value.
	key := salted(t, []byte("a fresh key"), 0x8001, "server's", sent[:])
	list := []pair{wimaxPart(5, true, block(18)), vsa(wimax, 5, 99, 0), wimaxPart(5, false, key)}
	got := without(clientSees(t, request, assemble(2, 200, nil, list...)), 80)
	samePairs(t, "the broken value", list[:2], got[:2])
	if plain := unsalted(t, got[2].value[7:], "radsec", request[4:20]); string(plain) != "a fresh key" {
		t.Errorf("the client reads %q after it, expected the fresh key", plain)
	}
}
