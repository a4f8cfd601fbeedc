package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"radsec-gw/wire/lanes"
)

// RFC 2104 §2: keys shorter than, as long as and longer than a block.
// Rules: P18, P24
func TestHMACMatchesTheStandardLibrary(t *testing.T) {
	h := lanes.New(2, MaxLength)
	for _, n := range []int{1, 6, 16, 32, 63, 64, 65, 200, 300} {
		key := bytes.Repeat([]byte{byte(n)}, n)
		s := serverSecret(t, string(key))
		for _, size := range []int{20, 63, 64, 65, 4096} {
			message := bytes.Repeat([]byte{7}, size)
			mac := hmac.New(md5.New, key)
			mac.Write(message)
			_, b := h.Add(s.inner, size)
			copy(b, message)
			outer, inner := h.Then(s.outer, md5.Size, 0)
			clear(inner)
			h.Run()
			if !bytes.Equal(mac.Sum(nil), h.Sum(outer)[:]) {
				t.Errorf("key of %d octets, message of %d: HMAC differs", n, size)
			}
			h.Reset()
		}
	}
}

// RFC 2865 §3, RFC 6614 §2.3
// Rules: P19, P24
func TestSecretsAreNeverEmptyAndNeverPrinted(t *testing.T) {
	if _, err := NewClientSecret(nil); err != ErrEmptySecret {
		t.Errorf("empty client secret: expected ErrEmptySecret, got %v", err)
	}
	if _, err := NewServerSecret([]byte{}); err != ErrEmptySecret {
		t.Errorf("empty server secret: expected ErrEmptySecret, got %v", err)
	}
	if string(RadSecSecret().key) != "radsec" {
		t.Error("the secret under TLS is not radsec")
	}
	key := []byte("hunter2-hunter2")
	s, c := serverSecret(t, string(key)), clientSecret(t, string(key))
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "server", s, "client", c, "value", *s)
	for _, text := range []string{
		fmt.Sprint(s, c), fmt.Sprintf("%v %+v %#v %s", s, c, s, c), fmt.Sprintf("%v %+v %#v", *s, *c, *s), logged.String(),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "104 117 110") || !strings.Contains(text, "[secret]") {
			t.Errorf("expected [secret] in place of the key, got %q", text)
		}
	}
	clear(key)
	if string(s.key) != "hunter2-hunter2" {
		t.Error("the prepared secret shares its octets with the caller")
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
			t.Fatalf("draw %d: octets came twice, or are zero", i)
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
