package metrics

import "testing"

// The counts of the spool are those of its series.
func TestCountsOfTheSpool(t *testing.T) {
	m, _, _ := filled(t)
	s := m.Spool()
	if got := s.Counts(); got != (SpoolCounts{}) {
		t.Errorf("before anything is counted: got %+v", got)
	}
	for range 7 {
		s.Stored()
	}
	s.Sent(SpoolAnswered)
	s.Sent(SpoolSilent)
	s.AnsweredLate()
	s.Refused(SpoolFull)
	s.Refused(SpoolDisk)
	s.Refused(SpoolClosed)
	s.Dropped(SpoolTooOld, 2)
	s.Dropped(SpoolByOperator, 2)
	s.SetAside()
	if got, want := s.Counts(), (SpoolCounts{Stored: 7, Answered: 2, Refused: 3, Dropped: 4, SetAside: 1}); got != want {
		t.Errorf("got %+v, expected %+v", got, want)
	}
}
