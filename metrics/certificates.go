package metrics

import (
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// certificates are the gauges of the gateway's own certificates.
type certificates struct {
	// static after construction
	expiry              *prometheus.GaugeVec // certificate, file
	refused, newRefused prometheus.Gauge
	keyLog              prometheus.Gauge
}

func newCertificates(reg prometheus.Registerer) *certificates {
	c := &certificates{
		expiry: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "certificate_expiry_timestamp_seconds",
			Help: "When the first certificate of a configured file, as it is in use, expires, in Unix time; certificate is what the file is for: server, client_ca, ca (a client's own), intermediates or metrics."},
			[]string{"certificate", "file"}),
		refused: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "certificate_refused",
			Help: "Whether every client refuses the gateway's own certificate: it has expired, is not valid yet, or is not for servers."}),
		newRefused: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "new_certificate_refused",
			Help: "Whether the file of the gateway's own certificate has one that is not used because every client would refuse it, and the old one stays."}),
		keyLog: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "tls_key_log",
			Help: "Whether the secrets of TLS connections are written to [listen].key_log_file: whoever reads it can decrypt them."}),
	}
	reg.MustRegister(c.expiry, c.refused, c.newRefused, c.keyLog)
	return c
}

// CertificateFile says when the first certificate of a file expires.
type CertificateFile struct {
	For     string // "server", "client_ca", "ca", "intermediates" or "metrics"
	File    string // of the operator's
	Expires time.Time
}

// maxCertificateFiles bounds the files that have series.
const maxCertificateFiles = 100

// SetCertificates replaces the series of files of certificates. If there are too many
// files, those that expire first have series.
func (m *Metrics) SetCertificates(list []CertificateFile) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b CertificateFile) int { return a.Expires.Compare(b.Expires) })
	m.certificates.expiry.Reset()
	for _, c := range list[:min(len(list), maxCertificateFiles)] {
		m.certificates.expiry.WithLabelValues(c.For, strings.ToValidUTF8(c.File, "?")).Set(float64(c.Expires.Unix()))
	}
}

// SetRefused sets whether every client refuses the gateway's own certificate.
func (m *Metrics) SetRefused(refused bool) { m.certificates.refused.Set(oneIf(refused)) }

// SetNewRefused sets whether a new certificate of the gateway's own is not used
// because every client would refuse it.
func (m *Metrics) SetNewRefused(refused bool) { m.certificates.newRefused.Set(oneIf(refused)) }

// SetKeyLog sets whether the secrets of TLS connections are written to a file.
func (m *Metrics) SetKeyLog(on bool) { m.certificates.keyLog.Set(oneIf(on)) }

// oneIf returns the value of a gauge that shows whether something is true: 1 or 0.
func oneIf(so bool) float64 {
	if so {
		return 1
	}
	return 0
}
