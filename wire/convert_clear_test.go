package wire

import (
	"bytes"
	"fmt"
	"testing"

	"radsec-gw/wire/dict"
)

// clearKey is a key whose octets are too large for a length inside a
// Vendor-Specific, so that what is left of it when a length is wrong cannot pass
// for an attribute of its own.
var clearKey = []byte("\xff\xf8\xfd\xfa\xf9\xfe\xfb\xfc\xf8\xf9\xfa\xff\xfd\xfe\xfc\xfb\xff\xfe\xf8\xfa\xfc\xfd\xf9\xfb")

// shows reports whether six octets of the key are in the packet in clear.
func shows(packet []byte) bool {
	for i := range len(clearKey) - 5 {
		if bytes.Contains(packet, clearKey[i:i+6]) {
			return true
		}
	}
	return false
}

// inClear makes the attribute of a row with the key in clear, as RADIUS/1.1 has
// it, between two others of its vendor's. If wrong is not negative it is the
// length octet of the attribute, or of the TLV if inTLV is set; if more is set the
// value says that it continues.
func inClear(a *hiddenAttribute, before, after []byte, wrong int, inTLV, more bool) pair {
	value := bytes.Clone(clearKey)
	if a.rule&ruleLEAP != 0 {
		value = append([]byte(dict.LEAPPrefix), value...)
	}
	if a.rule&methodMask == methodAscend {
		value = value[:16]
	}
	if a.vendor == 0 {
		return pair{byte(a.number), value}
	}
	if a.sub != 0 {
		if value = sub(a.sub, value); wrong >= 0 && inTLV {
			value[1] = byte(wrong)
		}
	}
	head := []byte{byte(a.number), 0}
	switch at := 1; a.format {
	case format21:
		head, at = []byte{byte(a.number >> 8), byte(a.number), 0}, 2
		fallthrough
	default:
		if a.format == format11c {
			head = append(head, 0)
			if more {
				head[2] = moreBit
			}
		}
		if head[at] = byte(len(head) + len(value)); wrong >= 0 && !inTLV {
			head[at] = byte(wrong)
		}
	}
	return vsa(a.vendor, bytes.Join([][]byte{before, head, value, after}, nil)...)
}

// saysAnother reports whether a wrong length makes the attribute, by all that can
// be known, one that is not hidden: it cuts the text off a LEAP key, or the TLV off
// its container.
func saysAnother(a *hiddenAttribute, wrong int, inTLV bool) bool {
	if a.rule&ruleLEAP != 0 {
		return wrong >= 2 && wrong < 2+len(dict.LEAPPrefix)
	}
	return a.sub != 0 && !inTLV && wrong == a.format.header()
}

// keepsSecret fails the test if the server's copy of a request of RADIUS/1.1 with
// p in it shows the key, and reports whether p was copied.
func keepsSecret(t *testing.T, h *Hasher, dst []byte, what string, code Code, list ...pair) []pair {
	t.Helper()
	n, err := h.WriteRequest(dst, parsed11(t, assemble11(code, 9, list...)), radSecSecret(), serverSecret(t, key11), 1)
	if err != nil {
		return nil
	}
	oracleChecks(t, dst[:n], nil, key11)
	if shows(dst[:n]) {
		t.Errorf("%s: the key goes to the server in clear: % x", what, dst[20:n])
	}
	return without(pairs(dst[:n]), 80)
}

// openBeside returns an attribute that is not hidden, in the layout of a's vendor.
func openBeside(a *hiddenAttribute) []byte {
	switch a.format {
	case format21:
		return []byte{0, 1, 3}
	case format11c:
		return []byte{1, 3, 0}
	}
	return []byte{1, 3, 'x'}
}

// No key of the dictionary goes from RADIUS/1.1 to a server in clear: it is hidden, and
// the other attributes are copied.
// Rules: P8, P42, P127
func TestNoKeyGoesToTheServerInClear(t *testing.T) {
	h, dst, name := NewHasher(), make([]byte, MaxLength), pair{1, []byte("nemo")}
	for _, a := range hiddenAttributes() {
		for _, code := range []Code{1, 4, 43} {
			got := keepsSecret(t, h, dst, a.name, code, inClear(a, nil, nil, -1, false, false), name)
			if len(got) != 2 || len(got[0].value) < len(clearKey)-8 {
				t.Errorf("%s: expected it hidden, and User-Name, got %v", a.name, got)
			}
			if a.vendor != 0 {
				keepsSecret(t, h, dst, a.name+" between others", code, inClear(a, openBeside(a), openBeside(a), -1, false, false), name)
			}
		}
	}
}

// The same whatever the lengths around the key are: where they do not fit the
// Vendor-Specific is omitted, and the other attributes are copied.
// Rules: P8, P42, P127
func TestNoKeyGoesToTheServerInClearWithWrongLengths(t *testing.T) {
	h, dst, name := NewHasher(), make([]byte, MaxLength), pair{1, []byte("nemo")}
	for _, a := range hiddenAttributes() {
		for wrong := range 256 {
			if a.vendor == 0 || saysAnother(a, wrong, false) {
				continue
			}
			for bits := range 16 {
				if wrong >= 64 && bits != wrong%16 {
					continue // it is longer than the attribute
				}
				var around [2][]byte
				for j := range around {
					if bits>>j&1 != 0 {
						around[j] = openBeside(a)
					}
				}
				p := inClear(a, around[0], around[1], wrong, bits&4 != 0, bits&8 != 0)
				got := keepsSecret(t, h, dst, fmt.Sprintf("%s with the length %d, %04b", a.name, wrong, bits), 1, p, name)
				if got != nil && got[len(got)-1].t != 1 {
					t.Fatalf("%s with the length %d: expected User-Name to be copied, got %v", a.name, wrong, got)
				}
			}
		}
	}
}

// A Vendor-Specific that does not follow its vendor's layout is omitted when it may hold
// a key, and copied when it cannot (RFC 2865 §5.26 leaves the inside to the vendor).
// Rules: P8, P42, P127
func TestNoKeyInABrokenVendorSpecificGoesToTheServer(t *testing.T) {
	h, dst, name := NewHasher(), make([]byte, MaxLength), pair{1, []byte("nemo")}
	for what, p := range map[string]pair{
		"Microsoft's key, a length too long":  vsa(311, append([]byte{17, 99}, clearKey...)...),
		"Microsoft's key, a length of zero":   vsa(311, append([]byte{17, 0}, clearKey...)...),
		"Microsoft's key after another":       vsa(311, append([]byte{1, 3, 'x', 16, 250}, clearKey...)...),
		"Microsoft's key, its type alone":     vsa(311, 16),
		"Lucent's secret":                     vsa(4846, append([]byte{0, 214, 99}, clearKey...)...),
		"WiMAX without a continuation octet":  vsa(wimax, 5, 2),
		"a container of UBNT's":               vsa(41112, append([]byte{5, 99, 2, 26}, clearKey...)...),
		"LEAP key, a length too long":         vsa(9, append([]byte("\x01\x99leap:session-key="), clearKey...)...),
		"LEAP key after another pair":         vsa(9, append([]byte("\x01\x04x=\x01\x99leap:session-key="), clearKey...)...),
		"a key whose length cuts it in three": vsa(311, append([]byte{16, 5}, clearKey...)...),
	} {
		got := keepsSecret(t, h, dst, what, 1, p, name)
		samePairs(t, what, []pair{name}, got)
	}
	for what, p := range map[string]pair{ // nothing in these can be a key
		"Microsoft's that is not hidden": vsa(311, 1, 99, 'x'), "a vendor without keys": vsa(10415, 16, 99),
		"nothing inside": vsa(311), "half a number of Lucent's": vsa(4846, 0), "another pair of Cisco's": vsa(9, 1, 99, 'l', 'e'),
	} {
		samePairs(t, what, []pair{p, name}, keepsSecret(t, h, dst, what, 1, p, name))
	}
}

// Rules: P42, P127
func FuzzNoKeyGoesToTheServerInClear(f *testing.F) {
	f.Add(uint16(5), []byte{1, 3, 'x'}, []byte{}, 99, false, false)
	f.Add(uint16(4), []byte{}, []byte{7, 3, 'x'}, 40, false, false)
	f.Add(uint16(38), []byte{}, []byte{5, 5, 0, 1, 2}, -1, false, true)
	f.Add(uint16(46), []byte{1, 3, 0}, []byte{}, 7, true, false)
	h, dst := NewHasher(), make([]byte, MaxLength)
	all := hiddenAttributes()
	f.Fuzz(func(t *testing.T, row uint16, before, after []byte, wrong int, inTLV, more bool) {
		a := all[int(row)%len(all)]
		if len(before)+len(after) > 150 || shows(before) || shows(after) {
			return
		}
		if !a.format.fills(before) && len(before) > 0 { // else the key's own header may be read as part of it
			return
		}
		if wrong > 255 || saysAnother(a, wrong, inTLV) {
			return
		}
		keepsSecret(t, h, dst, a.name, 1, inClear(a, before, after, wrong, inTLV, more), pair{1, []byte("nemo")})
	})
}
