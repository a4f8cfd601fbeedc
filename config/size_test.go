package config

import (
	"math/big"
	"strings"
	"testing"
)

// A size is digits and a unit; what only resembles one is a mistake that says what is missing.
func TestSizes(t *testing.T) {
	for s, want := range map[string]int64{
		"1kB": 1000, "100MB": 100_000_000, "2GB": 2_000_000_000, "1TB": 1_000_000_000_000,
		"1KiB": 1024, "512MiB": 536_870_912, "1GiB": 1_073_741_824, "1TiB": 1_099_511_627_776,
		"0kB": 0, "007MB": 7_000_000, "9223372036854775kB": 9_223_372_036_854_775_000,
	} {
		if got, err := parseSize(s); err != nil || got != want {
			t.Errorf("%q should be %d bytes, got %d (%v)", s, want, got, err)
		}
	}
	const expected = `expected a size such as "512MiB", "1GiB" or "100MB", `
	for s, want := range map[string]string{
		"":                      expected + `got ""`,
		"GiB":                   expected + `got "GiB"`,
		"-1GiB":                 expected + `got "-1GiB"`,
		"+1GiB":                 expected + `got "+1GiB"`,
		" 1GiB":                 expected + `got " 1GiB"`,
		"512":                   expected + `got "512": add a unit, or remove the quotes for bytes`,
		"1.5GiB":                expected + `which is digits and the unit "TiB", "GiB", "MiB", "KiB", "TB", "GB", "MB" or "kB", got "1.5GiB"`,
		"1_000kB":               expected + `which is digits and the unit`,
		"1 GiB":                 `got "1 GiB" (did you mean "GiB"?)`,
		"1GiB ":                 `got "1GiB " (did you mean "GiB"?)`,
		"1mib":                  `got "1mib" (did you mean "MiB"?)`,
		"1KB":                   `got "1KB" (did you mean "kB"?)`,
		"1G":                    `got "1G" (did you mean "GB"?)`,
		"1B":                    expected + `which is digits`,
		"9223372036854776kB":    expected + `got "9223372036854776kB", which is more than any disk has`,
		"9223372036854775808kB": expected + `got "9223372036854775808kB", which is more than any disk has`,
		"8388608TiB":            expected + `got "8388608TiB", which is more than any disk has`,
	} {
		if got, err := parseSize(s); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), expected) {
			t.Errorf("%q should be refused with %q, got %d (%v)", s, want, got, err)
		}
	}
	for n, want := range map[int64]string{0: "0", 1: "1", 1023: "1023", 1024: `"1KiB"`, 1 << 20: `"1MiB"`, 3 << 30: `"3GiB"`, 1 << 40: `"1TiB"`, 5 << 50: `"5120TiB"`, 1_000_000: "1000000"} {
		if got := formatSize(n); got != want {
			t.Errorf("%d bytes should be written %s, got %s", n, want, got)
		}
	}
}

// A size that is accepted is its digits times its unit.
func FuzzSize(f *testing.F) {
	for _, s := range []string{"512MiB", "1GiB", "100MB", "1kB", "9223372036854775kB", "9223372036854776kB", "8388607TiB", "8388608TiB", "512", "GiB", "1.5GiB", "1 GiB", "-1GB", "0x1GB", "1e3MB", "00TB", "1KB"} {
		f.Add(s)
	}
	units := map[string]int64{"kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseSize(s)
		unit := strings.TrimLeft(s, "0123456789")
		want, ok := new(big.Int).SetString(strings.TrimSuffix(s, unit), 10)
		factor := units[unit]
		if ok = ok && factor != 0; ok {
			want.Mul(want, big.NewInt(factor))
			ok = want.IsInt64()
		}
		if ok != (err == nil) || ok && got != want.Int64() {
			t.Fatalf("%q was read as %d (%v), expected it to be accepted: %t, and to be %v", s, got, err, ok, want)
		}
		if again := strings.Trim(formatSize(got), `"`); err == nil && strings.HasSuffix(again, "iB") {
			if n, err := parseSize(again); n != got || err != nil {
				t.Fatalf("%d bytes are written %s, and read as %d (%v)", got, again, n, err)
			}
		}
	})
}
