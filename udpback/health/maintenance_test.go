package health

import (
	"testing"
	"testing/synctest"
	"time"
)

// In maintenance a port goes on to be checked, and its state goes on to follow from that.
// At the end it is what the checks say; what only requests could show is assumed.
//
// Fault O9.
func TestMaintenance(t *testing.T) {
	playAll(t, []transcript{
		{"of a port that stays up", checked, `
			pass 5s
			maintenance on  up
			pass 60s        up
			maintenance on  up
			maintenance off up`, "maintenance-true maintenance-false"},
		{"the server is restarted meanwhile", checked, `
			pass 5s
			maintenance on
			loses
			pass 60s        down
			answers
			pass 30s        up
			maintenance off up`, "maintenance-true up→suspect suspect→down alive down→up maintenance-false"},
		{"the server is still down at the end", checked, `
			pass 5s
			maintenance on
			loses
			pass 60s        down
			maintenance off down`, "maintenance-true up→suspect suspect→down maintenance-false"},
		{"it was failing: only requests could show that it no longer is", checked, `
			pass 5s
			overdue 5       failing
			maintenance on
			pass 60s        failing
			maintenance off up
			overdue 4       up
			overdue         failing`, "up→failing maintenance-true maintenance-false failing→up? up→failing"},
		{"it was down, and no check could show that it is up", unchecked, `
			silent 3        down
			maintenance on
			pass 60s        down
			maintenance off up`, "up→down maintenance-true maintenance-false down→up?"},
		{"it has no address", unchecked, `
			no-address      down
			maintenance on
			maintenance off down`, "up→down maintenance-true maintenance-false"},
	})
}

// What is reported is maintenance, whatever the state; and at the end the port is checked
// at once.
//
// Fault O9.
func TestMaintenanceIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
		b.play("pass 5s\nmaintenance on\nloses\npass 60s")
		if s, reported := b.p.State(), b.p.Reported(); s != Down || reported != Maintenance || reported.String() != "maintenance" {
			t.Errorf("the port is %v and reported as %v, expected down and maintenance", s, reported)
		}
		if tr := b.last(Down); !tr.InMaintenance {
			t.Errorf("%+v, expected it to say that the port is in maintenance", tr)
		}
		b.sent()
		b.p.SetMaintenance(false)
		pass(5 * time.Second) // one is under way
		if n := len(b.sent()); n == 0 || b.p.Reported() != Down {
			t.Errorf("%d checks at the end of maintenance, reported as %v; expected one, and down", n, b.p.Reported())
		}
	})
}

// Maintenance of a port that is stopped changes nothing that is reported.
func TestMaintenanceAfterStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
		b.p.Stop()
		b.p.SetMaintenance(true)
		b.p.SetMaintenance(false)
		pass(time.Minute)
		if got := b.transitions(); got != "" || len(b.sent()) != 0 {
			t.Errorf("told %q after Stop, expected nothing, and no check", got)
		}
	})
}
