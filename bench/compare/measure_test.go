package compare

import (
	"testing"
	"time"

	"radsec-gw/bench/peers"
	"radsec-gw/bench/process"
)

// The cases over DTLS are measured, and the gateway loses nothing in them. radsecproxy takes
// part where it is installed.
func TestMeasureDTLS(t *testing.T) {
	who := []peers.Subject{peers.Gateway}
	if peers.Radsecproxy.Installed() == nil {
		who = append(who, peers.Radsecproxy)
	}
	r := &runner{dir: t.TempDir(), warmup: 50 * time.Millisecond, duration: 200 * time.Millisecond, settle: 50 * time.Millisecond}
	if err := r.prepare(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	var err error
	if r.bench, err = process.Build(t.Context(), r.dir, "radsec-gw/bench"); err != nil {
		t.Fatal(err)
	}
	for _, s := range who {
		for name, want := range map[string][]metric{"dtls-3x4": {rate, cpu, p50, memory, resent, lost, bad}, "dtls-idle-20": {perIdle}} {
			c, err := parseCase(name)
			if err != nil {
				t.Fatal(err)
			}
			v, err := r.measure(t.Context(), c, s)
			if err != nil {
				t.Errorf("%s, %s: %v", name, s, err)
				continue
			}
			for _, m := range want {
				if _, ok := v[m]; !ok {
					t.Errorf("%s, %s: no %s was measured, only %v", name, s, m, v)
				}
			}
			if v[lost]+v[bad] != 0 {
				t.Errorf("%s, %s: %v lost and %v bad, expected none", name, s, v[lost], v[bad])
			}
		}
	}
}
