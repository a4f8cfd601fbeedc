package health

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The status says since when the port is in its state and why, and when it was last
// checked and heard.
func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
		began := b.now()
		time.Sleep(5 * time.Second)
		s := b.p.Status()
		if s.State != Up || s.Since != began || s.Why != "" || !s.HasChecks || s.LastCheck == 0 || s.LastCheckAnswer != s.LastCheck+10*time.Millisecond || s.LastReply != s.LastCheckAnswer || s.LastAnswer != 0 {
			t.Errorf("up: %+v", s)
		}
		b.p.Answered(b.now(), time.Millisecond)
		answered := b.now()
		b.mu.Lock()
		b.fate = "loses"
		b.mu.Unlock()
		time.Sleep(time.Second)
		for range b.p.Config().SuspectAfter {
			b.p.Silent(b.now())
		}
		suspected := b.now()
		if s = b.p.Status(); s.State != Suspect || s.Since != suspected || !strings.Contains(s.Why, "silent (3 requests") || s.LastAnswer != answered {
			t.Errorf("suspect: %+v", s)
		}
		time.Sleep(time.Minute)
		b.p.Unverified(false)
		if s = b.p.Status(); s.State != Down || s.Since <= suspected || !strings.Contains(s.Why, "secret") || s.Unverified != 1 {
			t.Errorf("down, with a reply that does not verify since: %+v", s)
		}
		time.Sleep(time.Second)
		b.p.SetMaintenance(true)
		if s = b.p.Status(); s.State != Maintenance || s.Since != b.now() || !strings.HasSuffix(s.Why, "it would be down") {
			t.Errorf("in maintenance: %+v", s)
		}
	})
}
