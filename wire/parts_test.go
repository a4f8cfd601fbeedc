package wire

import (
	"bytes"
	"testing"
)

// A WiMAX key in parts is one value, wherever its parts stand: the client of
// either version reads it, and what lies between goes on as it came.
// Rules: P8, P12, P42
func TestPartsApart(t *testing.T) {
	ra := authenticator(90)
	text := pair{18, []byte("between")}
	key, other := bytes.Repeat([]byte("0123456789abcdef"), 3)[:45], []byte("another key")
	value := salted(t, key, 0x8001, "server's", ra)
	second := splitWiMAX(10, salted(t, other, 0x8002, "server's", ra), 16)
	a := splitWiMAX(5, value, 32)        // the last part, 18 octets, might be a value of its own
	b := splitWiMAX(5, value, 1, 16, 16) // borders inside a block
	mppe := vsa(311, sub(16, salted(t, []byte("mppe"), 0x8003, "server's", ra))...)
	body := func(p pair) []byte { return p.value[4:] }
	for what, c := range map[string]struct {
		list  []pair
		left  []pair // of list, when the values of 5 and 10 are taken out
		other bool   // the second key is there, too
	}{
		"an attribute between":           {[]pair{a[0], text, a[1]}, []pair{text}, false},
		"what the hop drops between":     {[]pair{a[0], {33, []byte("ps")}, a[1]}, nil, false},
		"another vendor's between":       {[]pair{b[0], vsa(10415, 1, 3, 1), b[1], text, b[2], text, b[3]}, []pair{vsa(10415, 1, 3, 1), text, text}, false},
		"another number between":         {[]pair{a[0], wimaxPart(6, false, nil), a[1]}, []pair{wimaxPart(6, false, nil)}, false},
		"a hidden one between":           {[]pair{a[0], mppe, a[1]}, []pair{mppe}, false},
		"two values interleaved":         {[]pair{a[0], second[0], a[1], second[1]}, nil, true},
		"one value inside the other":     {[]pair{a[0], second[0], second[1], a[1]}, nil, true},
		"two parts in one":               {[]pair{vsa(wimax, append(bytes.Clone(body(a[0])), body(a[1])...)...)}, nil, false},
		"parts of two values in one":     {[]pair{vsa(wimax, append(bytes.Clone(body(a[0])), body(second[0])...)...), second[1], a[1]}, nil, true},
		"a broken one of another number": {[]pair{a[0], vsa(wimax, 6, 99, 0), a[1]}, []pair{vsa(wimax, 6, 99, 0)}, false},
		"one without an inside between":  {[]pair{a[0], vsa(wimax), a[1]}, []pair{vsa(wimax)}, false},
	} {
		t.Run(what, func(t *testing.T) {
			// Values are compared as an end reads them that joins what has one number.
			read := func(list []pair, number byte) (value []byte) {
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
			request := assemble(1, 7, authenticator(1))
			got := without(clientSees(t, request, assemble(2, 200, nil, c.list...)), 80)
			if plain := unsalted(t, read(got, 5), "radsec", request[4:20]); !bytes.Equal(plain, key) {
				t.Errorf("the client reads %q, expected %q", plain, key)
			}
			if c.other && !bytes.Equal(unsalted(t, read(got, 10), "radsec", request[4:20]), other) {
				t.Errorf("the client cannot read the second key")
			}
			for i, p := range without(c.list, 33) { // borders stay where they are
				if len(p.value) != len(got[i].value) || p.t != got[i].t {
					t.Errorf("attribute %d: expected type %d of %d octets, got %v", i, p.t, len(p.value), got[i])
				}
			}

			dst, sent := make([]byte, MaxLength), [16]byte(ra)
			n, err := NewHasher().WriteReply(dst, parsed(t, assemble(2, 200, nil, c.list...)), parsed11(t, assemble11(1, 9)), &sent, serverSecret(t, "server's"), RadSecSecret())
			if err != nil {
				t.Fatal(err)
			}
			wellMade11(t, dst[:n], 2, 9)
			got = pairs(dst[:n])
			if plain := read(got, 5); !bytes.Equal(plain, key) {
				t.Errorf("the client of RADIUS/1.1 reads %q, expected %q", plain, key)
			}
			if c.other && !bytes.Equal(read(got, 10), other) {
				t.Errorf("the client of RADIUS/1.1 cannot read the second key")
			}
			var left []pair
			for _, p := range got {
				if read([]pair{p}, 5) == nil && read([]pair{p}, 10) == nil {
					left = append(left, p)
				}
			}
			for i := range c.left {
				if bytes.Equal(c.left[i].value, mppe.value) {
					c.left[i] = vsa(311, sub(16, []byte("mppe"))...)
				}
			}
			samePairs(t, "what lies between", c.left, left)
		})
	}
}

// A value of which a part is missing or cannot be read is invalid: it goes to a
// client of RADIUS/1.0 as it came, and to one of 1.1 not at all. None of its
// parts is taken for a value of its own, whatever its length, and the login goes on.
// Rules: P8, P12, P40
func TestPartsThatAreNoWhole(t *testing.T) {
	block := func(n int) []byte { return make([]byte, n) } // 18, 34: would pass for a salted value
	text := pair{18, []byte("text")}
	broken := vsa(wimax, 5, 99, 0x80, 1, 2, 3)
	request, sent := assemble(1, 7, authenticator(1)), [16]byte(authenticator(90))
	for what, c := range map[string]struct{ list, left []pair }{
		"a broken one in the middle":            {[]pair{wimaxPart(5, true, block(18)), broken, wimaxPart(5, false, block(18)), text}, []pair{text}},
		"one too short for its flags":           {[]pair{wimaxPart(5, true, block(18)), vsa(wimax, 5), wimaxPart(5, false, block(18)), text}, []pair{text}},
		"a broken one beside a good one":        {[]pair{wimaxPart(5, true, block(18)), vsa(wimax, 6, 3, 0, 5, 99, 0), text}, []pair{text}},
		"octets behind a good one":              {[]pair{wimaxPart(5, true, block(18)), vsa(wimax, 5, 3, 0x80, 9), text, wimaxPart(5, false, block(18))}, []pair{text}},
		"the last is missing":                   {[]pair{text, wimaxPart(5, true, block(34))}, []pair{text}},
		"the last is missing, others are there": {[]pair{wimaxPart(5, true, block(18)), text, wimaxPart(5, true, block(34))}, []pair{text}},
	} {
		got := clientSees(t, request, assemble(2, 200, nil, c.list...))
		samePairs(t, what+", RADIUS/1.0", c.list, without(got, 80))
		dst := make([]byte, MaxLength)
		n, err := NewHasher().WriteReply(dst, parsed(t, assemble(2, 200, nil, c.list...)), parsed11(t, assemble11(1, 9)), &sent, serverSecret(t, "server's"), RadSecSecret())
		if err != nil {
			t.Errorf("%s, RADIUS/1.1: expected the login to go on, got %v", what, err)
			continue
		}
		samePairs(t, what+", RADIUS/1.1", c.left, pairs(dst[:n]))
		// In clear, towards the server.
		n, err = NewHasher().WriteRequest(dst, parsed11(t, assemble11(1, 9, c.list...)), RadSecSecret(), serverSecret(t, key11), 1)
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
