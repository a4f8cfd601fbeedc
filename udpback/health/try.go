package health

import "time"

// maxFailedTries bounds the pause between tries: 2^2 check intervals.
const maxFailedTries = 2

// Try reports whether a request should try this port although others are in a better
// state: one request after a check interval, the next after twice and four times that;
// and at once after one that was answered. If so, the caller must send the request.
func (p *Port) Try(now time.Duration) bool {
	if !p.triable() {
		return false
	}
	last := p.lastTry.Load()
	answered := p.lastAnswer.Load() > last
	if !answered && now-time.Duration(last) < p.Config().CheckInterval<<min(p.failedTries.Load(), maxFailedTries) {
		return false
	}
	if !p.lastTry.CompareAndSwap(last, int64(now)) {
		return false
	}
	p.failedTries.Add(1)
	return true
}

// triable reports whether only a request can show that the port's state is better: it is
// failing, or it is down and its checks do not count, or it is down and has never
// answered a check, as a server without Status-Server never does.
func (p *Port) triable() bool {
	switch p.State() {
	case Failing:
		return true
	case Down:
		return !p.withoutAddress.Load() && (!p.HasChecks() || p.lastCheckAnswer.Load() == 0)
	}
	return false
}
