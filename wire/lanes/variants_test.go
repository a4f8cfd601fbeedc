package lanes

import (
	"slices"
	"testing"
)

// Which variants the tests of this package cover depends on the processor: make test
// prints it, so that a variant that no machine runs does not count as tested.
//
// Fault O12.
func TestVariants(t *testing.T) {
	here := variants()
	if !slices.Contains(here, scalar) {
		t.Error("scalar is missing: it needs nothing of the processor")
	}
	for _, v := range []variant{scalar, avx2, avx512} {
		t.Logf("variant %s: tested here: %t", names[v], slices.Contains(here, v))
	}
}
