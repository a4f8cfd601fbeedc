package wire

import (
	"bytes"
	"slices"
	"testing"
)

// clear11 is a value on either side: in clear in RADIUS/1.1, and what the server reads
// from the hidden form.
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
	return slices.Concat(standardValues11(), microsoftValues11(), ascendValues11(), otherValues11())
}

// salt11 is the salt of values that the server hides.
const salt11 = 0x8001

// reading returns a read function: the first octets of a value, and the rest opened.
func reading(head int, open func(t testing.TB, v []byte, key string, ra []byte) []byte) func(t *testing.T, p pair, ra []byte) string {
	return func(t *testing.T, p pair, ra []byte) string {
		return string(p.value[:head]) + "|" + string(open(t, p.value[head:], key11, ra))
	}
}

// openPassword is revealPassword for reading.
func openPassword(_ testing.TB, v []byte, key string, ra []byte) []byte {
	return revealPassword(v, key, ra)
}

// xorAscend hides or reveals what follows the first octets of p.
func xorAscend(p pair, head int, ra []byte) []byte {
	return xor(p.value[head:], md5Of(ra, []byte(key11)))
}

// standardValues11 are of attributes without a vendor.
func standardValues11() []clear11 {
	return []clear11{
		{"User-Password", pair{2, []byte("hello")},
			func(_ testing.TB, ra []byte) pair {
				return pair{2, hidePassword(append([]byte("hello"), make([]byte, 27)...), key11, ra)}
			},
			reading(0, openPassword), "|hello\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", pair{}},
		{"User-Password of 17", pair{2, []byte("seventeen octets!")},
			func(_ testing.TB, ra []byte) pair {
				return pair{2, hidePassword(append([]byte("seventeen octets!"), make([]byte, 15)...), key11, ra)}
			},
			reading(0, openPassword), "|seventeen octets!" + string(make([]byte, 15)), pair{}},
		{"Tunnel-Password", pair{69, []byte("\x03tunnel")},
			func(t testing.TB, ra []byte) pair {
				return pair{69, append([]byte{3}, salted(t, []byte("tunnel"), salt11, key11, ra)...)}
			},
			reading(1, unsalted), "\x03|tunnel", pair{}},
		{"Tunnel-Password without a tag", pair{69, []byte("tunnel")},
			func(t testing.TB, ra []byte) pair {
				return pair{69, append([]byte{0x77}, salted(t, []byte("tunnel"), salt11, key11, ra)...)}
			},
			reading(1, unsalted), "\x00|tunnel", pair{69, []byte("\x00tunnel")}},
	}
}

// microsoftValues11 are Microsoft's, and one hidden as its keys.
func microsoftValues11() []clear11 {
	lookup := []byte("who wants which key, here")
	keys := []byte("24 octets that end in \x00\x00")
	return []clear11{
		{"MS-MPPE-Send-Key", vsa(311, sub(16, []byte("key\x00"))...),
			func(t testing.TB, ra []byte) pair {
				return vsa(311, sub(16, salted(t, []byte("key\x00"), salt11, key11, ra))...)
			},
			reading(6, unsalted), "\x00\x00\x01\x37\x10\x14|key\x00", pair{}},
		{"MS-CHAP-MPPE-Keys", vsa(311, sub(12, keys)...),
			func(_ testing.TB, ra []byte) pair {
				return vsa(311, sub(12, hidePassword(append(bytes.Clone(keys), make([]byte, 8)...), key11, ra))...)
			},
			reading(6, openPassword), "\x00\x00\x01\x37\x0c\x22|" + string(keys) + string(make([]byte, 8)), pair{}},
		{"Aruba-MPSK-Lookup-Info, longer than Microsoft's keys", vsa(14823, sub(66, lookup)...),
			func(_ testing.TB, ra []byte) pair {
				return vsa(14823, sub(66, hidePassword(append(bytes.Clone(lookup), make([]byte, 32-len(lookup))...), key11, ra))...)
			},
			reading(6, openPassword), "\x00\x00\x39\xe7\x42\x22|" + string(lookup) + string(make([]byte, 32-len(lookup))), pair{}},
	}
}

// ascendValues11 are hidden by XOR.
func ascendValues11() []clear11 {
	return []clear11{
		{"Ascend-Send-Secret", vsa(529, sub(214, []byte("ascend"))...),
			func(_ testing.TB, ra []byte) pair {
				p := vsa(529, sub(214, append([]byte("ascend"), make([]byte, 10)...))...)
				copy(p.value[6:], xorAscend(p, 6, ra))
				return p
			},
			func(_ *testing.T, p pair, ra []byte) string { return string(xorAscend(p, 6, ra)) },
			"ascend" + string(make([]byte, 10)), pair{}},
		{"Lucent-Receive-Secret", vsa(4846, append([]byte{0, 215, 9}, "lucent"...)...),
			func(_ testing.TB, ra []byte) pair {
				p := vsa(4846, append([]byte{0, 215, 19}, append([]byte("lucent"), make([]byte, 10)...)...)...)
				copy(p.value[7:], xorAscend(p, 7, ra))
				return p
			},
			func(_ *testing.T, p pair, ra []byte) string {
				return string(p.value[4:7]) + string(xorAscend(p, 7, ra))
			},
			"\x00\xd7\x13lucent" + string(make([]byte, 10)), pair{}},
	}
}

// otherValues11 are of other vendors.
func otherValues11() []clear11 {
	return []clear11{
		{"LCS-IKEv2-Local-Password, tagged", vsa(2356, sub(19, []byte("\x01ike"))...),
			func(t testing.TB, ra []byte) pair {
				return vsa(2356, sub(19, append([]byte{1}, salted(t, []byte("ike"), salt11, key11, ra)...))...)
			},
			reading(7, unsalted), "\x00\x00\x09\x34\x13\x15\x01|ike", pair{}},
		{"LEAP session key", vsa(9, sub(1, []byte("leap:session-key=\x00ey of 16 octets\x00"))...),
			func(t testing.TB, ra []byte) pair {
				return vsa(9, sub(1, append([]byte("leap:session-key="), salted(t, []byte("\x00ey of 16 octets\x00"), salt11, key11, ra)...))...)
			},
			reading(23, unsalted), "\x00\x00\x00\x09\x01\x35leap:session-key=|\x00ey of 16 octets\x00", pair{}},
		{"TLV of UBNT, with an open one", vsa(41112, sub(5, append(sub(1, []byte("open")), sub(2, []byte("closed"))...))...),
			func(t testing.TB, ra []byte) pair {
				return vsa(41112, sub(5, append(sub(1, []byte("open")), sub(2, salted(t, []byte("closed"), salt11, key11, ra))...))...)
			},
			func(t *testing.T, p pair, ra []byte) string {
				return string(p.value[6:12]) + "|" + string(unsalted(t, p.value[14:], key11, ra))
			},
			"\x01\x06open|closed", pair{}},
		{"WiMAX-MSK", vsa(24757, 5, 11, 0, 1, 2, 3, 4, 5, 6, 7, 8),
			func(t testing.TB, ra []byte) pair {
				h := salted(t, []byte{1, 2, 3, 4, 5, 6, 7, 8}, salt11, key11, ra)
				return vsa(24757, append([]byte{5, byte(3 + len(h)), 0}, h...)...)
			},
			reading(7, unsalted), "\x00\x00\x60\xb5\x05\x15\x00|\x01\x02\x03\x04\x05\x06\x07\x08", pair{}},
	}
}
