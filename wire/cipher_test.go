package wire

import (
	"bytes"
	"runtime"
	"slices"
	"testing"

	"layeh.com/radius"
)

// Random octets are wanted in any number: none twice, none left zero.
// Rules: P23
func TestRandomInAnyNumber(t *testing.T) {
	d := NewDigests()
	for _, n := range []int{512, 16, 496, 0, 511, 1, 512, 513, 2000, 16} {
		b := make([]byte, n)
		d.Random(b)
		if n >= 16 && slices.Equal(b[:8], make([]byte, 8)) || n >= 16 && slices.Equal(b[n-8:], make([]byte, 8)) {
			t.Errorf("%d octets: expected random ones, got % x … % x", n, b[:8], b[n-8:])
		}
	}
}

// The memory of a Hasher does not grow with the packets that it has rewritten.
func TestRewritingKeepsItsMemory(t *testing.T) {
	ra := [16]byte(authenticator(1))
	server, client := serverSecret(t, "s"), radSecSecret()
	reply := parsed(t, assemble(radius.CodeAccessAccept, 1, nil, pair{69, append([]byte{0}, salted(t, []byte("x"), 0x8000, "s", ra[:])...)}))
	request := parsed(t, assemble(1, 1, authenticator(9)))
	h, dst := NewHasher(), make([]byte, MaxLength)
	round := func() {
		if _, err := h.WriteReply(dst, reply, request, &ra, server, client); err != nil {
			t.Fatal(err)
		}
	}
	round()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 5000 {
		round()
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 256<<10 {
		t.Errorf("5000 packets rewritten: expected the same memory again, %d bytes were allocated", grown)
	}
}

// Rules: P23
func TestRandomOctetsAreUsedOnceAndWiped(t *testing.T) {
	c := new(cipher)
	seen := map[[16]byte]bool{{}: true}
	for i := range 1000 {
		var b [16]byte
		c.Random(b[:])
		if seen[b] {
			t.Fatalf("draw %d: octets were used twice, or are zero", i)
		}
		seen[b] = true
		if used := len(c.random) - c.remaining; !bytes.Equal(c.random[:used], make([]byte, used)) {
			t.Fatalf("draw %d: used octets stay in the buffer", i)
		}
	}
	long := make([]byte, 2000)
	c.Random(long)
	if bytes.Equal(long[1984:], make([]byte, 16)) {
		t.Error("a long draw is not filled")
	}
}
