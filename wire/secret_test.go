package wire

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// RFC 2865 §3, RFC 6614 §2.3
// Rules: P19, P24
func TestSecretsAreNeverEmptyAndNeverPrinted(t *testing.T) {
	if _, err := NewClientSecret(nil); err != ErrEmptySecret {
		t.Errorf("empty client secret: expected ErrEmptySecret, got %v", err)
	}
	if _, err := NewServerSecret([]byte{}); err != ErrEmptySecret {
		t.Errorf("empty server secret: expected ErrEmptySecret, got %v", err)
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
