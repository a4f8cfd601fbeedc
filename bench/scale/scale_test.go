package scale

import (
	"testing"

	"radsec-gw/bench/faults"
)

// A scrape of a gateway with many clients, servers and routes is cheap, and so is the
// memory that scrapes cost it.
func TestScrapesAreCheap(t *testing.T) {
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
