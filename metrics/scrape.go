package metrics

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// scrapes encodes the metrics for requests, for one at a time.
type scrapes struct {
	failed atomic.Uint64
	turn   chan struct{} // holds an element while a request is answered

	// owned by the holder of the turn
	arena arena
	zip   *gzip.Writer
	out   bytes.Buffer // compressed
}

func newScrapes(reg prometheus.Registerer) *scrapes {
	s := &scrapes{turn: make(chan struct{}, 1)}
	s.zip, _ = gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // fails for other levels only
	reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: namespace, Name: "scrape_errors_total",
		Help: "Scrapes that lack something, because it could not be read or encoded."}, func() float64 { return float64(s.failed.Load()) }))
	return s
}

// Handler serves the metrics for /metrics: in the text format of Prometheus, as OpenMetrics
// or as protobuf, which has native histograms and created timestamps, as the caller asks
// for it; compressed with gzip if it accepts that. They are encoded for one request at a
// time, and kept compressed until they have been written. How long that may take is up to
// package web, which keeps what its callers read.
func (m *Metrics) Handler() http.Handler {
	s := m.scrapes
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		format := expfmt.NegotiateIncludingOpenMetrics(r.Header)
		select {
		case s.turn <- struct{}{}:
		case <-r.Context().Done():
			return
		}
		zipped, err := m.encodeZipped(format)
		<-s.turn
		if err != nil {
			http.Error(w, "the metrics cannot be read: "+err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", string(format))
		if AcceptsGzip(r.Header) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(zipped) // what fails here is the caller's connection
			return
		}
		size := binary.LittleEndian.Uint32(zipped[len(zipped)-4:]) // RFC 1952 §2.3.1
		w.Header().Set("Content-Length", strconv.FormatUint(uint64(size), 10))
		if plain, err := gzip.NewReader(bytes.NewReader(zipped)); err == nil {
			_, _ = io.Copy(w, plain) // likewise
		}
	})
}

// encodeZipped encodes and compresses all metrics. Called with the turn held.
func (m *Metrics) encodeZipped(format expfmt.Format) ([]byte, error) {
	s := m.scrapes
	shared, err := m.shared.Gather()
	if err != nil {
		s.failed.Add(1) // what could be read is better than nothing
	}
	if len(shared) == 0 {
		return nil, err
	}
	s.out.Reset()
	s.zip.Reset(&s.out)
	if err := m.encode(s.zip, format, shared); err != nil {
		return nil, err
	}
	if err := s.zip.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(s.out.Bytes()), nil
}

// encode writes the metrics that have neither a client, nor a server, nor a route as a
// label, and all others. Called with the turn held.
func (m *Metrics) encode(out io.Writer, format expfmt.Format, shared []*dto.MetricFamily) error {
	// All names are valid without escaping, for which the encoder would copy each family.
	to := expfmt.NewEncoder(out, format.WithEscapingScheme(model.NoEscaping))
	for _, f := range shared {
		if err := to.Encode(f); err != nil {
			return err
		}
	}
	if err := m.exposeOwned(&m.scrapes.arena, format.FormatType() == expfmt.TypeProtoDelim, to.Encode); err != nil {
		return err
	}
	if closer, ok := to.(expfmt.Closer); ok { // the end of OpenMetrics
		return closer.Close()
	}
	return nil
}

// AcceptsGzip reports whether a caller with these header fields accepts gzip as an encoding
// (RFC 9110 §12.5.3).
func AcceptsGzip(h http.Header) bool {
	for one := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, weight, _ := strings.Cut(one, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			weight = strings.TrimSpace(weight)
			q, err := strconv.ParseFloat(strings.TrimPrefix(weight, "q="), 64)
			return weight == "" || err == nil && q > 0
		}
	}
	return false
}
