package metrics

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// A histogram is served in both of Prometheus's forms from one set of counts,
// so that the two always agree: the native form with eight buckets for each
// doubling (schema 3, each bucket 9 % wide), and the classic form with one.
//
// Times up to 2^lowest s (61 µs) count as zero in the native form. The classic
// buckets end at 2^-13 s (0.12 ms, a server on the same machine) to 2^5 s
// (32 s, just above the 30 s of RFC 5080 §2.2.1's MRD).
const (
	schema    = 3
	perOctave = 1 << schema
	lowest    = -14 // exponent of the zero bucket's end
	highest   = 9   // exponent of the last bucket's end, 512 s; longer times count there

	numCounts = 1 + (highest-lowest)*perOctave

	firstClassic = -13
	lastClassic  = 5
)

// octave holds the ends of the buckets between 0.5 and 1: 0.5·2^(k/8), k = 0…7.
var octave = [perOctave]float64{
	0.5, 0.5452538663326288, 0.5946035575013605, 0.6484197773255048,
	0.7071067811865475, 0.7711054127039704, 0.8408964152537144, 0.9170040432046711,
}

// histogram counts durations. Observing is two atomic adds.
type histogram struct {
	// static after construction
	desc   *prometheus.Desc
	labels []*dto.LabelPair

	counts [numCounts]atomic.Uint64
	nanos  atomic.Uint64
}

func newHistogram(name, help string, labels prometheus.Labels) *histogram {
	desc := prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, nil, labels)
	return &histogram{desc: desc, labels: prometheus.MakeLabelPairs(desc, nil)}
}

// observe counts d; a negative d counts as 0.
func (h *histogram) observe(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(d)].Add(1)
	h.nanos.Add(uint64(d))
}

// bucketOf returns the index of the first bucket whose end is at or above d.
func bucketOf(d time.Duration) int {
	fraction, exponent := math.Frexp(d.Seconds()) // fraction in [0.5, 1), or 0
	if fraction == 0 || exponent <= lowest {
		return 0
	}
	k := 0
	for k < perOctave && octave[k] < fraction {
		k++
	}
	return min(max(0, (exponent-1-lowest)*perOctave+k), numCounts-1)
}

// bucketEnd returns the upper end of bucket i in seconds.
func bucketEnd(i int) float64 { return math.Pow(2, lowest+float64(i)/perOctave) }

// totals returns how many durations were counted, and their sum.
func (h *histogram) totals() (n uint64, sum time.Duration) {
	for i := range h.counts {
		n += h.counts[i].Load()
	}
	return n, time.Duration(h.nanos.Load())
}

// Describe implements prometheus.Collector.
func (h *histogram) Describe(ch chan<- *prometheus.Desc) { ch <- h.desc }

// Collect implements prometheus.Collector.
func (h *histogram) Collect(ch chan<- prometheus.Metric) { ch <- h }

// Desc implements prometheus.Metric.
func (h *histogram) Desc() *prometheus.Desc { return h.desc }

// Write implements prometheus.Metric. The counts are read once: what is
// observed meanwhile is in the next scrape.
func (h *histogram) Write(out *dto.Metric) error {
	var counts [numCounts]uint64
	for i := range counts {
		counts[i] = h.counts[i].Load()
	}
	to := &dto.Histogram{
		SampleSum:     new(float64(h.nanos.Load()) / 1e9),
		Schema:        new(int32(schema)),
		ZeroThreshold: new(bucketEnd(0)),
		ZeroCount:     new(counts[0]),
	}
	var sum uint64
	for i, n := range counts {
		sum += n
		exponent := lowest + i/perOctave
		if i%perOctave == 0 && exponent >= firstClassic && exponent <= lastClassic {
			to.Bucket = append(to.Bucket, &dto.Bucket{UpperBound: new(bucketEnd(i)), CumulativeCount: new(sum)})
		}
	}
	to.SampleCount = &sum
	addNative(to, &counts)
	out.Label, out.Histogram = h.labels, to
	return nil
}

// addNative adds the native buckets: spans of buckets that are not empty, and
// in them each count as the difference from the one before.
func addNative(to *dto.Histogram, counts *[numCounts]uint64) {
	next := int32(0) // the bucket after the last span, in the numbers of the schema
	before := int64(0)
	for i := 1; i < numCounts; i++ {
		if counts[i] == 0 {
			continue
		}
		number := int32(lowest*perOctave + i)
		if last := len(to.PositiveSpan) - 1; last >= 0 && number == next {
			*to.PositiveSpan[last].Length++
		} else {
			to.PositiveSpan = append(to.PositiveSpan, &dto.BucketSpan{Offset: new(number - next), Length: new(uint32(1))})
		}
		next = number + 1
		to.PositiveDelta = append(to.PositiveDelta, int64(counts[i])-before)
		before = int64(counts[i])
	}
	if len(to.PositiveSpan) == 0 { // an empty span distinguishes an empty native histogram from a classic one
		to.PositiveSpan = []*dto.BucketSpan{{Offset: new(int32(0)), Length: new(uint32(0))}}
	}
}
