package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/logs"
)

// Logs registers the metrics of o. name says where its lines go: "stderr" or "syslog". It
// must be called once for each.
func (m *Metrics) Logs(name string, o *logs.Output) {
	m.shared.MustRegister(newLogLines(name, o))
	queue := "log_" + name
	m.shared.MustRegister(queueLevels(queue, "bytes", func() float64 { return float64(o.Waiting()) }, func() float64 { return float64(o.Limit()) })...)
	m.shared.MustRegister(prometheus.NewCounterFunc(queueShed(queue), func() (n float64) {
		for k := range logs.Kind(logs.NumKinds) {
			n += float64(o.Lost(k, logs.QueueFull))
		}
		return n
	}))
}

// logLines reads an Output's counts at each scrape.
type logLines struct {
	// static after construction
	output              *logs.Output
	lines, lost, failed *prometheus.Desc
}

func newLogLines(name string, o *logs.Output) *logLines {
	desc := func(metric, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", metric), help, labels, prometheus.Labels{"output": name})
	}
	return &logLines{output: o,
		lines:  desc("log_lines_total", "Log lines written, by what they are about.", "kind"),
		lost:   desc("log_lines_lost_total", "Log lines lost, by what they were about and why: the queue was full, or the reader of the log is gone.", "kind", "reason"),
		failed: desc("log_write_errors_total", "Writes of log lines that failed. What was not written is tried again, unless it counts as lost.")}
}

// Describe implements prometheus.Collector.
func (l *logLines) Describe(ch chan<- *prometheus.Desc) {
	ch <- l.lines
	ch <- l.lost
	ch <- l.failed
}

// Collect implements prometheus.Collector.
func (l *logLines) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	for k := range logs.Kind(logs.NumKinds) {
		count(l.lines, l.output.Written(k), k.String())
		for r := range logs.Reason(logs.NumReasons) {
			count(l.lost, l.output.Lost(k, r), k.String(), r.String())
		}
	}
	count(l.failed, l.output.WriteErrors())
}
