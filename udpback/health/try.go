package health

import "time"

// maxFailedTries bounds the pause between tries: 2^2 check intervals.
const maxFailedTries = 2

// Try reports whether a request should try this port although others are better off:
// one after a check interval, then after twice that and four times that; and at once
// after one that was answered.
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

// triable reports whether only a request can show that the port is better than it is
// taken for: it is failing, or down and its checks say nothing about it, or it is down
// and has never answered a check, as a server without Status-Server never will.
func (p *Port) triable() bool {
	switch p.State() {
	case Failing:
		return true
	case Down:
		return !p.withoutAddress.Load() && (!p.HasChecks() || p.lastCheckAnswer.Load() == 0)
	}
	return false
}
