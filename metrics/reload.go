package metrics

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Reloads counts how often the configuration and the files that it names were read again,
// and records when that last succeeded. Its methods are called by one goroutine at a time.
type Reloads struct {
	// static after construction
	taken, kept, refusals prometheus.Counter
	successful, last      prometheus.Gauge
	places                *prometheus.GaugeVec // file, key
	broken                bool                 // the configuration was refused when it was last read
}

func newReloads(reg prometheus.Registerer) *Reloads {
	total := counter("reloads_total", "Reloads of the configuration or of the files that it names, by whether they were taken, also kept: all but a certificate that is worse than the one in use.", "result")
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
	}
	r := &Reloads{taken: total.WithLabelValues("taken"), kept: total.WithLabelValues("kept"), refusals: total.WithLabelValues("refused"),
		successful: gauge("config_last_reload_successful", "Whether what was last read of the configuration, and of the files that it names, is in use: 0 after a reload that was refused, until one is taken."),
		last:       gauge("config_last_reload_success_timestamp_seconds", "When what is in use was read, in Unix time."),
		places: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "config_refused",
			Help: "1 for each place of the configuration whose mistake made the last reload be refused, 20 at most; key is \"\" for a mistake of syntax."}, []string{"file", "key"})}
	r.successful.Set(1)
	reg.MustRegister(total, r.successful, r.last, r.places)
	return r
}

// Place is where a mistake is.
type Place struct {
	File string
	Key  string // such as "listen.certificate"; "" for the file as a whole
}

// maxPlaces bounds the places that have a series, and maxPlaceLabel their labels.
const (
	maxPlaces     = 20
	maxPlaceLabel = 200 // bytes
)

// Taken notes that what was read is in use from now on; all says whether that was the
// configuration and everything that it names, or these files only.
func (r *Reloads) Taken(now time.Time, all bool) {
	r.taken.Inc()
	r.succeeded(now, all)
}

// Kept is like Taken, but for a certificate that is worse than the one before, which stays.
func (r *Reloads) Kept(now time.Time, all bool) {
	r.kept.Inc()
	r.succeeded(now, all)
}

// succeeded notes a reload. Files that were read do not mend a configuration that was
// refused.
func (r *Reloads) succeeded(now time.Time, all bool) {
	if all {
		r.broken = false
	}
	r.Loaded(now)
	if !r.broken {
		r.successful.Set(1)
		r.places.Reset()
	}
}

// Loaded notes when the gateway started with what it read.
func (r *Reloads) Loaded(now time.Time) { r.last.Set(float64(now.UnixMilli()) / 1000) }

// Refused notes that what was read has mistakes, and the old stays in use; all is as in
// Taken.
func (r *Reloads) Refused(where []Place, all bool) {
	r.refusals.Inc()
	r.successful.Set(0)
	if all {
		r.broken = true
	}
	r.places.Reset()
	for _, p := range where[:min(len(where), maxPlaces)] {
		r.places.WithLabelValues(clipLabel(p.File, maxPlaceLabel), clipLabel(p.Key, maxPlaceLabel)).Set(1)
	}
}

// clipLabel returns a text as a label value of at most n bytes.
func clipLabel(s string, n int) string {
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n-len("…")], "") + "…"
	}
	return strings.ToValidUTF8(s, "?")
}
