package sessions

import (
	"testing"
	"time"
)

// At any time, no more packets are allowed than the rate and a second's worth.
func TestRateLimiter(t *testing.T) {
	for _, c := range []struct {
		name            string
		packets, octets int // a second
		size            int
		most            int // in ten seconds
	}{
		{"packets", 100, 0, 200, 1100},
		{"octets", 0, 20000, 200, 1100},
		{"packets before octets", 10, 1 << 30, 200, 110},
		{"one packet a second", 1, 0, 4096, 11},
		{"less than a packet a second", 0, 1000, 4096, 3},
	} {
		p := newRateLimiter(c.packets, c.octets)
		start := time.Unix(1_000_000, 0)
		n := 0
		for now := start; now.Before(start.Add(10 * time.Second)); now = now.Add(time.Millisecond) {
			for {
				wait, _ := p.Allow(now, c.size)
				if wait < 0 {
					t.Fatalf("%s: a wait of %v", c.name, wait)
				}
				if wait > 0 {
					break
				}
				n++
			}
		}
		if n > c.most+1 || n < c.most*8/10 {
			t.Errorf("%s: %d packets come through in 10 s, want about %d", c.name, n, c.most)
		}
	}
	if newRateLimiter(0, 0) != nil {
		t.Error("there is a limiter without a limit")
	}
}
