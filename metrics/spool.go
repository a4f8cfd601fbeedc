package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// SpoolRefusal is why the spool has not stored a record. The list is closed.
type SpoolRefusal uint8

// Why records are not stored, so that nobody acknowledges them.
const (
	SpoolFull SpoolRefusal = iota
	SpoolBusy
	SpoolDisk
	SpoolUnreadable
	SpoolClosed

	NumSpoolRefusals // how many there are
)

var spoolRefusalNames = [NumSpoolRefusals]string{
	SpoolFull:       "full",
	SpoolBusy:       "busy",
	SpoolDisk:       "disk",
	SpoolUnreadable: "unreadable",
	SpoolClosed:     "closed",
}

// String returns the label.
func (r SpoolRefusal) String() string { return nameOf(spoolRefusalNames[:], uint8(r)) }

// SpoolReplay is what became of a record of the spool that was to be sent to a server. The
// list is closed.
type SpoolReplay uint8

// What becomes of replayed records.
const (
	SpoolAnswered SpoolReplay = iota
	SpoolSilent
	SpoolNotSent

	NumSpoolReplays // how many there are
)

var spoolReplayNames = [NumSpoolReplays]string{
	SpoolAnswered: "answered",
	SpoolSilent:   "silent",
	SpoolNotSent:  "not_sent",
}

// String returns the label.
func (r SpoolReplay) String() string { return nameOf(spoolReplayNames[:], uint8(r)) }

// SpoolDrop is why a stored record was removed that no server has. The list is closed.
type SpoolDrop uint8

// Why stored records are dropped.
const (
	SpoolTooOld SpoolDrop = iota
	SpoolByOperator
	SpoolDamaged

	NumSpoolDrops // how many there are
)

var spoolDropNames = [NumSpoolDrops]string{
	SpoolTooOld:     "age",
	SpoolByOperator: "operator",
	SpoolDamaged:    "damaged",
}

// String returns the label.
func (d SpoolDrop) String() string { return nameOf(spoolDropNames[:], uint8(d)) }

// commitBounds are the ends of the buckets of how long a commit takes: a millisecond or less
// with an SSD, some tens with a disk, seconds with one that is overloaded.
var commitBounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
	250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// Spool is the handle for the store that keeps accounting records until a server has them.
// Its methods may be called from any goroutine, also while there are no series: what they
// count is shown once there are.
type Spool struct {
	// static after construction
	series spoolSeries

	up, leads                                  prometheus.Gauge
	stored, duplicates, answeredLate, repeated prometheus.Counter
	replaced, setAside, failures               prometheus.Counter
	refused                                    [NumSpoolRefusals]prometheus.Counter
	sent                                       [NumSpoolReplays]prometheus.Counter
	dropped                                    [NumSpoolDrops]prometheus.Counter
	commitTime                                 prometheus.Histogram
}

func newSpool(reg prometheus.Registerer) *Spool {
	s := &Spool{
		up: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "spool_up",
			Help: "Whether the spool could store when it last tried, or could be opened."}),
		leads: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "spool_leads",
			Help: "Whether this gateway sends the records of the spool that several gateways share. There is no such series without [spool].store = \"jetstream\"."}),
		commitTime: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: "spool_commit_seconds",
			Help: "Time that one commit of the spool took, with its sync to the disk or the acknowledgement of the NATS servers: it stores the records of many clients.", Buckets: seconds(commitBounds[:])}),
	}
	all := []prometheus.Collector{s.up, s.commitTime}
	for _, c := range []struct {
		name, help string
		counter    *prometheus.Counter
	}{
		{"spool_stored_total", "Accounting records that were stored in the spool, and acknowledged.", &s.stored},
		{"spool_duplicates_total", "Accounting-Requests that were acknowledged again because the spool already had the record.", &s.duplicates},
		{"spool_answered_late_total", "Records that were removed from the spool because a server then answered the client's own request.", &s.answeredLate},
		{"spool_repeated_total", "Records that a server answered when they were sent again: they had been sent to a server before, so that it may have them twice.", &s.repeated},
		{"spool_replaced_total", "Interim-Updates that were removed from the spool because a newer record of their session replaces them.", &s.replaced},
		{"spool_set_aside_total", "Records that no server answered, although it answered others, and that were moved from the spool to a file.", &s.setAside},
		{"spool_failures_total", "Commits of the spool that failed.", &s.failures},
	} {
		*c.counter = prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: c.name, Help: c.help})
		all = append(all, *c.counter)
	}
	refused := counter("spool_refused_total", "Times that an accounting record was not stored in the spool, so that it was not acknowledged, by why.", "reason")
	sent := counter("spool_sent_total", "Records of the spool that were sent to a server, or were to be sent, by result.", "result")
	dropped := counter("spool_dropped_total", "Records that were removed from the spool although no server has them, by why.", "reason")
	for i := range s.refused {
		s.refused[i] = refused.WithLabelValues(SpoolRefusal(i).String())
	}
	for i := range s.sent {
		s.sent[i] = sent.WithLabelValues(SpoolReplay(i).String())
	}
	for i := range s.dropped {
		s.dropped[i] = dropped.WithLabelValues(SpoolDrop(i).String())
	}
	all = append(all, refused, sent, dropped)
	s.series.collectors, s.series.ofShared = all, s.leads
	reg.MustRegister(&s.series)
	return s
}

// Spool returns the handle for the spool. It has no series until Use is called.
func (m *Metrics) Spool() *Spool { return m.spool }

// SpoolState is what a spool holds at one moment, and its limits.
type SpoolState struct {
	Records, RecordsLimit int
	Octets, OctetsLimit   int64
	Waiting               int           // records that were handed over and are not stored yet
	Oldest                time.Duration // age of the oldest record; 0: there is none
	Shared                bool          // several gateways share the spool
}

// Use creates the series: there is a spool. It calls state at each scrape, from any
// goroutine. Counters that were shown before Remove continue.
func (s *Spool) Use(state func() SpoolState) { s.series.state.Store(&state) }

// Remove removes the series: there is no spool any longer. A scrape that is under way may
// still call the function that Use was given.
func (s *Spool) Remove() { s.series.state.Store(nil) }

// SetUp sets whether the spool could store, or be opened, when it last tried.
func (s *Spool) SetUp(up bool) { s.up.Set(oneIf(up)) }

// SetLeads sets whether this gateway sends the records that several gateways share.
func (s *Spool) SetLeads(leads bool) { s.leads.Set(oneIf(leads)) }

// Stored counts a record that was stored and acknowledged.
func (s *Spool) Stored() { s.stored.Inc() }

// Duplicate counts a record that was acknowledged again, because it was already stored.
func (s *Spool) Duplicate() { s.duplicates.Inc() }

// Refused counts a record that was not stored.
func (s *Spool) Refused(why SpoolRefusal) { s.refused[why].Inc() }

// AnsweredLate counts a stored record whose live request a server answered after all.
func (s *Spool) AnsweredLate() { s.answeredLate.Inc() }

// Sent counts what became of a record that was to be sent to a server.
func (s *Spool) Sent(r SpoolReplay) { s.sent[r].Inc() }

// Repeated counts a record that a server has answered, but that had been sent to a server
// before.
func (s *Spool) Repeated() { s.repeated.Inc() }

// Replaced counts an Interim-Update that a newer record has replaced.
func (s *Spool) Replaced() { s.replaced.Inc() }

// SetAside counts a record that was moved to the file of those that no server answers.
func (s *Spool) SetAside() { s.setAside.Inc() }

// Dropped counts n records that were removed although no server has them.
func (s *Spool) Dropped(why SpoolDrop, n int) { s.dropped[why].Add(float64(n)) }

// Failed counts a commit that failed.
func (s *Spool) Failed() { s.failures.Inc() }

// ObserveCommit observes how long a commit took.
func (s *Spool) ObserveCommit(took time.Duration) { s.commitTime.Observe(took.Seconds()) }

// spoolSeries collects the series of the spool while there is one.
type spoolSeries struct {
	// static after construction
	collectors []prometheus.Collector
	ofShared   prometheus.Collector // of a spool that several gateways share, too

	state atomic.Pointer[func() SpoolState] // nil: there is no spool
}

// spoolLevels are the gauges of a SpoolState.
var spoolLevels = [...]struct {
	desc  *prometheus.Desc
	value func(*SpoolState) float64
}{
	{spoolDesc("spool_records", "Accounting records in the spool."), func(st *SpoolState) float64 { return float64(st.Records) }},
	{spoolDesc("spool_records_limit", "The most records that the spool keeps: max_records."), func(st *SpoolState) float64 { return float64(st.RecordsLimit) }},
	{spoolDesc("spool_octets", "Octets of the records in the spool."), func(st *SpoolState) float64 { return float64(st.Octets) }},
	{spoolDesc("spool_octets_limit", "The most octets of records that the spool keeps: max_octets."), func(st *SpoolState) float64 { return float64(st.OctetsLimit) }},
	{spoolDesc("spool_oldest_seconds", "Age of the oldest record in the spool; 0: there is none."), func(st *SpoolState) float64 { return st.Oldest.Seconds() }},
	{spoolDesc("spool_waiting", "Records that were handed to the spool and are not stored yet."), func(st *SpoolState) float64 { return float64(st.Waiting) }},
}

func spoolDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, nil, nil)
}

// Describe implements prometheus.Collector.
func (s *spoolSeries) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range s.collectors {
		c.Describe(ch)
	}
	s.ofShared.Describe(ch)
	for i := range spoolLevels {
		ch <- spoolLevels[i].desc
	}
}

// Collect implements prometheus.Collector.
func (s *spoolSeries) Collect(ch chan<- prometheus.Metric) {
	get := s.state.Load()
	if get == nil {
		return
	}
	for _, c := range s.collectors {
		c.Collect(ch)
	}
	state := (*get)()
	if state.Shared {
		s.ofShared.Collect(ch)
	}
	for i := range spoolLevels {
		ch <- prometheus.MustNewConstMetric(spoolLevels[i].desc, prometheus.GaugeValue, spoolLevels[i].value(&state))
	}
}
