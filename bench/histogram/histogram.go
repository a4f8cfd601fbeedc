// Package histogram counts durations in buckets of constant relative width, so
// that percentiles of millions of latencies cost a few kilobytes.
package histogram

import (
	"math/bits"
	"time"
)

// Each power of two is split into 64 buckets: a percentile is at most 1/64
// (1.6 %) away from the true value, and half of that on average.
const (
	splitBits = 6
	split     = 1 << splitBits
	// 2^36 ns is 68 s; longer durations are counted there.
	maxBits = 36
	buckets = (maxBits - splitBits + 1) * split
)

// Histogram counts durations. The zero value is empty and ready. It belongs to
// one goroutine; several are added up with Add.
type Histogram struct {
	counts [buckets]uint32
	total  uint64
	max    time.Duration
}

// Record counts one duration; a negative one counts as zero.
func (h *Histogram) Record(d time.Duration) {
	h.counts[bucket(d)]++
	h.total++
	h.max = max(h.max, d)
}

// Add adds the counts of o.
func (h *Histogram) Add(o *Histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.total += o.total
	h.max = max(h.max, o.max)
}

// Count is the number of durations recorded.
func (h *Histogram) Count() uint64 { return h.total }

// Max is the longest duration recorded, exactly.
func (h *Histogram) Max() time.Duration { return h.max }

// Quantile is the middle of the bucket that contains the q-quantile (0 < q ≤ 1)
// by the nearest-rank definition; zero when nothing was recorded.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := uint64(q * float64(h.total))
	if float64(rank) < q*float64(h.total) {
		rank++
	}
	rank = max(rank, 1)
	var seen uint64
	for i, n := range h.counts {
		seen += uint64(n)
		if seen >= rank {
			return min(middle(i), h.max)
		}
	}
	return h.max
}

func bucket(d time.Duration) int {
	v := uint64(max(d, 0))
	if v < split {
		return int(v)
	}
	if v >= 1<<maxBits {
		return buckets - 1
	}
	shift := bits.Len64(v) - 1 - splitBits
	return shift*split + int(v>>shift)
}

func middle(i int) time.Duration {
	if i < 2*split {
		return time.Duration(i)
	}
	shift := i/split - 1
	low := uint64(i-shift*split) << shift
	return time.Duration(low + 1<<shift/2)
}
