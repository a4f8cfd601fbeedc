package interop

import (
	"fmt"
	"testing"
	"time"

	"radsec-gw/interop/testbed"
	"radsec-gw/probe"
)

// The gateway answers Status-Server itself, also while the RADIUS server hangs or has stopped, and
// requests work again when the server does.
// Rules: P75, P76, P77, P79
func TestStatusServer(t *testing.T) {
	answered := func(t *testing.T) {
		t.Helper()
		expect(t, shared.probe(probe.Config{Kind: probe.Status, Timeout: 5 * time.Second}), 0, "verified Access-Accept", "Message-Authenticator: verified")
	}
	t.Run("FreeRADIUS runs", answered)
	t.Run("quiet, as a health check", func(t *testing.T) {
		r := run(patience, "", testbed.Program(), "probe", "status", "-quiet", "-timeout", "5s",
			"-address", fmt.Sprintf("127.0.0.1:%d", shared.ports.radsec), "-certs", shared.path("certs"))
		expect(t, r, 0)
		if r.Output != "" {
			t.Errorf("the health check printed %q, want nothing", r.Output)
		}
	})
	t.Run("FreeRADIUS is stopped", func(t *testing.T) {
		shared.freeradius.Suspend()
		answered(t)
		shared.freeradius.Resume()
	})
	t.Run("FreeRADIUS is killed", func(t *testing.T) {
		shared.freeradius.Kill()
		answered(t)
	})
	t.Run("FreeRADIUS is back", func(t *testing.T) {
		if err := shared.startFreeRADIUS(); err != nil {
			t.Fatal(err)
		}
		var r testbed.Result
		for deadline := time.Now().Add(2 * patience); time.Now().Before(deadline); {
			if r = shared.probe(probe.Config{Kind: probe.Access, User: "bob", Password: userPassword, Timeout: 3 * time.Second}); r.Status == 0 {
				break
			}
		}
		expect(t, r, 0, "verified Access-Accept")
	})
}
