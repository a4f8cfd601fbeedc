package handshake_test

import (
	"os"
	"strings"
	"testing"
)

// The module has the pion/dtls that this package was read against: cookie.go and result.go
// know what is inside. Before another version, read what it does with State12.Cookie, and what
// State.MarshalBinary writes; SelfTest tells whether both still work.
func TestVersionOfPion(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := "github.com/pion/dtls/v4 v4.0.1\n"; !strings.Contains(string(text), want) {
		t.Errorf("go.mod does not have %s", want)
	}
}
