package interop

import (
	"crypto/des"
	"crypto/rand"
	"crypto/sha1"
	"fmt"
	"math/bits"
	"testing"
)

// What Microsoft's methods compute from userPassword, because there is no MD4 in the standard library:
// NtPasswordHash and HashNtPasswordHash of RFC 2759 §8.3 and §8.4, as OpenSSL computes them.
var (
	passwordHash     = []byte("\x06\x6d\xdf\xd4\xef\x0e\x9c\xd7\xc2\x56\xfe\x77\x19\x1e\xf4\x3c")
	passwordHashHash = []byte("\xac\x07\x82\xe2\xde\x23\x37\xde\xe4\x0e\x54\xee\x73\x2c\x1a\xf5")
)

// msCHAPv2 is one login by MS-CHAPv2 with userPassword (RFC 2759), which radclient cannot make itself.
type msCHAPv2 struct {
	user            string
	ident           byte
	challenge, peer []byte // 16 octets each
	hash, hashHash  []byte // of the password
}

func newMSCHAPv2(user string) msCHAPv2 {
	v := msCHAPv2{user: user, ident: 7, challenge: make([]byte, 16), peer: make([]byte, 16), hash: passwordHash, hashHash: passwordHashHash}
	rand.Read(v.challenge)
	rand.Read(v.peer)
	return v
}

// response is the value of MS-CHAP2-Response (RFC 2548 §2.3.2), 50 octets.
func (v msCHAPv2) response() []byte {
	b := append([]byte{v.ident, 0}, v.peer...)
	return append(append(b, make([]byte, 8)...), v.ntResponse()...)
}

// challengeHash is RFC 2759 §8.2.
func (v msCHAPv2) challengeHash() []byte {
	sum := sha1.Sum(append(append(append([]byte(nil), v.peer...), v.challenge...), v.user...))
	return sum[:8]
}

// ntResponse is RFC 2759 §8.1 and §8.5: the challenge under each third of the padded hash.
func (v msCHAPv2) ntResponse() []byte {
	var out [24]byte
	padded := append(append([]byte(nil), v.hash...), make([]byte, 5)...)
	for i := range 3 {
		block, err := des.NewCipher(desKey(padded[7*i : 7*i+7]))
		if err != nil {
			panic(err)
		}
		block.Encrypt(out[8*i:], v.challengeHash())
	}
	return out[:]
}

// success is the text of MS-CHAP2-Success that proves the server (RFC 2759 §8.7).
func (v msCHAPv2) success() []byte {
	first := sha1.New()
	first.Write(v.hashHash)
	first.Write(v.ntResponse())
	first.Write([]byte("Magic server to client signing constant"))
	second := sha1.New()
	second.Write(first.Sum(nil))
	second.Write(v.challengeHash())
	second.Write([]byte("Pad to make it do more than one iteration"))
	return fmt.Appendf(nil, "S=%X", second.Sum(nil))
}

// desKey spreads 56 bits over 8 octets with odd parity.
func desKey(b []byte) []byte {
	var all uint64
	for _, octet := range b {
		all = all<<8 | uint64(octet)
	}
	key := make([]byte, 8)
	for i := range key {
		key[i] = byte(all>>(49-7*i)) << 1
		key[i] |= byte(1 - bits.OnesCount8(key[i])%2)
	}
	return key
}

// The vectors of RFC 2759 §9.2: user "User", password "clientPass".
func TestMSCHAPv2Vectors(t *testing.T) {
	v := msCHAPv2{
		user:      "User",
		challenge: []byte("\x5b\x5d\x7c\x7d\x7b\x3f\x2f\x3e\x3c\x2c\x60\x21\x32\x26\x26\x28"),
		peer:      []byte("\x21\x40\x23\x24\x25\x5e\x26\x2a\x28\x29\x5f\x2b\x3a\x33\x7c\x7e"),
		hash:      []byte("\x44\xeb\xba\x8d\x53\x12\xb8\xd6\x11\x47\x44\x11\xf5\x69\x89\xae"),
		hashHash:  []byte("\x41\xc0\x0c\x58\x4b\xd2\xd9\x1c\x40\x17\xa2\xa1\x2f\xa5\x9f\x3f"),
	}
	if got, want := fmt.Sprintf("%X", v.ntResponse()), "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF"; got != want {
		t.Errorf("expected the NT response %s, got %s", want, got)
	}
	if got, want := string(v.success()), "S=407A5589115FD0D6209F510FE9C04566932CDA56"; got != want {
		t.Errorf("expected the success %q, got %q", want, got)
	}
}
