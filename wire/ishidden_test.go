package wire

import "testing"

// Rules: P39, SP4
func TestIsHidden(t *testing.T) {
	for _, c := range []struct {
		name   string
		t      byte
		value  []byte
		hidden bool
	}{
		{"User-Name", 1, []byte("a"), false},
		{"User-Password", 2, make([]byte, 16), true},
		{"Tunnel-Password", 69, make([]byte, 19), true},
		{"a Vendor-Specific without a vendor", 26, []byte{0, 0}, false},
		{"an unknown vendor's", 26, []byte{0, 1, 2, 3, 1, 2}, false},
		{"MS-MPPE-Send-Key", 26, append([]byte{0, 0, 1, 55, 16, 20}, make([]byte, 18)...), true},
		{"MS-CHAP-Domain", 26, []byte{0, 0, 1, 55, 10, 3, 'x'}, false},
		{"MS-CHAP-Domain, then MS-MPPE-Recv-Key", 26, append([]byte{0, 0, 1, 55, 10, 3, 'x', 17, 20}, make([]byte, 18)...), true},
		{"a Cisco-AVPair", 26, []byte("\x00\x00\x00\x09\x01\x07ab=cd"), false},
		{"the Cisco-AVPair with a key", 26, append([]byte("\x00\x00\x00\x09\x01\x35leap:session-key="), make([]byte, 34)...), true},
		{"a vendor's attribute that is cut off", 26, []byte{0, 0, 1, 55, 16, 20, 1}, false},
	} {
		if got := IsHidden(c.t, c.value); got != c.hidden {
			t.Errorf("%s: expected hidden %t, got %t", c.name, c.hidden, got)
		}
	}
}
