package metrics

import (
	"math"
	"sync/atomic"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// A histogram is served in both of Prometheus's forms from one set of counts, so that the
// two always agree: the native form with eight buckets for each doubling (schema 3, each
// bucket 9 % wide), and the classic form with the bounds that operators put into their
// objectives, such as "99 % within 250 ms".
//
// Times up to 2^lowest s (61 µs) count as zero in the native form. The counts have a bucket
// for each interval between two neighbors of both kinds of bounds.
const (
	schema    = 3
	perOctave = 1 << schema
	lowest    = -14 // exponent of the zero bucket's end
	highest   = 9   // exponent of the last bucket's end, 512 s; longer times count there

	numNative = 1 + (highest-lowest)*perOctave
	numCounts = numNative + len(classicBounds)
)

// classicBounds are the ends of the classic buckets. The last is the longest that a
// server may take by default (MRD of RFC 5080 §2.2.1).
var classicBounds = [...]time.Duration{
	5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	500 * time.Millisecond, time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

// classicNative has, for each classic bound, the native bucket that it lies in.
var classicNative = [...]int{51, 59, 70, 78, 86, 96, 104, 112, 131, 139, 152}

// octave holds the ends of the buckets between 0.5 and 1: 0.5·2^(k/8), k = 0…7.
var octave = [perOctave]float64{
	0.5, 0.5452538663326288, 0.5946035575013605, 0.6484197773255048,
	0.7071067811865475, 0.7711054127039704, 0.8408964152537144, 0.9170040432046711,
}

// histogram counts durations. Observing is two atomic adds.
type histogram struct {
	counts [numCounts]atomic.Uint64 // the native buckets; then the parts of those with a classic bound that are above it
	nanos  atomic.Uint64
	since  int64 // as in count
}

// observe counts d; a negative d counts as 0.
func (h *histogram) observe(d time.Duration) {
	d = max(d, 0)
	h.counts[countOf(d)].Add(1)
	h.nanos.Add(uint64(d))
}

// countOf returns the index of the count of d.
func countOf(d time.Duration) int {
	i := bucketOf(d)
	for k, native := range classicNative {
		if native == i && d > classicBounds[k] {
			return numNative + k
		}
	}
	return i
}

// bucketOf returns the index of the first native bucket whose end is at or above d.
func bucketOf(d time.Duration) int {
	fraction, exponent := math.Frexp(d.Seconds()) // fraction in [0.5, 1), or 0
	if fraction == 0 || exponent <= lowest {
		return 0
	}
	k := 0
	for k < perOctave && octave[k] < fraction {
		k++
	}
	return min(max(0, (exponent-1-lowest)*perOctave+k), numNative-1)
}

// bucketEnd returns the upper end of native bucket i in seconds.
func bucketEnd(i int) float64 { return math.Pow(2, lowest+float64(i)/perOctave) }

// totals returns how many durations were counted, and their sum.
func (h *histogram) totals() (n uint64, sum time.Duration) {
	for i := range h.counts {
		n += h.counts[i].Load()
	}
	return n, time.Duration(h.nanos.Load())
}

// histogramSample is a histogram in the form that client_golang's encoders read.
type histogramSample struct {
	metric    dto.Metric
	histogram dto.Histogram
	created   timestamppb.Timestamp
	labels    [4]*dto.LabelPair

	buckets [len(classicBounds)]dto.Bucket
	counts  [len(classicBounds)]uint64 // cumulative
	list    [len(classicBounds)]*dto.Bucket

	n, zero   uint64
	sum       float64
	schema    int32
	threshold float64
}

// histogram adds h to the family. The counts are read once: what is observed meanwhile is
// in the next scrape. The native buckets, which only the protobuf format has, are left out
// unless native is set.
func (a *arena) histogram(h *histogram, native bool, labels ...[]*dto.LabelPair) {
	if a.usedHist == len(a.histograms) {
		a.histograms = append(a.histograms, newHistogramSample())
	}
	s := a.histograms[a.usedHist]
	a.usedHist++
	s.metric.Label = join(s.labels[:0], labels)
	a.metrics = append(a.metrics, &s.metric)

	var counts [numCounts]uint64
	s.n = 0
	for i := range counts {
		counts[i] = h.counts[i].Load()
		s.n += counts[i]
	}
	s.sum = float64(h.nanos.Load()) / 1e9
	setTime(&s.created, h.since)
	below, next := uint64(0), 0
	for k, i := range classicNative {
		for ; next <= i; next++ {
			below += counts[next]
		}
		s.counts[k] = below
		below += counts[numNative+k]
	}
	to := &s.histogram
	to.PositiveSpan, to.PositiveDelta, to.Schema, to.ZeroThreshold, to.ZeroCount = to.PositiveSpan[:0], to.PositiveDelta[:0], nil, nil, nil
	if native {
		for k, i := range classicNative {
			counts[i] += counts[numNative+k]
		}
		s.zero = counts[0]
		to.Schema, to.ZeroThreshold, to.ZeroCount = &s.schema, &s.threshold, &s.zero
		addNative(to, counts[:numNative])
	}
}

func newHistogramSample() *histogramSample {
	s := &histogramSample{schema: schema, threshold: bucketEnd(0)}
	for k, bound := range classicBounds {
		b := &s.buckets[k]
		b.UpperBound, b.CumulativeCount = new(bound.Seconds()), &s.counts[k]
		s.list[k] = b
	}
	s.histogram.Bucket, s.histogram.SampleCount, s.histogram.SampleSum = s.list[:], &s.n, &s.sum
	s.histogram.CreatedTimestamp = &s.created
	s.metric.Histogram = &s.histogram
	return s
}

// addNative adds the native buckets: spans of buckets that are not empty, and
// in them each count as the difference from the one before.
func addNative(to *dto.Histogram, counts []uint64) {
	next := int32(0) // the bucket after the last span, in the numbers of the schema
	before := int64(0)
	for i := 1; i < len(counts); i++ {
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
		to.PositiveSpan = append(to.PositiveSpan, &dto.BucketSpan{Offset: new(int32(0)), Length: new(uint32(0))})
	}
}
