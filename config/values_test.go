package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// A fingerprint is 32 bytes of hex in the forms that programs print; what only
// resembles one is a mistake.
func TestFingerprintForms(t *testing.T) {
	sum := sha256.Sum256([]byte("x"))
	plain := fmt.Sprintf("%x", sum)
	var pairs []string
	for _, o := range sum {
		pairs = append(pairs, fmt.Sprintf("%02X", o))
	}
	colons, blanks := strings.Join(pairs, ":"), strings.Join(pairs, " ")
	for _, s := range []string{
		plain, strings.ToUpper(plain), "sha256:" + plain, "SHA256:" + plain, " \tsha256:" + plain + " ", "sha256: " + blanks,
		colons, strings.ToLower(colons), "sha256:" + colons, blanks, "  " + colons + "\n", strings.ReplaceAll(blanks, " ", "  "),
		plain[:32] + " " + plain[32:],
	} {
		if got, err := parseFingerprint(s); err != nil || got != sum {
			t.Errorf("%q should be read as a fingerprint, but it gives %v", s, err)
		}
	}
	for _, x := range []struct{ says, s string }{
		{"nothing", ""}, {"the prefix alone", "sha256:"}, {"a leading colon", ":" + colons}, {"a colon after the prefix's", "sha256::" + colons},
		{"a trailing colon", colons + ":"}, {"a trailing colon and a blank", colons + ": "}, {"a doubled colon", strings.Replace(colons, ":", "::", 1)},
		{"a colon that splits a byte", plain[:1] + ":" + plain[1:]}, {"colons that split every byte", strings.Join(strings.Split(plain, ""), ":")},
		{"a blank that splits a byte", plain[:1] + " " + plain[1:]}, {"a colon and a blank", strings.Replace(colons, ":", ": ", 1)},
		{"a blank and a colon", strings.Replace(colons, ":", " :", 1)}, {"the prefix twice", "sha256:sha256:" + plain}, {"a blank in the prefix", "sha 256:" + plain},
		{"another digest's prefix", "sha1:" + plain}, {"an odd digit", plain[:63]}, {"no hex", strings.Repeat("zz", 32)}, {"one byte more", plain + "00"}, {"hyphens", strings.Join(pairs, "-")},
	} {
		if _, err := parseFingerprint(x.s); err == nil || !strings.HasPrefix(err.Error(), "expected a SHA-256 fingerprint, 32 bytes of hex") {
			t.Errorf("%s, %q, should be refused, but it gives %v", x.says, x.s, err)
		}
	}
}

// A fingerprint that is accepted consists of the hex digits of the text and nothing else.
func FuzzFingerprint(f *testing.F) {
	plain := strings.Repeat("a1B2", 16)
	for _, s := range []string{plain, "sha256:" + plain, "SHA256: " + plain, strings.Repeat("a1:", 31) + "a1", strings.Repeat("a1 ", 32), strings.Repeat("a1:", 32), "a", "sha256:", "80F:39", ":" + plain} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		sum, err := parseFingerprint(s)
		if err != nil {
			return
		}
		bare := strings.Join(strings.Fields(strings.ReplaceAll(strings.ToLower(s), ":", " ")), "")
		if got := hex.EncodeToString(sum[:]); strings.TrimPrefix(bare, "sha256") != got {
			t.Fatalf("%q was read as %s", s, got)
		}
	})
}
