package metrics

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

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
		if i < 0 || i >= numNative {
			t.Fatalf("%v falls into bucket %d of %d", d, i, numNative)
		}
		if i < numNative-1 && d.Seconds() > bucketEnd(i)*(1+1e-12) {
			t.Fatalf("%v falls into bucket %d, which ends at %v s", d, i, bucketEnd(i))
		}
		if i > 0 && d.Seconds() <= bucketEnd(i-1)*(1-1e-12) {
			t.Fatalf("%v falls into bucket %d, and the one before ends at %v s only", d, i, bucketEnd(i-1))
		}
	}
}

// written returns the form of a histogram that encoders get.
func written(h *histogram, native bool) *dto.Histogram {
	a := new(arena)
	a.begin("x_seconds", "X.", histogramType)
	a.histogram(h, native)
	return a.end().Metric[0].Histogram
}

// Both forms count the same: what Prometheus checks before it takes a native
// histogram is that its buckets add up to its count.
//
// Fault O7.
func TestBothFormsOfAHistogramAgree(t *testing.T) {
	h := new(histogram)
	durations := []time.Duration{0, 50 * time.Microsecond, time.Millisecond, time.Millisecond, 1100 * time.Microsecond,
		time.Second, 31 * time.Second, 40 * time.Second, time.Hour, -1}
	for _, bound := range classicBounds {
		durations = append(durations, bound-1, bound, bound+1)
	}
	for _, d := range durations {
		h.observe(d)
	}
	got := written(h, true)
	if int(got.GetSampleCount()) != len(durations) {
		t.Errorf("%d durations counted, expected %d", got.GetSampleCount(), len(durations))
	}
	var native, at int64
	for _, delta := range got.PositiveDelta {
		at += delta
		native += at
	}
	if total := int(native) + int(got.GetZeroCount()); total != len(durations) || got.GetZeroCount() != 3 {
		t.Errorf("the native form holds %d durations, %d of them as zero; expected %d and 3", total, got.GetZeroCount(), len(durations))
	}
	length := uint32(0)
	for _, span := range got.PositiveSpan {
		length += span.GetLength()
	}
	if int(length) != len(got.PositiveDelta) {
		t.Errorf("the spans describe %d buckets, got %d", length, len(got.PositiveDelta))
	}
	if len(got.Bucket) != len(classicBounds) {
		t.Errorf("%d classic buckets, expected %d", len(got.Bucket), len(classicBounds))
	}
	for i, b := range got.Bucket {
		want := 0
		for _, d := range durations {
			if d <= classicBounds[i] {
				want++
			}
		}
		if int(b.GetCumulativeCount()) != want || b.GetUpperBound() != classicBounds[i].Seconds() {
			t.Errorf("up to %v s there are %d, expected %d up to %v", b.GetUpperBound(), b.GetCumulativeCount(), want, classicBounds[i])
		}
	}
	if plain := written(h, false); plain.Schema != nil || plain.PositiveSpan != nil {
		t.Errorf("a text format needs no native buckets, got %v", plain.PositiveSpan)
	}
}

// Each classic bound lies in the native bucket that classicNative names.
func TestClassicBoundsLieInTheirNativeBuckets(t *testing.T) {
	for i, bound := range classicBounds {
		if got := bucketOf(bound); got != classicNative[i] {
			t.Errorf("%v lies in the native bucket %d, expected %d", bound, got, classicNative[i])
		}
	}
}

func TestAnEmptyHistogramIsStillNative(t *testing.T) {
	if s := written(new(histogram), true).PositiveSpan; len(s) != 1 || s[0].GetLength() != 0 {
		t.Errorf("spans %v, expected one empty span, which is the mark of a native histogram", s)
	}
}
