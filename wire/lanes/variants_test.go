package lanes

import (
	"bytes"
	"os"
	"runtime"
	"slices"
	"testing"
)

// Which variants the tests of this package cover depends on the processor: make test
// prints it, so that a variant that no machine runs does not count as tested. With VARIANTS=all
// in the environment, as .ci/run has it, one that does not run here is a failure.
//
// Fault O12.
func TestVariants(t *testing.T) {
	here := variants()
	if !slices.Contains(here, scalar) {
		t.Error("scalar is missing: it needs nothing of the processor")
	}
	for _, v := range []variant{scalar, avx2, avx512} {
		tested := slices.Contains(here, v)
		t.Logf("variant %s: tested here: %t", names[v], tested)
		if !tested && os.Getenv("VARIANTS") == "all" {
			t.Errorf("expected a processor that has %s, got one without: nothing tests that variant; VARIANTS=some accepts that", names[v])
		}
	}
}

// The variants are those that the kernel's list of the processor's features allows.
//
// Fault O12.
func TestVariantsOfTheProcessor(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the kernel's list is Linux's")
	}
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Skip(err)
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
