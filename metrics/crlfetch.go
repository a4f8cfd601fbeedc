package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// CRLFetches counts how revocation lists are fetched. Its methods may be called from any
// goroutine.
type CRLFetches struct {
	// static after construction
	fetches     *prometheus.CounterVec // url, result
	succeeded   *prometheus.GaugeVec   // url
	failing     *prometheus.GaugeVec   // url
	storeErrors prometheus.Counter
	pointsLost  prometheus.Counter
}

func newCRLFetches(reg prometheus.Registerer) *CRLFetches {
	f := &CRLFetches{
		fetches: counter("crl_fetches_total", "Attempts to fetch the revocation lists of a URL, by result.", "url", "result"),
		succeeded: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "crl_fetch_success_timestamp_seconds",
			Help: "When the revocation lists of a URL were last fetched, or found unchanged; 0: never."}, []string{"url"}),
		failing: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "crl_fetch_failing",
			Help: "Whether the last attempt to fetch the revocation lists of a URL has failed; the last good lists stay in use."}, []string{"url"}),
		storeErrors: prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: "crl_store_errors_total",
			Help: "Fetched revocation lists that could not be written to crl_directory, or read from it; they are in use if they were fetched."}),
		pointsLost: prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: "crl_distribution_points_refused_total",
			Help: "Times that the URL of a certificate's distribution point was not taken, because there are too many."}),
	}
	reg.MustRegister(f.fetches, f.succeeded, f.failing, f.storeErrors, f.pointsLost)
	return f
}

// maxURLLabel bounds the label of a URL, in bytes. Longer URLs with the same beginning
// share their series.
const maxURLLabel = 300

// Add creates the series of a URL. succeeded is when its lists were fetched last; the zero
// time: never.
func (f *CRLFetches) Add(url string, succeeded time.Time) {
	url = clipLabel(url, maxURLLabel)
	for r := range NumFetches {
		f.fetches.WithLabelValues(url, r.String())
	}
	at := 0.0
	if !succeeded.IsZero() {
		at = float64(succeeded.Unix())
	}
	f.succeeded.WithLabelValues(url).Set(at)
	f.failing.WithLabelValues(url).Set(0)
}

// Remove removes the series of a URL.
func (f *CRLFetches) Remove(url string) {
	of := prometheus.Labels{"url": clipLabel(url, maxURLLabel)}
	f.fetches.DeletePartialMatch(of)
	f.succeeded.DeletePartialMatch(of)
	f.failing.DeletePartialMatch(of)
}

// Count counts an attempt.
func (f *CRLFetches) Count(url string, r Fetch, now time.Time) {
	url = clipLabel(url, maxURLLabel)
	f.fetches.WithLabelValues(url, r.String()).Inc()
	f.failing.WithLabelValues(url).Set(oneIf(r.Failed()))
	if !r.Failed() {
		f.succeeded.WithLabelValues(url).Set(float64(now.Unix()))
	}
}

// CountStoreError counts lists that could not be written to a file, or read from it.
func (f *CRLFetches) CountStoreError() { f.storeErrors.Inc() }

// CountPointRefused counts a distribution point that was not taken.
func (f *CRLFetches) CountPointRefused() { f.pointsLost.Inc() }
