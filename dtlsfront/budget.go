package dtlsfront

import "time"

// budget limits how many ClientHellos of a socket are answered. Their sources may be forged, so
// there is no telling apart; but what an answer costs must not be spent without bound beside the
// sessions. It must not be used concurrently.
type budget struct {
	left  float64
	since time.Time
}

// maxHellos is how many are answered in a second, and at once: twenty times the handshakes that
// a machine of two cores completes, for some 15 % of one of them.
const maxHellos = 20_000

// spend reports whether another ClientHello may be answered.
func (b *budget) spend(now time.Time) bool {
	b.left = min(maxHellos, b.left+maxHellos*now.Sub(b.since).Seconds())
	b.since = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
