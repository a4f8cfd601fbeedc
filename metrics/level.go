package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// level is a gauge of whole numbers. A prometheus.Gauge holds a float64 and
// adds by compare-and-swap; this one adds in one step and is read at scrape.
type level struct{ n atomic.Int64 }

// add adds n, which may be negative.
func (l *level) add(n int) { l.n.Add(int64(n)) }

// register registers l under name, with labels.
func (l *level) register(reg prometheus.Registerer, name, help string, labels prometheus.Labels) {
	reg.MustRegister(l.gauge(name, help, labels))
}

// gauge returns a collector of l under name, with labels.
func (l *level) gauge(name, help string, labels prometheus.Labels) prometheus.Collector {
	return prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: labels},
		func() float64 { return float64(l.n.Load()) })
}
