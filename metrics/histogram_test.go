package metrics

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// The oracle is Prometheus's own rule: bucket i ends at 2^(i/8) and holds its end.
func TestADurationFallsIntoTheFirstBucketThatHoldsIt(t *testing.T) {
	durations := []time.Duration{0, 1, time.Microsecond, time.Millisecond, time.Second, 33 * time.Second, time.Hour, math.MaxInt64}
	for exponent := lowest; exponent <= highest; exponent++ {
		end := time.Duration(math.Pow(2, float64(exponent)) * 1e9)
		durations = append(durations, end-1, end, end+1)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		durations = append(durations, time.Duration(random.Int64N(1<<random.Int64N(40)+1)))
	}
	for _, d := range durations {
		i := bucketOf(d)
		if i < 0 || i >= numCounts {
			t.Fatalf("%v falls into bucket %d of %d", d, i, numCounts)
		}
		if i < numCounts-1 && d.Seconds() > bucketEnd(i)*(1+1e-12) {
			t.Fatalf("%v falls into bucket %d, which ends at %v s", d, i, bucketEnd(i))
		}
		if i > 0 && d.Seconds() <= bucketEnd(i-1)*(1-1e-12) {
			t.Fatalf("%v falls into bucket %d, and the one before ends at %v s only", d, i, bucketEnd(i-1))
		}
	}
}

// Both forms count the same: what Prometheus checks before it takes a native
// histogram is that its buckets add up to its count.
func TestBothFormsOfAHistogramAgree(t *testing.T) {
	h := newHistogram("x_seconds", "X.", prometheus.Labels{"kind": "access"})
	for _, d := range []time.Duration{0, 50 * time.Microsecond, time.Millisecond, time.Millisecond, 1100 * time.Microsecond,
		time.Second, 31 * time.Second, 40 * time.Second, time.Hour, -1} {
		h.observe(d)
	}
	var out dto.Metric
	if err := h.Write(&out); err != nil {
		t.Fatal(err)
	}
	got := out.GetHistogram()
	if got.GetSampleCount() != 10 {
		t.Errorf("%d durations counted, want 10", got.GetSampleCount())
	}
	var native, at int64
	for _, delta := range got.PositiveDelta {
		at += delta
		native += at
	}
	if total := uint64(native) + got.GetZeroCount(); total != 10 || got.GetZeroCount() != 3 {
		t.Errorf("the native form holds %d durations, %d of them as zero; want 10 and 3", total, got.GetZeroCount())
	}
	length := uint32(0)
	for _, span := range got.PositiveSpan {
		length += span.GetLength()
	}
	if int(length) != len(got.PositiveDelta) {
		t.Errorf("the spans describe %d buckets, got %d", length, len(got.PositiveDelta))
	}
	if n := len(got.Bucket); n != lastClassic-firstClassic+1 {
		t.Errorf("%d classic buckets, want %d", n, lastClassic-firstClassic+1)
	}
	for _, b := range got.Bucket {
		want := map[float64]uint64{1.0 / 8192: 3, 1.0 / 512: 6, 1: 7, 32: 8}
		if n, ok := want[b.GetUpperBound()]; ok && n != b.GetCumulativeCount() {
			t.Errorf("up to %v s there are %d, want %d", b.GetUpperBound(), b.GetCumulativeCount(), n)
		}
	}
}

func TestAnEmptyHistogramIsStillNative(t *testing.T) {
	var out dto.Metric
	if err := newHistogram("x_seconds", "X.", nil).Write(&out); err != nil {
		t.Fatal(err)
	}
	if s := out.GetHistogram().PositiveSpan; len(s) != 1 || s[0].GetLength() != 0 {
		t.Errorf("spans %v, want one empty span, which is the mark of a native histogram", s)
	}
}
