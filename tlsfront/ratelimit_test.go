package tlsfront

import (
	"testing"
	"time"
)

// At any time, no more packets are allowed than the rate and a second's worth.
func TestRateLimiter(t *testing.T) {
	for _, c := range []struct {
		name   string
		client Client
		size   int
		most   int // in ten seconds
	}{
		{"packets", Client{PacketsPerSecond: 100}, 200, 1100},
		{"octets", Client{OctetsPerSecond: 20000}, 200, 1100},
		{"packets before octets", Client{PacketsPerSecond: 10, OctetsPerSecond: 1 << 30}, 200, 110},
		{"one packet a second", Client{PacketsPerSecond: 1}, 4096, 11},
		{"less than a packet a second", Client{OctetsPerSecond: 1000}, 4096, 3},
	} {
		p := newRateLimiter(&c.client)
		start := time.Unix(1_000_000, 0)
		n := 0
		for now := start; now.Before(start.Add(10 * time.Second)); now = now.Add(time.Millisecond) {
			for {
				wait, _ := p.allow(now, c.size)
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
	if newRateLimiter(&Client{}) != nil {
		t.Error("a client without limits has a pace")
	}
}
