package frontdoor

import (
	"testing"

	"radsec-gw/bench/faults"
)

// Peers that do not finish their handshake, send half a packet, do not read or
// send garbage do good clients no harm: nothing of theirs is lost.
//
// Rules: P5, P100, P112
func TestBadPeersDoNoHarm(t *testing.T) {
	env, err := faults.NewEnv(t.Context(), t.TempDir(), "", "")
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
