package wire

import (
	"bytes"
	"errors"
	"testing"
)

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
		"249 octets":                        {ubnt(227), nil, 247},
		"250 octets":                        {ubnt(228), ErrTooLong, 0},
		"an open TLV of 255":                {wimax86(append(sub(3, nil), sub(1, xs(253))...)), nil, 20 + 255},
		"an open TLV of 254":                {wimax86(append(sub(3, nil), sub(1, xs(252))...)), nil, 20 + 254},
		"an open TLV behind many that grow": {splitWiMAX(86, append(bytes.Repeat([]byte{3, 2}, 200), sub(1, xs(198))...), 200, 200), ErrTooLong, 0},
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
