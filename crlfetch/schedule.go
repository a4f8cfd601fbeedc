package crlfetch

import (
	"crypto/x509"
	"time"
)

const (
	shortestPause  = time.Second      // between two fetches of a URL, however often they are requested
	firstBackoff   = 10 * time.Second // after one failure; doubled with each further one
	longestBackoff = 10 * time.Minute // unless lists are fetched more often anyway
	shortestWait   = time.Minute      // before a list is out of date
)

// pauseAfter returns how long to wait after an attempt, the last of so many failures, before
// the next.
//
// Lists are fetched after nine tenths of the time that they have left, so that a server that
// is down for a while is no harm, and at least every refresh. random, of [0, 1), makes the
// pause up to a tenth shorter, so that gateways that started together do not ask together.
func pauseAfter(refresh time.Duration, failures int, nextUpdate, now time.Time, random float64) time.Duration {
	wait := refresh
	if left := nextUpdate.Sub(now); !nextUpdate.IsZero() && left > 0 {
		wait = min(wait, max(left*9/10, shortestWait))
	}
	if failures > 0 {
		wait = min(wait, longestBackoff, firstBackoff<<min(failures-1, 16))
	}
	return wait - time.Duration(random*float64(wait)/10)
}

// nextUpdateOf returns when the first of the lists is out of date; the zero time: none says.
func nextUpdateOf(lists map[listKey]*x509.RevocationList) (first time.Time) {
	for _, l := range lists {
		if !l.NextUpdate.IsZero() && (first.IsZero() || l.NextUpdate.Before(first)) {
			first = l.NextUpdate
		}
	}
	return first
}
