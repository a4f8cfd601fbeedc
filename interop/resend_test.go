package interop

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
	"radsec-gw/probe"
)

// A RadSec client sends once. While the server hangs the gateway resends for it, octet by octet the
// same, so that FreeRADIUS treats all of them as one request: one login in its log, one answer.
// (Accounting would not show it: FreeRADIUS forgets an accounting request as soon as it is answered.)
// Rules: P54, P57
func TestResentRequestIsOneRequest(t *testing.T) {
	station := rand.Text() // shows in FreeRADIUS's log
	before := shared.resent(t)
	shared.freeradius.Suspend()
	answered := make(chan testbed.Result, 1)
	go func() {
		answered <- shared.probe(probe.Config{Kind: probe.Access, User: "bob", Password: userPassword,
			Attributes: []string{"Calling-Station-Id=" + station}, Timeout: patience})
	}()
	for deadline := time.Now().Add(patience); shared.resent(t) == before; {
		if time.Now().After(deadline) {
			t.Errorf("the gateway resent nothing within %v", patience)
			break
		}
	}
	shared.freeradius.Resume()
	expect(t, <-answered, 0, "verified Access-Accept")

	// FreeRADIUS has read the copies by the time it logs the next request.
	next := rand.Text()
	again := probe.Config{Kind: probe.Access, User: "bob", Password: userPassword, Attributes: []string{"Calling-Station-Id=" + next}}
	expect(t, shared.probe(again), 0, "verified Access-Accept")
	if err := shared.freeradius.Await("cli "+next, patience); err != nil {
		t.Fatal(err)
	}
	log := shared.freeradius.Printed()
	if logins := strings.Count(log, "cli "+station); logins != 1 {
		t.Errorf("FreeRADIUS logged %d logins, want exactly 1:\n%s", logins, process.LastLines(log, 10))
	}
}

// resent is how many requests the gateway has sent again to FreeRADIUS's authentication port.
func (b *bed) resent(t *testing.T) float64 {
	t.Helper()
	return b.counters(t).Sum("radsec_gw_server_requests_resent_total", `server="freeradius"`, `port="auth"`)
}
