package certs

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a pre-shared key (PSK) and its identity, in bytes.
const (
	ShortestPSK        = 16 // RFC 9813 §4.1
	LongestPSK         = 256
	LongestPSKIdentity = 128 // every implementation has to take so many (RFC 4279 §5.3)
)

// hexadecimalPSK precedes a key in hexadecimal form.
const hexadecimalPSK = "hex:"

// ParsePSK returns the key in a text: its bytes as they are, or what the hexadecimal digits
// after "hex:" stand for. An error does not show it.
func ParsePSK(text string) (key string, err error) {
	key = text
	if digits, ok := strings.CutPrefix(text, hexadecimalPSK); ok {
		b, err := hex.DecodeString(digits)
		if err != nil {
			return "", fmt.Errorf("expected pairs of hexadecimal digits after %q, got %d characters that are not (not shown)", hexadecimalPSK, len(digits))
		}
		key = string(b)
	}
	if len(key) < ShortestPSK || len(key) > LongestPSK {
		return "", fmt.Errorf("expected a PSK of %d..%d bytes, got %d (RFC 9813 §4.1): `openssl rand -hex 32` prints digits for \"hex:…\"", ShortestPSK, LongestPSK, len(key))
	}
	return key, nil
}

// WarnPSK lists what is allowed in a key, and is likely a mistake. It does not show the key.
func WarnPSK(key string) []string {
	digits := key
	for _, prefix := range []string{"0x", "0X", "HEX:", "Hex:"} {
		digits = strings.TrimPrefix(digits, prefix)
	}
	if _, err := hex.DecodeString(digits); err == nil && len(digits) >= 2*ShortestPSK {
		return []string{fmt.Sprintf("hexadecimal digits are used as %d bytes of text; did you mean %q before them?", len(key), hexadecimalPSK)}
	}
	return nil
}

// CheckPSKIdentity returns an error unless a text can be the identity of a PSK (RFC 4279
// §5.1).
func CheckPSKIdentity(s string) error {
	if s == "" || len(s) > LongestPSKIdentity || !utf8.ValidString(s) || strings.IndexFunc(s, unprintable) >= 0 {
		return fmt.Errorf("expected 1..%d bytes of printable UTF-8, got %d: %.40q", LongestPSKIdentity, len(s), s)
	}
	return nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
