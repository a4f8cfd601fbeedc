package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"layeh.com/radius"
)

// The oracle below is written from the RFCs with nothing of this package in it
// but its constants: slow, plain, and right by reading.

// vectors reads testdata/vectors.md: name to octets.
func vectors(t testing.TB) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]byte{}
	block := regexp.MustCompile("(?m)^```([\\w.-]+)\n((?:[0-9a-f]{2}[ \n])+)```")
	for _, m := range block.FindAllSubmatch(text, -1) {
		b, err := hex.DecodeString(strings.Join(strings.Fields(string(m[2])), ""))
		if err != nil {
			t.Fatalf("vector %s: %v", m[1], err)
		}
		found[string(m[1])] = b
	}
	if len(found) != 58 {
		t.Fatalf("expected 58 vectors in testdata/vectors.md, found %d", len(found))
	}
	return found
}

func clientSecret(t testing.TB, key string) *ClientSecret {
	t.Helper()
	s, err := NewClientSecret([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// radSecSecret returns the secret of RADIUS/TLS (RFC 6614 §2.3(4)).
func radSecSecret() *ClientSecret { return &ClientSecret{prepare([]byte("radsec"))} }

func serverSecret(t testing.TB, key string) *ServerSecret {
	t.Helper()
	s, err := NewServerSecret([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parsed(t testing.TB, b []byte) *View {
	t.Helper()
	v := new(View)
	if err := v.Parse(b); err != nil {
		t.Fatalf("expected a well-framed packet, got %v: % x", err, b)
	}
	return v
}

func md5Of(parts ...[]byte) []byte {
	sum := md5.Sum(bytes.Join(parts, nil))
	return sum[:]
}

func xor(a, b []byte) []byte {
	out := make([]byte, len(a))
	for i := range a {
		out[i] = a[i] ^ b[i]
	}
	return out
}

// pair is one attribute: type and value.
type pair struct {
	t     byte
	value []byte
}

// pairs lists the attributes of a packet.
func pairs(packet []byte) (list []pair) {
	for i := 20; i < len(packet); i += int(packet[i+1]) {
		list = append(list, pair{packet[i], packet[i+2 : i+int(packet[i+1])]})
	}
	return list
}

// without returns the list without the given types.
func without(list []pair, types ...byte) (kept []pair) {
	for _, p := range list {
		if !bytes.Contains(types, []byte{p.t}) {
			kept = append(kept, p)
		}
	}
	return kept
}

func only(list []pair, t byte) (kept []pair) {
	for _, p := range list {
		if p.t == t {
			kept = append(kept, p)
		}
	}
	return kept
}

func samePairs(t *testing.T, what string, want, got []pair) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%s: expected %d attributes, got %d\nwant %x\ngot  %x", what, len(want), len(got), want, got)
	}
	for i := range want {
		if want[i].t != got[i].t || !bytes.Equal(want[i].value, got[i].value) {
			t.Fatalf("%s: attribute %d: expected %d % x, got %d % x", what, i, want[i].t, want[i].value, got[i].t, got[i].value)
		}
	}
}

// assemble makes a packet of the list, Length right, nothing signed.
func assemble(code Code, id byte, authenticator []byte, list ...pair) []byte {
	b := make([]byte, 20)
	b[0], b[1] = byte(code), id
	copy(b[4:], authenticator)
	for _, p := range list {
		b = append(append(b, p.t, byte(2+len(p.value))), p.value...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// macOf computes the Message-Authenticator of a packet with vector in the
// Authenticator field.
func macOf(packet, vector []byte, key string) []byte {
	b := bytes.Clone(packet)
	copy(b[4:20], vector)
	for i := 20; i < len(b); i += int(b[i+1]) {
		if b[i] == 80 {
			clear(b[i+2 : i+int(b[i+1])])
		}
	}
	mac := hmac.New(md5.New, []byte(key))
	mac.Write(b)
	return mac.Sum(nil)
}

// oracleSign signs a packet in place. ra is what it answers, nil for a request.
func oracleSign(packet, ra []byte, key string) []byte {
	vector := ra
	if ra == nil {
		vector = make([]byte, 16)
		if packet[0] == 1 || packet[0] == 12 {
			vector = bytes.Clone(packet[4:20])
		}
	}
	mac := macOf(packet, vector, key)
	for i := 20; i < len(packet); i += int(packet[i+1]) {
		if packet[i] == 80 {
			copy(packet[i+2:], mac)
		}
	}
	if ra != nil || (packet[0] != 1 && packet[0] != 12) {
		copy(packet[4:20], md5Of(packet[:4], vector, packet[20:], []byte(key)))
	}
	return packet
}

// oracleChecks fails the test unless the packet's Length, Authenticator and
// Message-Authenticator are right. ra is what it answers, nil for a request.
func oracleChecks(t *testing.T, packet, ra []byte, key string) {
	t.Helper()
	if n := int(binary.BigEndian.Uint16(packet[2:])); n != len(packet) {
		t.Fatalf("Length says %d, packet has %d octets", n, len(packet))
	}
	if signed := oracleSign(bytes.Clone(packet), ra, key); !bytes.Equal(signed, packet) {
		t.Fatalf("packet is not signed as the RFCs say\nwant % x\ngot  % x", signed, packet)
	}
}

// hidePassword hides whole blocks the User-Password way.
func hidePassword(plain []byte, key string, ra []byte) (out []byte) {
	before := ra
	for i := 0; i < len(plain); i += 16 {
		before = xor(plain[i:i+16], md5Of([]byte(key), before))
		out = append(out, before...)
	}
	return out
}

func revealPassword(hidden []byte, key string, ra []byte) (out []byte) {
	before := ra
	for i := 0; i < len(hidden); i += 16 {
		out = append(out, xor(hidden[i:i+16], md5Of([]byte(key), before))...)
		before = hidden[i : i+16]
	}
	return out
}

// salted hides plain with its length octet and padding after a salt.
func salted(t testing.TB, plain []byte, salt uint16, key string, ra []byte) []byte {
	t.Helper()
	a, err := radius.NewTunnelPassword(plain, binary.BigEndian.AppendUint16(nil, salt), []byte(key), ra)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func unsalted(t testing.TB, value []byte, key string, ra []byte) []byte {
	t.Helper()
	plain, _, err := radius.TunnelPassword(value, []byte(key), ra)
	if err != nil {
		t.Fatalf("expected a salted value that opens, got %v: % x", err, value)
	}
	return plain
}

func vsa(vendor uint32, body ...byte) pair {
	return pair{26, append(binary.BigEndian.AppendUint32(nil, vendor), body...)}
}

// sub makes a vendor attribute or TLV: type, length, value.
func sub(number byte, value []byte) []byte {
	return append([]byte{number, byte(2 + len(value))}, value...)
}

func authenticator(start byte) []byte {
	b := make([]byte, 16)
	for i := range b {
		b[i] = start + byte(i)
	}
	return b
}
