package certs

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// A line that is not a key is an error with its line, and no error shows a key.
//
// Rules: P110
// Fault S3.
func TestParseTicketKeys(t *testing.T) {
	key, other := ticketKeyOf(0x0a), strings.ToUpper(ticketKeyOf(0x0b))
	for _, x := range []struct {
		name, text string
		n          int
		want       string
	}{
		{"one", key, 1, ""},
		{"two, comments and an empty line", "# sealed with\n" + key + "\n\n" + other + " # before\n", 2, ""},
		{"CRLF and blanks", " " + key + " \r\n\t" + other + "\r\n", 2, ""},
		{"empty", "", 0, "f: expected 1 to 16 keys, got an empty file"},
		{"empty lines", "\n\n", 0, "f: expected 1 to 16 keys, got an empty file"},
		{"comments only", "# none\n", 0, "f: expected 1 to 16 keys, got 0"},
		{"cut short", key + "\n" + key[:62], 0, "f:2: expected 64 hex digits, as \"openssl rand -hex 32\" prints, got 62: is the line cut short"},
		{"two joined", key + other, 0, "f:1: expected 64 hex digits, as \"openssl rand -hex 32\" prints, got 128: is the line cut short, or are two joined?"},
		{"a letter", key + "\n" + key[:63] + "g\n", 0, "f:2: expected 64 hex digits, as \"openssl rand -hex 32\" prints, got 64 characters that are not all hex digits"},
		{"text", "\nsecret", 0, "f:2: expected 64 hex digits"},
		{"byte order mark", "\xef\xbb\xbf" + key, 0, "f:1: a byte order mark (UTF-8) begins the file"},
		{"UTF-16", "\xff\xfe0\x00a\x00", 0, "f:1: a byte order mark (UTF-16, little endian) begins the file"},
		{"PEM", "-----BEGIN PRIVATE KEY-----\n", 0, "f:1: expected 64 hex digits, as \"openssl rand -hex 32\" prints, got a line of PEM"},
		{"NUL", key + "\n\x00\x00", 0, "f:2: expected 64 hex digits, as \"openssl rand -hex 32\" prints, got NUL bytes"},
		{"binary", "\x01\x8f\xc2\x07", 0, "f:1: expected 64 hex digits"},
		{"twice", key + "\n" + other + "\n" + strings.ToUpper(key) + "\n", 0, "f:3: the key is listed twice: it is already on line 1"},
		{"zeros", key + "\n" + strings.Repeat("00", 32), 0, "f:2: expected 64 hex digits, as \"openssl rand -hex 32\" prints, got only zeros"},
		{"one byte", strings.Repeat("0a", 32), 0, "f:1: expected 64 hex digits, as \"openssl rand -hex 32\" prints, got a pattern"},
		{"few bytes", strings.Repeat("0123456789abcdef", 4), 0, "f:1: expected 64 hex digits, as \"openssl rand -hex 32\" prints, got a pattern"},
		{"counting", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0, "f:1: expected 64 hex digits, as \"openssl rand -hex 32\" prints, got a pattern"},
		{"17", seventeen(), 0, "f: expected 1 to 16 keys, got 17"},
	} {
		keys, err := ParseTicketKeys("f", []byte(x.text))
		if len(keys) != x.n || (err == nil) != (x.want == "") || err != nil && !strings.HasPrefix(err.Error(), x.want) {
			t.Errorf("%s: expected %d keys and %q, got %d and %v", x.name, x.n, x.want, len(keys), err)
		}
		if err != nil && (strings.Contains(err.Error(), key[:8]) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: the error shows the content of the line: %v", x.name, err)
		}
	}
}

// ticketKeyOf returns the hex digits of a key that depends on n.
func ticketKeyOf(n byte) string {
	sum := sha256.Sum256([]byte{n})
	return hex.EncodeToString(sum[:])
}

// seventeen returns a file with 17 different keys.
func seventeen() string {
	var b strings.Builder
	for i := range byte(17) {
		b.WriteString(ticketKeyOf(i) + "\n")
	}
	return b.String()
}
