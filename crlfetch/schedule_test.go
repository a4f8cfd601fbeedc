package crlfetch

import (
	"testing"
	"time"
)

// Lists are fetched again before they are out of date, at least every crl_refresh, and soon
// after a failure, with growing pauses up to 10 minutes.
//
// Rules: TR9
func TestPauseAfter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	for _, row := range []struct {
		what     string
		refresh  time.Duration
		failures int
		next     time.Time
		want     time.Duration
	}{
		{"a list that is good for long", time.Hour, 0, in(24 * time.Hour), time.Hour},
		{"one that does not say for how long", time.Hour, 0, time.Time{}, time.Hour},
		{"one that is out of date within the interval", time.Hour, 0, in(40 * time.Minute), 36 * time.Minute},
		{"one that is out of date at once", time.Hour, 0, in(time.Second), time.Minute},
		{"one that is out of date", time.Hour, 0, in(-time.Hour), time.Hour},
		{"an interval below all others", 30 * time.Second, 0, in(time.Second), 30 * time.Second},
		{"a failure", time.Hour, 1, in(24 * time.Hour), 10 * time.Second},
		{"two", time.Hour, 2, in(24 * time.Hour), 20 * time.Second},
		{"seven", time.Hour, 7, in(24 * time.Hour), 10 * time.Minute},
		{"very many", time.Hour, 1 << 30, in(24 * time.Hour), 10 * time.Minute},
		{"many, at a short interval", 2 * time.Minute, 20, time.Time{}, 2 * time.Minute},
	} {
		if got := pauseAfter(row.refresh, row.failures, row.next, now, 0); got != row.want {
			t.Errorf("%s: expected a pause of %v, got %v", row.what, row.want, got)
		}
		if got, least := pauseAfter(row.refresh, row.failures, row.next, now, 0.999999), row.want*9/10; got < least || got > row.want {
			t.Errorf("%s: expected a pause from %v to %v, got %v", row.what, least, row.want, got)
		}
	}
}
