package logs

import "time"

// rate is how many lines are allowed: burst at once, then one in every interval every.
// The zero rate allows any number.
type rate struct {
	burst int
	every time.Duration
}

// bucket is a bucket of tokens, one for each line. Its zero value is full.
type bucket struct {
	full time.Time // when all tokens are back
}

// has reports whether a token is available.
func (b *bucket) has(r rate, now time.Time) bool { return b.taken(r, now, r.burst-1) }

// taken reports whether at most n tokens are missing.
func (b *bucket) taken(r rate, now time.Time, n int) bool {
	return b.full.Sub(now) <= time.Duration(n)*r.every
}

// take takes a token.
func (b *bucket) take(r rate, now time.Time) {
	if b.full.Before(now) {
		b.full = now
	}
	b.full = b.full.Add(r.every)
}
