package wire

import (
	"errors"
	"testing"
)

// RFC 2865 §3, RFC 6614 §3.4
// Rules: P1, P2, P3, P5, P99
func TestCut(t *testing.T) {
	for _, c := range []struct {
		what string
		b    []byte
		n    int
		err  error
	}{
		{"nothing", nil, 0, nil},
		{"three octets", []byte{1, 2, 0}, 0, nil},
		{"a header whose packet is not whole", []byte{1, 2, 0, 20}, 0, nil},
		{"one octet short", make19(20), 0, nil},
		{"the shortest packet", assemble(1, 1, nil), 20, nil},
		{"a datagram with octets beyond Length", append(assemble(1, 1, nil), 0, 0), 20, nil},
		{"two packets", append(assemble(1, 1, nil), assemble(1, 2, nil)...), 20, nil},
		{"Length 19", []byte{1, 1, 0, 19}, 0, ErrLength},
		{"Length 0", []byte{1, 1, 0, 0}, 0, ErrLength},
		{"Length 4097", []byte{1, 1, 0x10, 1}, 0, ErrLength},
		{"a TLS record where RADIUS is expected", []byte{0x16, 3, 1, 2}, 0, nil},
		{"HTTP where RADIUS is expected", []byte("GET / HTTP/1.1"), 0, ErrLength},
	} {
		n, err := Cut(c.b)
		if n != c.n || !errors.Is(err, c.err) {
			t.Errorf("%s: expected %d, %v; got %d, %v", c.what, c.n, c.err, n, err)
		}
	}
	longest := make([]byte, 4096)
	longest[2] = 0x10
	if n, err := Cut(longest); n != 4096 || err != nil {
		t.Errorf("the longest packet: expected 4096, got %d, %v", n, err)
	}
}

func make19(length byte) []byte {
	b := make([]byte, 19)
	b[3] = length
	return b
}

// RFC 6613 §2.6.4, RFC 6929 §2.8, RFC 3579 §2.1
// Rules: P1, P5, P7, P8, P9
func TestParseFraming(t *testing.T) {
	packet := func(attributes ...byte) []byte {
		b := append(assemble(1, 1, nil), attributes...)
		b[3] = byte(len(b))
		return b
	}
	longer := packet(1, 3, 'a')
	longer[3]++
	for _, c := range []struct {
		what string
		b    []byte
		err  error
		text string
	}{
		{"no attributes", packet(), nil, ""},
		{"an unknown attribute", packet(200, 3, 9), nil, ""},
		{"an empty EAP-Message, EAP-Start", packet(79, 2), nil, ""},
		{"wrong sizes for their types", packet(4, 3, 1, 6, 2, 55, 3, 1, 26, 3, 1, 241, 2), nil, ""},
		{"a header that is short", make19(19), ErrLength, "packet length: expected 20 to 4096 octets in the Length field, got -1"},
		{"Length beyond the packet", longer, ErrLength, "packet length: the Length field says 24 octets, the packet has 23"},
		{"Length within the packet", append(packet(), 1), ErrLength, "packet length: the Length field says 20 octets, the packet has 21"},
		{"attribute length 0", packet(1, 0), ErrAttributes, "attribute framing: attribute 1 at octet 20 has length 0, expected 2 to 2"},
		{"attribute length 1", packet(4, 6, 1, 2, 3, 4, 1, 1, 0), ErrAttributes, "attribute framing: attribute 1 at octet 26 has length 1, expected 2 to 3"},
		{"an attribute beyond the packet", packet(1, 4, 'a'), ErrAttributes, "attribute framing: attribute 1 at octet 20 has length 4, expected 2 to 3"},
		{"one octet left", packet(1, 3, 'a', 80), ErrAttributes, "attribute framing: attribute 80 at octet 23 ends before its length octet"},
	} {
		err := new(View).Parse(c.b)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: expected %v, got %v", c.what, c.err, err)
		}
		if err != nil && err.Error() != c.text {
			t.Errorf("%s: expected the text %q, got %q", c.what, c.text, err)
		}
	}
	if errors.Is(new(View).Parse(packet(1, 0)), ErrLength) || errors.Is(new(View).Parse(nil), ErrAttributes) {
		t.Error("the two kinds of error cannot be told apart")
	}
}

// A packet of any code may have 20 to 4096 octets, accounting, too, where RFC 2866 §3
// says 4095; fewer and more are not a packet, even when a buffer holds them.
// Rules: P1
func TestPacketsOf20To4096Octets(t *testing.T) {
	for code := range 256 {
		for _, n := range []int{19, 20, 22, 4095, 4096, 4097} {
			b := make([]byte, n)
			b[0], b[2], b[3] = byte(code), byte(n>>8), byte(n)
			for at := 20; at < n; { // attributes of unknown types, the last as long as there is space
				size := min(n-at, 255)
				if n-at-size == 1 {
					size--
				}
				b[at], b[at+1] = 250, byte(size)
				at += size
			}
			good := n >= 20 && n <= 4096
			length, cutErr := Cut(b)
			if good != (cutErr == nil) || good && length != len(b) {
				t.Errorf("code %d, %d octets: Cut gave %d, %v", code, len(b), length, cutErr)
			}
			if err := new(View).Parse(b); good != (err == nil) {
				t.Errorf("code %d, %d octets: Parse gave %v", code, len(b), err)
			}
		}
	}
}

// Errors say what is wrong with which octet.
// Rules: P1, P5
func TestFramingErrors(t *testing.T) {
	var v View
	for _, c := range []struct {
		packet []byte
		want   string
	}{
		{make([]byte, 19), "packet length: expected 20 to 4096 octets in the Length field, got -1"},
		{[]byte{1, 1, 16, 0, 19: 0}, "packet length: the Length field says 4096 octets, the packet has 20"},
		{[]byte{1, 1, 16, 1, 19: 0}, "packet length: expected 20 to 4096 octets in the Length field, got 4097"},
		{[]byte{1, 1, 0, 21, 19: 0}, "packet length: the Length field says 21 octets, the packet has 20"},
		{[]byte{1, 1, 0, 19, 19: 0}, "packet length: expected 20 to 4096 octets in the Length field, got 19"},
		{[]byte{1, 1, 0, 21, 20: 9}, "attribute framing: attribute 9 at octet 20 ends before its length octet"},
		{[]byte{1, 1, 0, 22, 20: 9, 21: 0}, "attribute framing: attribute 9 at octet 20 has length 0, expected 2 to 2"},
		{[]byte{1, 1, 0, 22, 20: 9, 21: 3}, "attribute framing: attribute 9 at octet 20 has length 3, expected 2 to 2"},
	} {
		if err := v.Parse(c.packet); err == nil || err.Error() != c.want {
			t.Errorf("% x: expected the error %q, got %v", c.packet, c.want, err)
		}
	}
}
