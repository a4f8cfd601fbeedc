package routing

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Key returns what two entries of realms have in common when they are the same: a
// pattern is only the same as itself, other entries are compared as realms are.
func Key(entry string) string {
	if strings.HasPrefix(entry, "~") {
		return entry
	}
	return string(fold(nil, []byte(entry)))
}

// fold appends to dst the form in which realms are compared: ASCII letters in
// lower case, and the whole in Normalization Form C when it holds anything
// beyond ASCII (RFC 7542 §3: for looking up only, never in the packet). Only
// then, or when dst is too small, does it allocate.
func fold(dst, realm []byte) []byte {
	for _, c := range realm {
		if c >= 0x80 {
			return lower(dst, norm.NFC.Bytes(realm))
		}
	}
	return lower(dst, realm)
}

// lower appends s with ASCII letters in lower case. Letters beyond ASCII keep
// their case: RFC 7542 §3 ignores only that of ASCII.
func lower(dst, s []byte) []byte {
	for _, c := range s {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}
