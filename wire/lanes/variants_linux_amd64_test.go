package lanes

import (
	"bytes"
	"os"
	"slices"
	"testing"
)

// The variants are those that the kernel's list of the processor's features allows.
//
// Fault O12.
func TestVariantsOfTheProcessor(t *testing.T) {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	_, flags, _ := bytes.Cut(text, []byte("\nflags"))
	flags, _, _ = bytes.Cut(flags, []byte("\n"))
	has := func(flag string) bool {
		return slices.ContainsFunc(bytes.Fields(flags), func(f []byte) bool { return string(f) == flag })
	}
	for v, want := range map[variant]bool{scalar: true, avx2: has("avx2"), avx512: has("avx512f") && has("avx512vl")} {
		if got := slices.Contains(variants(), v); got != want {
			t.Errorf("variant %s is used: %t, expected %t by /proc/cpuinfo", names[v], got, want)
		}
	}
}
