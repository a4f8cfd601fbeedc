package histogram

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The same quantiles from the sorted durations, by nearest rank.
func TestQuantileAgainstSort(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for _, n := range []int{1, 2, 10, 999, 100000} {
		var a, b Histogram
		all := make([]time.Duration, n)
		for i := range all {
			all[i] = time.Duration(math.Exp(rng.Float64() * 24)) // 1 ns to 26 s
			if i%2 == 0 {
				a.Record(all[i])
			} else {
				b.Record(all[i])
			}
		}
		a.Add(&b)
		slices.Sort(all)
		for _, q := range []float64{0.001, 0.5, 0.9, 0.99, 0.999, 1} {
			want := all[max(int(math.Ceil(q*float64(n))), 1)-1]
			got := a.Quantile(q)
			if diff := math.Abs(float64(got - want)); diff > float64(want)/64+1 {
				t.Errorf("n=%d: quantile %v is %v, the sorted durations say %v", n, q, got, want)
			}
		}
		if a.Max() != all[n-1] || a.Count() != uint64(n) {
			t.Errorf("max %v count %d, want %v and %d", a.Max(), a.Count(), all[n-1], n)
		}
	}
}

func TestQuantileOfExtremes(t *testing.T) {
	var h Histogram
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("an empty histogram says %v, want 0", got)
	}
	h.Record(-time.Second)
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("a negative duration says %v, want 0", got)
	}
	h.Record(time.Hour)
	if got := h.Quantile(1); got < 60*time.Second {
		t.Errorf("an hour is counted as %v, want the last bucket (over a minute)", got)
	}
}
