//go:build linux

package world

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"layeh.com/radius"
)

// within waits for the reply, and returns false where it is not there in time or is not positive.
func (e *exchange) within(d time.Duration) bool {
	timer := time.NewTimer(d - time.Since(e.sent))
	defer timer.Stop()
	select {
	case <-e.done:
	case <-timer.C:
		select {
		case <-e.done:
		default:
			return false
		}
	}
	return e.granted()
}

// granted reports whether the reply is here and positive.
func (e *exchange) granted() bool {
	select {
	case <-e.done:
		return len(e.packet) > 0 && e.code == positive(radius.Code(e.packet[0]))
	default:
		return false
	}
}

// String returns its outcome.
func (e *exchange) String() string {
	select {
	case <-e.done:
		if e.code == 0 {
			return e.user + ": the connection ended"
		}
		return fmt.Sprintf("%s: %v after %v", e.user, e.code, e.took.Round(100*time.Microsecond))
	default:
		return fmt.Sprintf("%s: no reply for %v", e.user, time.Since(e.sent).Round(time.Millisecond))
	}
}

// exchanges are requests that were sent together.
type exchanges []*exchange

// wait waits until all have a reply, or d has gone by since the last was sent, and sums up.
func (all exchanges) wait(d time.Duration) summary {
	for _, e := range all {
		e.within(d + all[len(all)-1].sent.Sub(e.sent))
	}
	return all.sum()
}

// summary is the outcome of many requests.
type summary struct {
	sent, granted, refused, silent int
	took                           []time.Duration // ascending; without a reply it is the time waited in vain
	bad                            []string        // those that were not granted, the first few
}

func (all exchanges) sum() summary {
	s := summary{sent: len(all)}
	for _, e := range all {
		if e.granted() {
			s.granted++
			s.took = append(s.took, e.took)
			continue
		}
		if e.code != 0 {
			s.refused++
			s.took = append(s.took, e.took)
		} else {
			s.silent++
			s.took = append(s.took, time.Since(e.sent))
		}
		if len(s.bad) < 5 {
			s.bad = append(s.bad, e.String())
		}
	}
	slices.Sort(s.took)
	return s
}

// quantile is the time that a fraction q took at most.
func (s summary) quantile(q float64) time.Duration {
	if len(s.took) == 0 {
		return 0
	}
	return s.took[min(len(s.took)-1, int(q*float64(len(s.took))))]
}

func (s summary) max() time.Duration { return s.quantile(1) }

// all reports whether every request was granted.
func (s summary) all() bool { return s.granted == s.sent }

func (s summary) String() string {
	text := fmt.Sprintf("%d of %d granted, %d refused, %d without reply; p50 %v, p99 %v, slowest %v",
		s.granted, s.sent, s.refused, s.silent, round(s.quantile(0.5)), round(s.quantile(0.99)), round(s.max()))
	if s.bad != nil {
		text += " (" + strings.Join(s.bad, "; ") + ")"
	}
	return text
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
