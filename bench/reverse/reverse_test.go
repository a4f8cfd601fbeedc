package reverse

import (
	"testing"

	"radsec-gw/bench/faults"
)

// CoA to many NASes beside the load of others is answered, each at its own NAS, with bounded
// memory; and NASes that do not answer lose nothing of what goes up their connections.
// Rules: RC8, RC19
func TestReverse(t *testing.T) {
	env, err := faults.NewEnv(t.Context(), t.TempDir(), "", "none")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := Try(t.Context(), env, Small())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Loose {
			t.Logf("%s: %s", r.What, r.Measured)
		} else if !r.Met {
			t.Errorf("%s: %s; expected: %s", r.What, r.Measured, r.Expected)
		}
	}
}
