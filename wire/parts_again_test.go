package wire

import (
	"bytes"
	"slices"
	"testing"
)

// The parts of one packet say nothing about the next.
// Rules: P12, P42
func TestPartsOfThePacketBefore(t *testing.T) {
	ra := authenticator(90)
	sent, dst := [16]byte(ra), make([]byte, MaxLength)
	h, server := NewHasher(), serverSecret(t, "server's")
	before := assemble(2, 200, nil, append(filling(18, 2000), splitWiMAX(5, salted(t, xs(40), 0x8001, "server's", ra), 20)...)...)
	after := assemble(2, 201, nil, wimaxPart(5, false, salted(t, []byte("key"), 0x8002, "server's", ra)))
	request := assemble(1, 7, authenticator(1))
	for what, asked := range map[string]*View{"RADIUS/1.0": parsed(t, request), "RADIUS/1.1": parsed11(t, assemble11(1, 9))} {
		var got []pair
		for _, reply := range [][]byte{before, after} {
			n, err := h.WriteReply(dst, parsed(t, reply), asked, &sent, server, RadSecSecret())
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
