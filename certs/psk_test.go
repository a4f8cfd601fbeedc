package certs

import (
	"encoding/hex"
	"strings"
	"testing"
)

// A key has the size that it may have, whatever it is written as; one in hexadecimal form is what
// its digits say; an error shows nothing of it.
// Rules: P118
func FuzzParsePSK(f *testing.F) {
	for _, text := range []string{"", "hex:", "hex:00112233445566778899aabbccddeeff", "HEX:00112233445566778899aabbccddeeff", "hex:00112233445566778899aabbccddeef",
		"hex:zz112233445566778899aabbccddeeff", "a key of sixteen", "a key of fifteen", strings.Repeat("é", 128), strings.Repeat("x", 257), "hex:" + strings.Repeat("00", 257)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := ParsePSK(text)
		if err != nil {
			if len(text) >= ShortestPSK/2 && strings.Contains(err.Error(), text) {
				t.Fatalf("the error shows the key: %v", err)
			}
			return
		}
		if len(key) < ShortestPSK || len(key) > LongestPSK {
			t.Fatalf("%q is a key of %d bytes", text, len(key))
		}
		digits, isHex := strings.CutPrefix(text, "hex:")
		if isHex && hex.EncodeToString([]byte(key)) != strings.ToLower(digits) || !isHex && key != text {
			t.Fatalf("%q is the key %q", text, key)
		}
	})
}

// An identity is text of one line.
// Rules: P118
func FuzzCheckPSKIdentity(f *testing.F) {
	for _, s := range []string{"", "ap17.campus.example", "a\nb", "a\x00", "\xff", "\u0085", strings.Repeat("x", 128), strings.Repeat("x", 129), "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if CheckPSKIdentity(s) != nil {
			return
		}
		if s == "" || len(s) > LongestPSKIdentity || strings.ToValidUTF8(s, "?") != s || strings.ContainsAny(s, "\x00\n\r\x1b\x7f\u0085") {
			t.Fatalf("%q is an identity", s)
		}
	})
}
