package metrics

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// A gateway without a spool has no series of one, one with a spool has all of them at zero,
// and one whose spool was removed has none again.
//
// Rules: SP14
func TestSeriesOfTheSpoolAreThereWithIt(t *testing.T) {
	m, _, _ := filled(t)
	s := m.Spool()
	if text := scrape(t, m); strings.Contains(text, "radsec_gw_spool_") {
		t.Error("the scrape of a gateway without a spool has series of one, expected none")
	}
	s.Use(func() SpoolState { return SpoolState{} })
	for _, name := range []string{"up", "records", "octets", "oldest_seconds", "waiting", "stored_total", "duplicates_total", "answered_late_total",
		"repeated_total", "replaced_total", "set_aside_total", "failures_total", "commit_seconds_count", "records_limit", "octets_limit"} {
		expect(t, m, "radsec_gw_spool_"+name+" 0")
	}
	if text := scrape(t, m); strings.Contains(text, "radsec_gw_spool_leads") {
		t.Error("the scrape of a gateway whose spool is its own says whether it leads, expected nothing of it")
	}
	for r := range NumSpoolRefusals {
		expect(t, m, fmt.Sprintf(`radsec_gw_spool_refused_total{reason="%v"} 0`, r))
	}
	for r := range NumSpoolReplays {
		expect(t, m, fmt.Sprintf(`radsec_gw_spool_sent_total{result="%v"} 0`, r))
	}
	for d := range NumSpoolDrops {
		expect(t, m, fmt.Sprintf(`radsec_gw_spool_dropped_total{reason="%v"} 0`, d))
	}
	s.Stored()
	s.Remove()
	if text := scrape(t, m); strings.Contains(text, "radsec_gw_spool_") {
		t.Error("the scrape has series of a spool that was removed, expected none")
	}
	s.Use(func() SpoolState { return SpoolState{Shared: true} })
	expect(t, m, `radsec_gw_spool_stored_total 1`) // a counter must not decrease
	expect(t, m, `radsec_gw_spool_leads 0`)
}

func TestCountsOfTheSpoolArrive(t *testing.T) {
	m, _, _ := filled(t)
	s := m.Spool()
	s.Use(func() SpoolState {
		return SpoolState{Records: 3, RecordsLimit: 1000, Octets: 600, OctetsLimit: 1 << 30, Waiting: 2, Oldest: 90 * time.Second}
	})
	s.SetUp(true)
	countSpool(s)
	s.Dropped(SpoolTooOld, 6)
	s.ObserveCommit(3 * time.Millisecond)
	s.ObserveCommit(11 * time.Second)
	expect(t, m,
		`radsec_gw_spool_up 1`,
		`radsec_gw_spool_records 3`,
		`radsec_gw_spool_records_limit 1000`,
		`radsec_gw_spool_octets 600`,
		`radsec_gw_spool_octets_limit 1.073741824e+09`,
		`radsec_gw_spool_waiting 2`,
		`radsec_gw_spool_oldest_seconds 90`,
		`radsec_gw_spool_stored_total 1`,
		`radsec_gw_spool_duplicates_total 1`,
		`radsec_gw_spool_refused_total{reason="unreadable"} 1`,
		`radsec_gw_spool_refused_total{reason="full"} 0`,
		`radsec_gw_spool_answered_late_total 1`,
		`radsec_gw_spool_sent_total{result="not_sent"} 1`,
		`radsec_gw_spool_repeated_total 1`,
		`radsec_gw_spool_replaced_total 1`,
		`radsec_gw_spool_set_aside_total 1`,
		`radsec_gw_spool_dropped_total{reason="age"} 6`,
		`radsec_gw_spool_dropped_total{reason="damaged"} 1`,
		`radsec_gw_spool_failures_total 1`,
		`radsec_gw_spool_commit_seconds_bucket{le="0.0025"} 0`,
		`radsec_gw_spool_commit_seconds_bucket{le="0.005"} 1`,
		`radsec_gw_spool_commit_seconds_bucket{le="10"} 1`,
		`radsec_gw_spool_commit_seconds_count 2`)
	s.SetUp(false)
	expect(t, m, `radsec_gw_spool_up 0`)
}

// countSpool counts one of each.
func countSpool(s *Spool) {
	s.Stored()
	s.Duplicate()
	s.Refused(SpoolUnreadable)
	s.AnsweredLate()
	s.Sent(SpoolNotSent)
	s.Repeated()
	s.Replaced()
	s.SetAside()
	s.Dropped(SpoolDamaged, 1)
	s.Failed()
}

func TestCountingForTheSpoolAllocatesNothing(t *testing.T) {
	m, _, _ := filled(t)
	s := m.Spool()
	s.Use(func() SpoolState { return SpoolState{} })
	n := testing.AllocsPerRun(100, func() {
		countSpool(s)
		s.SetUp(true)
		s.ObserveCommit(time.Millisecond)
	})
	if n != 0 {
		t.Errorf("counting allocates %v times, expected 0", n)
	}
}

// The series come, go and are scraped while others count: for the race detector.
func TestSeriesOfTheSpoolGoWhileOthersCount(t *testing.T) {
	m, _, _ := filled(t)
	s := m.Spool()
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				countSpool(s)
				s.SetUp(true)
				s.ObserveCommit(time.Millisecond)
			}
		}
	})
	for range 50 {
		s.Use(func() SpoolState { return SpoolState{} })
		scrape(t, m)
		s.Remove()
		scrape(t, m)
	}
	close(stop)
	running.Wait()
}
