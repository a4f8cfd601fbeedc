package wire

import (
	"bytes"
	"encoding/binary"
	"testing"

	"layeh.com/radius"
)

// The first salt of a packet is drawn, so that a secret's key streams are not the
// same ones in every packet (RFC 2868 §3.5).
// Rules: P39
func TestSaltsBeginAnywhere(t *testing.T) {
	ra := [16]byte(authenticator(1))
	reply := parsed(t, assemble(radius.CodeAccessAccept, 1, nil, pair{69, append([]byte{0}, salted(t, []byte("x"), 0x8000, "s", ra[:])...)}))
	request := parsed(t, assemble(1, 1, authenticator(9)))
	seen := map[uint16]bool{}
	for range 64 { // each with a Hasher of its own, and twice with it
		h, dst := NewHasher(), make([]byte, MaxLength)
		for range 2 {
			n, err := h.WriteReply(dst, reply, request, &ra, serverSecret(t, "s"), radSecSecret())
			if err != nil {
				t.Fatal(err)
			}
			seen[binary.BigEndian.Uint16(only(pairs(dst[:n]), 69)[0].value[1:])] = true
		}
	}
	if len(seen) < 100 {
		t.Errorf("128 packets have %d different salts, expected nearly as many as packets", len(seen))
	}
}

// An Access-Accept whose key is spread over several attributes and does not decrypt is
// refused, too.
// Rules: P12, P40
func TestFragmentsThatDoNotDecrypt(t *testing.T) {
	ra := [16]byte(authenticator(90))
	request := parsed(t, assemble(1, 7, authenticator(1)))
	wrong := salted(t, bytes.Repeat([]byte("k"), 40), 0x8001, "server's", ra[:])
	wrong[2] ^= 0x80 // the length octet, hidden
	for what, list := range map[string][]pair{
		"fragments":             splitWiMAX(5, wrong, 20),
		"fragments, then other": append(splitWiMAX(5, wrong, 20), pair{18, []byte("text")}),
	} {
		reply := parsed(t, assemble(radius.CodeAccessAccept, 200, nil, list...))
		_, err := NewHasher().WriteReply(make([]byte, MaxLength), reply, request, &ra, serverSecret(t, "server's"), radSecSecret())
		if err != ErrHidden {
			t.Errorf("%s: expected ErrHidden, got %v", what, err)
		}
	}
}

// After a packet whose keys did not decrypt, the next one is written as usual: nothing
// remains of the first.
// Rules: P40
func TestAfterKeysThatDoNotDecrypt(t *testing.T) {
	ra := [16]byte(authenticator(90))
	request := parsed(t, assemble(1, 7, authenticator(1)))
	good := salted(t, []byte("tunnel"), 0x8001, "server's", ra[:])
	bad := bytes.Clone(good)
	bad[2] ^= 0x80
	h, dst := NewHasher(), make([]byte, MaxLength)
	write := func(value []byte) (int, error) {
		reply := parsed(t, assemble(radius.CodeAccessAccept, 200, nil, pair{69, append([]byte{0}, value...)}))
		return h.WriteReply(dst, reply, request, &ra, serverSecret(t, "server's"), radSecSecret())
	}
	if _, err := write(bad); err != ErrHidden {
		t.Fatalf("expected ErrHidden, got %v", err)
	}
	n, err := write(good)
	if err != nil {
		t.Fatal(err)
	}
	value := only(pairs(dst[:n]), 69)[0].value
	if got := unsalted(t, value[1:], "radsec", authenticator(1)); string(got) != "tunnel" {
		t.Errorf("expected the password tunnel, got %q", got)
	}
}

// An empty value has nothing to hide, and the attribute after it is not changed.
// Rules: P8
func TestEmptyHiddenValue(t *testing.T) {
	ra := [16]byte(authenticator(90))
	list := []pair{vsa(311, append(sub(12, nil), sub(26, []byte("0123456789abcdef0123456789abcdef"))...)...), {18, xs(60)}}
	reply := parsed(t, assemble(2, 1, nil, list...))
	dst := make([]byte, MaxLength)
	n, err := NewHasher().WriteReply(dst, reply, parsed(t, assemble(1, 1, authenticator(9))), &ra, serverSecret(t, "s"), radSecSecret())
	if err != nil {
		t.Fatal(err)
	}
	samePairs(t, "after Message-Authenticator", list, pairs(dst[:n])[1:])
}
