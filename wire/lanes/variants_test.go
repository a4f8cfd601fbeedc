package lanes

import (
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"testing"
)

// Which variants the tests of this package cover depends on the processor: make test
// prints it.
//
// Fault O12.
func TestVariants(t *testing.T) {
	here := variants()
	if !slices.Contains(here, scalar) {
		t.Error("scalar is missing: it needs nothing of the processor")
	}
	for _, v := range allVariants {
		t.Logf("variant %s: tested here: %t", names[v], slices.Contains(here, v))
	}
}

var allVariants = []variant{scalar, avx2, avx512}

// testedCode holds the hash of the assembly that was last tested on a processor that has every
// variant.
const testedCode = "testdata/tested"

// No variant is used that was never tested. A processor without one of them cannot test the
// assembly, and fails it if it is not what a processor with all of them has tested: there
// the hash is written with LANES=write, and must be up to date.
//
// Fault O12.
func TestEachVariantHasBeenTested(t *testing.T) {
	code, err := os.ReadFile("blocks_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	hash := fmt.Sprintf("%x\n", sha256.Sum256(code))
	missing := slices.DeleteFunc(slices.Clone(allVariants), func(v variant) bool { return slices.Contains(variants(), v) })
	if os.Getenv("LANES") == "write" && len(missing) == 0 {
		if err := os.WriteFile(testedCode, []byte(hash), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tested, err := os.ReadFile(testedCode)
	if err != nil || string(tested) != hash {
		t.Errorf("blocks_amd64.s has changed since it was tested on a processor with every variant (%v): run LANES=write go test ./wire/lanes on one; this one lacks %d of them", err, len(missing))
	}
}
