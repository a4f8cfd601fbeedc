package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Reloads counts how often the configuration and the files that it names were read again,
// and records when that last succeeded.
type Reloads struct {
	// static after construction
	taken, kept, refused prometheus.Counter
	last                 prometheus.Gauge
}

// NewReloads registers the reloads' metrics with reg.
func NewReloads(reg prometheus.Registerer) *Reloads {
	total := counter("reloads_total", "Reloads of the configuration or of the files that it names, by whether they were taken, also kept: all but a certificate that is worse than the one in use.", "result")
	r := &Reloads{taken: total.WithLabelValues("taken"), kept: total.WithLabelValues("kept"), refused: total.WithLabelValues("refused"),
		last: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "last_reload_timestamp_seconds",
			Help: "When what is in use was read."})}
	reg.MustRegister(total, r.last)
	return r
}

// Taken notes that what was read is in use from now on.
func (r *Reloads) Taken(now time.Time) {
	r.taken.Inc()
	r.Loaded(now)
}

// Kept notes that what was read is in use from now on, but for a certificate that is
// worse than the one before, which stays.
func (r *Reloads) Kept(now time.Time) {
	r.kept.Inc()
	r.Loaded(now)
}

// Loaded notes when the gateway started with what it read.
func (r *Reloads) Loaded(now time.Time) { r.last.Set(float64(now.UnixMilli()) / 1000) }

// Refused notes that what was read has mistakes, and the old stays in use.
func (r *Reloads) Refused() { r.refused.Inc() }
