package wire

import (
	"bytes"
	"runtime"
	"testing"

	"layeh.com/radius"
)

// What stands in a Message-Authenticator before it is signed does not matter.
// Rules: P18
func TestSignOverOldMessageAuthenticator(t *testing.T) {
	h, ra := NewHasher(), [16]byte(authenticator(7))
	old := pair{80, bytes.Repeat([]byte{0xAA}, 16)}
	reply := assemble(2, 1, authenticator(50), pair{1, []byte("nemo")}, old)
	if err := h.SignReply(reply, &ra, clientSecret(t, "k")); err != nil {
		t.Fatal(err)
	}
	oracleChecks(t, reply, ra[:], "k")
	for _, code := range []Code{1, 4, 12, 40, 43} {
		request := assemble(code, 1, authenticator(50), old, pair{1, []byte("nemo")})
		if err := h.SignRequest(request, serverSecret(t, "k")); err != nil {
			t.Fatal(err)
		}
		oracleChecks(t, request, nil, "k")
	}
}

// An empty value has nothing hidden in it, and what stands behind it stays.
// Rules: P8
func TestEmptyHiddenValue(t *testing.T) {
	ra := [16]byte(authenticator(90))
	list := []pair{vsa(311, append(sub(12, nil), sub(26, []byte("0123456789abcdef0123456789abcdef"))...)...), {18, xs(60)}}
	reply := parsed(t, assemble(2, 1, nil, list...))
	dst := make([]byte, MaxLength)
	n, err := NewHasher().WriteReply(dst, reply, parsed(t, assemble(1, 1, authenticator(9))), &ra, serverSecret(t, "s"), RadSecSecret())
	if err != nil {
		t.Fatal(err)
	}
	samePairs(t, "behind Message-Authenticator", list, pairs(dst[:n])[1:])
}

// What does not fit is an error also where something is left out behind it.
// Rules: P15
func TestTooLongBeforeProxyState(t *testing.T) {
	list := append(filling(18, 4060), pair{33, []byte("one")})
	dst := make([]byte, MaxLength)
	for what, v := range map[string]*View{"1.0": parsed(t, assemble(1, 1, authenticator(9), list...)), "1.1": parsed11(t, assemble11(1, 9, list...))} {
		if _, err := NewHasher().WriteRequest(dst, v, RadSecSecret(), serverSecret(t, "s"), 1); err != ErrTooLong {
			t.Errorf("RADIUS/%s: expected ErrTooLong, got %v", what, err)
		}
	}
}

// The memory of a Hasher does not grow with the packets that it has rewritten.
func TestRewritingKeepsItsMemory(t *testing.T) {
	ra := [16]byte(authenticator(1))
	server, client := serverSecret(t, "s"), RadSecSecret()
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
