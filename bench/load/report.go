package load

import (
	"fmt"
	"time"

	"radsec-gw/bench/packets"
)

// Report is what a run found. Rate and latencies are those of the counted
// time; the counts are those of the whole run, warming up included. Durations
// are nanoseconds in JSON.
type Report struct {
	Rate      float64       `json:"rate"`    // positive replies a second
	Counted   uint64        `json:"counted"` // positive replies in the counted time
	Duration  time.Duration `json:"duration_ns"`
	P50       time.Duration `json:"p50_ns"`
	P90       time.Duration `json:"p90_ns"`
	P99       time.Duration `json:"p99_ns"`
	P999      time.Duration `json:"p999_ns"`
	Max       time.Duration `json:"max_ns"`
	Sent      uint64        `json:"sent"`
	Answered  uint64        `json:"answered"`
	Resent    uint64        `json:"resent"` // over DTLS: datagrams sent once more, for the first or a later time
	Lost      uint64        `json:"lost"`   // no reply in time, or due in the open loop and never sent
	Bad       uint64        `json:"bad"`    // wrong code, or did not verify
	Unmatched uint64        `json:"unmatched"`
	Asked     uint64        `json:"asked"`    // CoA and Disconnect that came down
	Verified  uint64        `json:"verified"` // replies whose signatures were verified
	Broken    int           `json:"broken"`   // connections that ended early
	Error     string        `json:"error,omitempty"`
}

func newReport(cfg *Config, t *tally, broken int) Report {
	r := Report{
		Rate: float64(t.latencies.Count()) / cfg.Duration.Seconds(), Counted: t.latencies.Count(), Duration: cfg.Duration,
		P50: t.latencies.Quantile(0.5), P90: t.latencies.Quantile(0.9), P99: t.latencies.Quantile(0.99), P999: t.latencies.Quantile(0.999), Max: t.latencies.Max(),
		Sent: t.sent, Answered: t.answered, Resent: t.resent, Lost: t.lost + t.unsent, Bad: t.bad, Unmatched: t.unmatched, Asked: t.asked, Verified: t.verified, Broken: broken,
	}
	switch {
	case t.broken != nil:
		r.Error = t.broken.Error()
	case t.firstBad != nil:
		r.Error = t.firstBad.Error()
	}
	return r
}

// String is the report for people, one value a line.
func (r Report) String() string {
	s := fmt.Sprintf("rate       %.0f/s over %v\np50        %v\np90        %v\np99        %v\np99.9      %v\nmax        %v\nsent       %d\nresent     %d\nlost       %d\nbad        %d\nunmatched  %d\nverified   %d\nbroken     %d\n",
		r.Rate, r.Duration, r.P50, r.P90, r.P99, r.P999, r.Max, r.Sent, r.Resent, r.Lost, r.Bad, r.Unmatched, r.Verified, r.Broken)
	if r.Error != "" {
		s += "first error: " + r.Error + "\n"
	}
	return s
}

type wrongCode struct {
	kind packets.Kind
	code byte
}

func (e *wrongCode) Error() string {
	return fmt.Sprintf("a request of kind %d was answered with code %d, expected a positive answer", e.kind, e.code)
}
