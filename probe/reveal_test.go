package probe

import (
	"crypto/md5"
	"testing"

	"radsec-gw/wire/dict"
)

// Values hidden by others: FreeRADIUS's unit test of RFC 2868 (secret testing123, Request Authenticator
// 00 to 0f). Their padding is not zero: only the length octet counts.
// Rules: P38, P40
func TestRevealTunnelPassword(t *testing.T) {
	a := dict.ByName("Tunnel-Password")
	authenticator := [16]byte(mustHex(t, "000102030405060708090a0b0c0d0e0f"))
	for _, c := range []struct{ hidden, want string }{
		{"9973 051de6c557307dacd5daa599f4e26e7e", "foo"},
		{"c06f 255f09b7dc0e4a1a465605f48f7c0ba4", "barbar"},
	} {
		clear, err := reveal(a, mustHex(t, c.hidden), []byte("testing123"), authenticator)
		if err != nil || string(clear) != c.want {
			t.Errorf("revealed %q (%v), want %q", clear, err, c.want)
		}
	}
	for _, hidden := range []string{"", "9973", "9973051de6c557307dacd5daa599f4e26e"} {
		if clear, err := reveal(a, mustHex(t, hidden), []byte("testing123"), authenticator); err == nil {
			t.Errorf("%d octets were revealed as %q, want an error", len(hidden)/2, clear)
		}
	}
	if clear, err := reveal(a, mustHex(t, "9973051de6c557307dacd5daa599f4e26e7e"), []byte("another"), authenticator); err == nil {
		t.Errorf("another secret revealed %q, want an error", clear)
	}
}

// Each way of the dictionary to hide a value is undone.
// Rules: P42
func TestRevealEachMethod(t *testing.T) {
	secret, authenticator := []byte("radsec"), [16]byte{1, 2, 3}
	xor := func(text string, pad [16]byte) []byte {
		hidden := make([]byte, 16)
		copy(hidden, text)
		for i := range hidden {
			hidden[i] ^= pad[i]
		}
		return hidden
	}
	salt := []byte{0x80, 1}
	salted := append(salt[:2:2], xor("\x03key", md5.Sum([]byte("radsec"+string(authenticator[:])+string(salt))))...)
	for _, c := range []struct {
		method dict.Method
		value  []byte
		want   string
	}{
		{dict.Clear, []byte("key"), "key"},
		{dict.UserPassword, xor("key", md5.Sum([]byte("radsec"+string(authenticator[:])))), "key"},
		{dict.Salted, salted, "key"},
		{dict.Ascend, xor("key", md5.Sum([]byte(string(authenticator[:])+"radsec"))), "key"},
		{dict.LEAP, append([]byte("leap:session-key="), salted...), "leap:session-key=key"},
	} {
		got, err := reveal(&dict.Attribute{Hidden: c.method}, c.value, secret, authenticator)
		if err != nil || string(got) != c.want {
			t.Errorf("method %d: revealed %q (%v), want %q", c.method, got, err, c.want)
		}
	}
	for a := range dict.All() {
		if a.Hidden > dict.LEAP {
			t.Errorf("%s is hidden by method %d, which reveal does not know", a.Name, a.Hidden)
		}
	}
}
