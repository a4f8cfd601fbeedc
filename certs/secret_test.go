package certs

import (
	"strings"
	"testing"
)

// Errors that only a file can have; the tests of config have the others.
func TestParseSecret(t *testing.T) {
	for _, x := range []struct{ name, text, want string }{
		{"NUL", "ti\x00ger\n", "f:1: expected a secret, got one with a NUL byte"},
		{"NULs at the end", "tiger\n" + strings.Repeat("\x00", 9), "f:2: expected a secret, got one with a NUL byte"},
		{"UTF-16", "\xff\xfet\x00i\x00", "f:1: expected a secret, got one that begins with a byte order mark (UTF-16, little endian)"},
		{"big endian", "\xfe\xff\x00t\x00i", "f:1: expected a secret, got one that begins with a byte order mark (UTF-16, big endian)"},
		{"empty line before", "\ntiger\n", "f:2: expected a secret, got a second line"},
		{"CRLF twice", "tiger\r\n\r\n", "f:2: expected a secret, got more than one end of line after it"},
		{"empty", "", "f: expected a secret, got an empty one (RFC 2865 §3)"},
		{"an end of line", "\r\n", "f: expected a secret, got an empty one (RFC 2865 §3)"},
	} {
		secret, _, err := ParseSecret("f", x.text)
		if err == nil || !strings.HasPrefix(err.Error(), x.want) || secret != "" || strings.Contains(err.Error(), "tiger") {
			t.Errorf("%s: expected the error %q, got %q and %v", x.name, x.want, secret, err)
		}
	}
}
