package metrics

import (
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// arena has the memory of one metric family in the form that client_golang's encoders
// read. It is used again for the next family and the next scrape, so that a scrape of
// thousands of clients and servers leaves nothing for the garbage collector. It belongs to
// one goroutine.
type arena struct {
	family     dto.MetricFamily
	metrics    []*dto.Metric // those of the family, from samples and histograms
	samples    []*sample
	histograms []*histogramSample
	used       int // of samples
	usedHist   int // of histograms
}

// sample is one value with its labels.
type sample struct {
	metric  dto.Metric
	counter dto.Counter
	gauge   dto.Gauge
	created timestamppb.Timestamp
	value   float64
	labels  [4]*dto.LabelPair
}

// begin begins a family.
func (a *arena) begin(name, help string, kind dto.MetricType) {
	full := namespace + "_" + name
	a.family.Name, a.family.Help, a.family.Type = &full, &help, &kind
	a.metrics, a.used, a.usedHist = a.metrics[:0], 0, 0
}

// end returns the family. It is valid until the next begin.
func (a *arena) end() *dto.MetricFamily {
	a.family.Metric = a.metrics
	return &a.family
}

// next returns a sample with these labels, as the next of the family.
func (a *arena) next(labels ...[]*dto.LabelPair) *sample {
	if a.used == len(a.samples) {
		a.samples = append(a.samples, new(sample))
	}
	s := a.samples[a.used]
	a.used++
	s.metric.Label = join(s.labels[:0], labels)
	a.metrics = append(a.metrics, &s.metric)
	return s
}

// gauge adds a gauge to the family.
func (a *arena) gauge(v float64, labels ...[]*dto.LabelPair) {
	s := a.next(labels...)
	s.value, s.gauge.Value = v, &s.value
	s.metric.Gauge, s.metric.Counter = &s.gauge, nil
}

// counter adds a counter to the family, which was zero at created, in milliseconds of Unix
// time.
func (a *arena) counter(n uint64, created int64, labels ...[]*dto.LabelPair) {
	s := a.next(labels...)
	s.value, s.counter.Value = float64(n), &s.value
	setTime(&s.created, created)
	s.counter.CreatedTimestamp = &s.created
	s.metric.Gauge, s.metric.Counter = nil, &s.counter
}

func setTime(t *timestamppb.Timestamp, millis int64) {
	t.Seconds, t.Nanos = millis/1000, int32(millis%1000*int64(time.Millisecond))
}

// join appends the lists of labels to dst, sorted by name.
func join(dst []*dto.LabelPair, lists [][]*dto.LabelPair) []*dto.LabelPair {
	for _, list := range lists {
		dst = append(dst, list...)
	}
	if len(dst) > 1 {
		slices.SortFunc(dst, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	}
	return dst
}

// labelPairs returns labels as the encoders read them. A value that is not UTF-8, which
// the formats do not allow, is made so.
func labelPairs(names, values []string) (pairs []*dto.LabelPair) {
	for i, name := range names {
		pairs = append(pairs, &dto.LabelPair{Name: new(name), Value: new(strings.ToValidUTF8(values[i], "?"))})
	}
	return pairs
}
