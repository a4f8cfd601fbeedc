package health

import "testing"

// These tests have every edge of the diagram in the package documentation, and what is not
// an edge. The numbers are those of the diagram.

// From up, by silence and refusals.
// Rules: P81, P82, P83, P84
func TestTransitionsToSuspect(t *testing.T) {
	playAll(t, []transcript{
		{"1: silent requests", checked, `
			pass 5s         up
			holds
			silent 2        up
			silent          suspect
			silent 9        suspect`, "up→suspect"},
		{"1: silent requests, as many as configured", Config{Check: CheckStatusServer, SuspectAfter: 5}, `
			pass 5s         up
			holds
			silent 4        up
			silent          suspect`, "up→suspect"},
		{"1: a request answered between silent ones begins anew", checked, `
			pass 5s
			holds
			silent 2
			answered
			silent 2        up
			silent          suspect`, "up→suspect"},
		{"1: a lost check after one silent request", checked, `
			pass 5s
			loses
			silent          up
			pass 2900ms     up
			pass 200ms      suspect`, "up→suspect"},
		{"1: two lost checks of an idle port", checked, `
			pass 5s
			holds
			pass 30s
			check-lost      up
			pass 4s         up
			check-lost      suspect`, "up→suspect"},
		{"1: not a lost check when anything was heard since it was sent", checked, `
			pass 5s
			loses
			silent          up
			answered        up
			silent          up
			pass 4s         up`, ""},
		{"1: not two lost checks between which something was heard", checked, `
			pass 5s
			holds
			pass 30s
			check-lost-answered up
			pass 60s        up
			check-lost      up
			pass 4s
			check-lost      suspect`, "up→suspect"},
		{"1: refused", checked, `
			pass 5s
			holds
			refused         suspect`, "up→suspect"},
		{"1: no refusal without checks", unchecked, `
			refused 9       up`, ""},
		{"1: without checks silent requests make it down", unchecked, `
			silent 2        up
			silent          down`, "up→down"},
	})
}

// Back to up, and on to down or failing.
// Rules: P81, P82, P83, P84
func TestTransitionsFromSuspect(t *testing.T) {
	playAll(t, []transcript{
		{"2: a check is answered", checked, `
			pass 5s
			silent 3
			pass 20ms       up`, "up→suspect suspect→up"},
		{"2: a request is answered", checked, `
			pass 5s
			holds
			silent 3        suspect
			answered        up`, "up→suspect suspect→up"},
		{"3: lost checks", checked, `
			pass 5s
			holds
			silent 3        suspect
			check-lost      suspect
			pass 4s
			check-lost      suspect
			pass 4s
			check-lost      down`, "up→suspect suspect→down"},
		{"3: as many as configured", Config{Check: CheckStatusServer, DownAfter: 1}, `
			pass 5s
			holds
			silent 3        suspect
			check-lost      down`, "up→suspect suspect→down"},
		{"3: silence of an idle port", checked, `
			pass 5s
			loses
			pass 45s        down`, "up→suspect suspect→down"},
		{"3: neither refusals nor replies that do not verify", checked, `
			pass 5s
			holds
			silent 3        suspect
			unverified 9
			silent 9
			refused 9       suspect`, "up→suspect"},
		{"4: a check is answered, requests were not", checked, `
			pass 5s
			holds
			overdue 4       up
			silent 3        suspect
			overdue         failing`, "up→suspect suspect→failing"},
	})
}

// From up, by requests that stay unanswered.
// Rules: P81, P82, P83, P84
func TestTransitionsToFailing(t *testing.T) {
	playAll(t, []transcript{
		{"5: overdue requests", checked, `
			pass 5s
			overdue 4       up
			overdue         failing`, "up→failing"},
		{"5: as many as configured", Config{Check: CheckStatusServer, FailingAfter: 2}, `
			pass 5s
			overdue         up
			overdue         failing`, "up→failing"},
		{"5: an answered request begins anew", checked, `
			pass 5s
			overdue 4
			answered
			overdue 4       up
			overdue         failing`, "up→failing"},
		{"5: an answered check does not", checked, `
			pass 5s
			overdue 4
			pass 60s        up
			overdue         failing`, "up→failing"},
		{"5: a check is answered at last", checked, `
			loses
			pass 2s
			answered
			pass 12s        up
			overdue 5       up
			answers
			pass 40s        failing`, "no-status-server up→failing"},
		{"5: not without checks", unchecked, `
			overdue 99      up`, ""},
	})
}

// Back to up, and on to down.
// Rules: P81, P82, P83, P84
func TestTransitionsFromFailing(t *testing.T) {
	playAll(t, []transcript{
		{"6: three answered requests", checked, `
			pass 5s
			overdue 5       failing
			answered 2      failing
			answered        up`, "up→failing failing→up"},
		{"6: an unanswered one begins the count anew", checked, `
			pass 5s
			overdue 5       failing
			answered 2      failing
			overdue
			answered 2      failing
			answered        up`, "up→failing failing→up"},
		{"6: checks do not count", checked, `
			pass 5s
			overdue 5       failing
			pass 60s        failing`, "up→failing"},
		{"6: nor does a lost one", checked, `
			pass 5s
			holds
			overdue 5       failing
			answered 2
			pass 4s
			check-lost
			answered        up`, "up→failing failing→up"},
		{"7: lost checks", checked, `
			pass 5s
			overdue 5       failing
			pass 10s        failing
			loses
			pass 7s         failing
			pass 6s         down`, "up→failing failing→down"},
		{"7: silent requests alone do not", checked, `
			pass 5s
			overdue 5       failing
			silent 99       failing`, "up→failing"},
	})
}

// Back to up, by checks and requests.
// Rules: P81, P82, P83, P84
func TestTransitionsFromDown(t *testing.T) {
	playAll(t, []transcript{
		{"8: answered checks", checked, `
			pass 5s
			loses
			pass 45s        down
			answers
			pass 5s         down
			pass 6s         up`, "up→suspect suspect→down alive down→up"},
		{"8: a lost check begins the count anew", checked, `
			pass 5s
			loses
			pass 45s        down
			holds
			pass 7s
			check-answered
			pass 4s
			check-answered
			pass 4s
			check-lost      down
			pass 4s
			check-answered
			pass 4s
			check-answered  down
			pass 4s
			check-answered  up`, "up→suspect suspect→down alive alive down→up"},
		{"8: a lost check does not while requests are answered", checked, `
			pass 5s
			loses
			pass 45s        down
			answered        down
			pass 4s
			answered        down
			pass 4s
			answered        up`, "up→suspect suspect→down alive down→up"},
		{"8: answered requests count, too", checked, `
			pass 5s
			loses
			pass 45s        down
			answered 2      down
			answered        up`, "up→suspect suspect→down alive down→up"},
	})
}

// Back to up without checks or after one reply, and to failing.
// Rules: P81, P82, P83, P84
func TestTransitionsFromDownToFailing(t *testing.T) {
	playAll(t, []transcript{
		{"8: without checks", Config{UpAfter: 2}, `
			silent 3        down
			answered        down
			answered        up`, "up→down alive down→up"},
		{"8: one is enough, as configured", Config{UpAfter: 1}, `
			silent 3        down
			answered        up`, "up→down alive down→up"},
		{"8: the death explains what was not answered before", checked, `
			pass 5s
			loses
			overdue 4       up
			silent 3        suspect
			pass 12s        down
			overdue 9       down
			answers
			pass 20s        up
			overdue 4       up`, "up→suspect suspect→down alive down→up"},
		{"8: failing, then dead: the same", checked, `
			pass 5s
			overdue 9       failing
			loses
			pass 20s        down
			answers
			pass 20s        up`, "up→failing failing→down alive down→up"},
		{"9: answered checks, and requests sent since are not", checked, `
			pass 5s
			loses
			pass 45s        down
			answers
			pass 4s         down
			overdue 5       down
			pass 10s        failing`, "up→suspect suspect→down alive down→failing"},
		{"9: not when the last reply is a request's", checked, `
			pass 5s
			loses
			pass 45s        down
			holds
			pass 4s
			check-answered
			overdue 5       down
			answered        down
			answered        up`, "up→suspect suspect→down alive down→up"},
	})
}
