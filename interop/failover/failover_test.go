// Package failover tests, from outside, what the gateway promises while servers
// stall, lose packets, die and come back. The trials are those of
// bench/faults on short timers; the full ones are run by hand:
//
//	go run ./bench faults
package failover

import (
	"testing"

	"radsec-gw/bench/faults"
)

// Whatever happens to the servers, every request of a client has an answer or its fate, a
// dead server is avoided and later used again, and conversations keep their server. What
// depends on the machine's speed is only logged: exact times are tested with faked time in
// udpback.
// Rules: P54, P65, P66, P83, P84, P100
func TestServersThatFail(t *testing.T) {
	env, err := faults.NewEnv(t.Context(), t.TempDir(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	env.Log = t.Output()
	for _, trial := range faults.Trials() {
		t.Run(trial.Name, func(t *testing.T) {
			rows, err := trial.Run(t.Context(), env, faults.Small())
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) == 0 {
				t.Error("nothing was measured")
			}
			for _, r := range rows {
				text := r.Trial + ": " + r.What + ": expected " + r.Expected + ", got " + r.Measured
				switch {
				case r.Met:
				case r.Loose:
					t.Log(text)
				default:
					t.Error(text)
				}
			}
		})
	}
}
