package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// SpoolCounts are counts of the spool since the start.
type SpoolCounts struct {
	Stored   uint64 // records that were stored and acknowledged
	Answered uint64 // of these, that a server has, those included whose own request was answered late
	Refused  uint64 // records that were not stored, and not acknowledged
	Dropped  uint64 // stored records that were removed although no server has them
	SetAside uint64 // stored records that were moved to a file because no server answers them
}

// Counts returns the counts.
func (s *Spool) Counts() SpoolCounts {
	return SpoolCounts{
		Stored: valueOf(s.stored), Answered: valueOf(s.sent[SpoolAnswered], s.answeredLate), SetAside: valueOf(s.setAside),
		Refused: valueOf(s.refused[:]...), Dropped: valueOf(s.dropped[:]...),
	}
}

// valueOf adds up counters.
func valueOf(counters ...prometheus.Counter) (sum uint64) {
	for _, c := range counters {
		var m dto.Metric
		if c.Write(&m) == nil {
			sum += uint64(m.GetCounter().GetValue())
		}
	}
	return sum
}
