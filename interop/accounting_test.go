package interop

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"

	"radsec-gw/probe"
)

// Each accounting record is in FreeRADIUS's detail file exactly once, and answered only when it is.
// Rules: P18, P71
func TestAccounting(t *testing.T) {
	for _, c := range []struct{ flag, record string }{
		{"start", "Start"}, {"interim", "Interim-Update"}, {"stop", "Stop"}, {"on", "Accounting-On"}, {"off", "Accounting-Off"},
	} {
		t.Run("probe "+c.record, func(t *testing.T) {
			session := "probe-" + rand.Text()
			cfg := probe.Config{Kind: probe.Accounting, StatusType: c.flag, SessionID: session}
			if c.flag != "on" && c.flag != "off" {
				cfg.User = "bob"
			}
			expect(t, shared.probe(cfg), 0, "verified Accounting-Response", "Response Authenticator: verified")
			expectOnce(t, session, c.record)
		})
		t.Run("radclient "+c.record, func(t *testing.T) {
			session := "radclient-" + rand.Text()
			r := shared.radclient("acct", fmt.Sprintf("User-Name = \"bob\"\nNAS-Identifier = \"interop\"\nAcct-Status-Type = %s\nAcct-Session-Id = \"%s\"\n", c.record, session))
			expect(t, r, 0, "Received Accounting-Response")
			expectOnce(t, session, c.record)
		})
	}
}

// expectOnce counts the records of a session in the detail file. FreeRADIUS writes a record before it
// answers, so the file is complete by then.
func expectOnce(t *testing.T, session, record string) {
	t.Helper()
	detail, err := os.ReadFile(shared.path("freeradius/log/detail"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, entry := range strings.Split(string(detail), "\n\n") {
		if strings.Contains(entry, fmt.Sprintf("Acct-Session-Id = %q", session)) {
			found++
			if !strings.Contains(entry, "Acct-Status-Type = "+record+"\n") {
				t.Errorf("the record of %s is not a %s:\n%s", session, record, entry)
			}
		}
	}
	if found != 1 {
		t.Errorf("%d records of session %s in the detail file, want exactly 1:\n%s", found, session, detail)
	}
}
