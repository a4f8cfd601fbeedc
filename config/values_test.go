package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
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

// A duration may begin with days; everything else is as time.ParseDuration reads it.
func TestDurations(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"7d": 7 * 24 * time.Hour, "1d12h": 36 * time.Hour, "0d": 0, "0d5s": 5 * time.Second, "1d1.5s": 24*time.Hour + 1500*time.Millisecond,
		"106751d": 106751 * 24 * time.Hour, "106751d23h47m16.854775807s": math.MaxInt64,
		"500ms": 500 * time.Millisecond, "-1s": -time.Second, "1h30m": 90 * time.Minute, "0": 0,
	} {
		if got, err := parseDuration(s); err != nil || got != want {
			t.Errorf("%q should be %v, got %v (%v)", s, want, got, err)
		}
	}
	for _, s := range []string{"", "d", "7", "-7d", "+7d", "1.5d", "1_0d", " 7d", "7d ", "7D", "7dd", "7d1d", "1h7d", "7d5", "7d-1h", "7d+1h", "7d.5h", "7days", "1w", "106752d", "106751d23h47m17s", "18446744073709551616d", "1d9999999999h"} {
		if got, err := parseDuration(s); err == nil {
			t.Errorf("%q should be refused, but it is %v", s, got)
		}
	}
}

// A duration that is accepted is what time.ParseDuration reads with 24h for each day.
func FuzzDuration(f *testing.F) {
	for _, s := range []string{"7d", "1d12h", "0d", "106751d", "106752d", "106751d23h47m16.854775807s", "106751d23h47m16.854775808s", "500ms", "-1s", "7d-1h", "1.5d", "d", "1h7d", "7d5", "1d0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseDuration(s)
		if err != nil {
			return
		}
		count, rest, days := strings.Cut(s, "d")
		if !days {
			count, rest = "0", s
		}
		var n int64
		if _, err := fmt.Sscanf(count, "%d", &n); err != nil {
			t.Fatalf("%q was read as %v, but has no days", s, got)
		}
		for n > 0 && got >= day { // so that nothing overflows
			n, got = n-1, got-day
		}
		want := time.Duration(0)
		if rest != "" {
			want, err = time.ParseDuration(rest)
		}
		if n != 0 || err != nil || got != want || days && got < 0 {
			t.Fatalf("%q was read with a rest of %v and %d days, expected %v (%v)", s, got, n, want, err)
		}
	})
}
