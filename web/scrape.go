package web

import (
	"context"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"radsec-gw/metrics"
)

// scrapeTypes are the formats of /metrics that a caller can choose between: a closed list, so
// that callers cannot make more renderings by writing their choice differently.
var scrapeTypes = []string{
	"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
	"application/openmetrics-text;version=1.0.0",
	"text/plain;version=0.0.4",
}

// scrape answers /metrics.
func (s *Server) scrape(w http.ResponseWriter, r *http.Request) {
	encoding := "identity"
	if metrics.AcceptsGzip(r.Header) {
		encoding = "gzip"
	}
	s.scrapes.answer(w, r, scrapeType(r.Header.Values("Accept"))+"\n"+encoding)
}

// renderScrape renders /metrics for a variant that scrape has chosen.
func (s *Server) renderScrape(variant string, w http.ResponseWriter) {
	accept, encoding, _ := strings.Cut(variant, "\n")
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Encoding", encoding)
	s.cfg.Scrape.ServeHTTP(w, r)
}

// scrapeType returns the one of scrapeTypes that a caller likes best (RFC 9110 §12.5.1), the
// earliest of those that it likes the same; the last if it likes none.
func scrapeType(accept []string) string {
	best, most := scrapeTypes[len(scrapeTypes)-1], 0.0
	for item := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, params, err := mime.ParseMediaType(strings.TrimSpace(item))
		if err != nil {
			continue
		}
		for _, offer := range scrapeTypes {
			if offered, _, _ := strings.Cut(offer, ";"); offered == name && quality(params["q"]) > most {
				best, most = offer, quality(params["q"])
			}
		}
	}
	return best
}

// quality returns the value of a parameter "q" (RFC 9110 §12.4.2), 1 without one.
func quality(q string) float64 {
	if q == "" {
		return 1
	}
	v, err := strconv.ParseFloat(q, 64)
	if err != nil || v < 0 || v > 1 {
		return 0
	}
	return v
}
