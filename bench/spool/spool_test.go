package spool

import (
	"testing"

	"radsec-gw/bench/faults"
)

// The spool is filled, and sent again beside a live load that loses nothing.
// Rules: SP2, SP5
func TestSpool(t *testing.T) {
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
