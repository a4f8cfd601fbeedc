package scale

import (
	"testing"
	"time"

	"radsec-gw/bench/faults"
)

// smallCrowd is a part of FullCrowd.
func smallCrowd() Crowd {
	return Crowd{Gateway: Size{Clients: 20, Servers: 20, Routes: 20}, Idle: 200, Looping: 10, Silent: 200, Rate: 200, Phase: 2 * time.Second, Every: 500 * time.Millisecond}
}

// The scraper and an orchestrator are answered beside a crowd of callers, which costs little
// memory.
//
// Fault S1.
func TestCallersCostLittleMemory(t *testing.T) {
	env, err := faults.NewEnv(t.Context(), t.TempDir(), "", "none")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := TryCrowd(t.Context(), env, smallCrowd())
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
