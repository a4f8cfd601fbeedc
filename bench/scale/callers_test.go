package scale

import (
	"testing"

	"radsec-gw/bench/faults"
)

// The scraper and an orchestrator are answered beside a crowd of callers, which costs little
// memory.
//
// Fault S1.
func TestCallersCostLittleMemory(t *testing.T) {
	env, err := faults.NewEnv(t.Context(), t.TempDir(), "", "none")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := TryCrowd(t.Context(), env, SmallCrowd())
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
