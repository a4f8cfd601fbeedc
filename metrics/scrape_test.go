package metrics

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"layeh.com/radius"

	"radsec-gw/wire"
)

// large returns metrics of 1,000 clients and 1,000 servers with two ports each, all with
// traffic, and of 10,000 routes.
func large() *Metrics {
	m := New(prometheus.NewRegistry())
	for i := range 1000 {
		c := m.Client(fmt.Sprintf("ap-%04d.campus.example.org", i))
		c.Connected()
		m.Opened(&Connection{Client: c.values[0], NotAfter: time.Unix(1_900_000_000+int64(i), 0)})
		for _, kind := range []wire.Kind{wire.KindAccess, wire.KindAccounting} {
			for range 100 + i {
				c.Count(kind, FateRelayed)
				c.Received(150)
				c.CountReply(radius.CodeAccessAccept, 200)
			}
			c.Count(kind, FateServerSilent)
			c.CountReply(radius.CodeAccessReject, 38)
			c.CountReply(radius.CodeAccountingResponse, 20)
		}
		for _, port := range []Port{PortAuth, PortAcct} {
			s := m.Server(fmt.Sprintf("radius-%04d.example.org", i), port)
			s.SetState(StateUp)
			s.SetCapacity(64 * 256)
			s.AddSockets(1)
			s.Count(ServerSent, 12345+i)
			s.Count(ServerSentOctets, 2345678+i)
			s.Count(ServerReceivedOctets, 3456789+i)
			s.CountReply(ReplyAccepted)
			s.CountAnswer(radius.CodeAccessAccept)
			s.CountAnswer(radius.CodeAccessReject)
			s.CountProbe(true)
			for k := range 200 {
				s.ObserveReply(time.Duration(k*k+i) * 10 * time.Microsecond)
			}
		}
	}
	states := make([]RouteState, 10_000)
	for i := range states {
		states[i] = RouteState{Name: fmt.Sprintf("realm-%d.example.org #%d", i, i+1), Ready: i%2 == 0}
	}
	m.Routes(func() []RouteState { return states })
	return m
}

// A scrape of a large gateway has at most 6 MB, and needs little memory: what it allocates
// becomes garbage that the process holds until it is collected.
//
// Fault O3.
func TestAScrapeOfALargeGatewayIsBounded(t *testing.T) {
	m := large()
	first := len(scrape(t, m))
	if first > 6e6 {
		t.Errorf("the scrape has %d bytes, expected at most 6 MB", first)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	zipped := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	m.Handler().ServeHTTP(zipped, r)
	runtime.ReadMemStats(&after)
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d bytes, %d compressed, %d allocated", first, zipped.Body.Len(), allocated)
	if allocated > 8e6 {
		t.Errorf("a scrape allocates %d bytes, expected at most 8 MB", allocated)
	}
}

// BenchmarkScrape is a scrape of a large gateway, as Prometheus does it.
func BenchmarkScrape(b *testing.B) {
	m := large()
	h := m.Handler()
	for _, accept := range []string{"text/plain;version=0.0.4", "application/openmetrics-text;version=1.0.0", string(expfmt.NewFormat(expfmt.TypeProtoDelim))} {
		b.Run(strings.Split(accept, ";")[0], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("GET", "/metrics", nil)
				r.Header.Set("Accept", accept)
				r.Header.Set("Accept-Encoding", "gzip")
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}

// ask scrapes with these headers, and returns the answer without its compression.
func ask(t *testing.T, m *Metrics, accept, encoding string) (http.Header, string) {
	t.Helper()
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Encoding", encoding)
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, r)
	var body io.Reader = rec.Body
	if rec.Header().Get("Content-Encoding") == "gzip" {
		unzip, err := gzip.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		body = unzip
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Header(), string(text)
}

// The caller chooses the format and whether it is compressed.
func TestFormatsAndCompressionAreNegotiated(t *testing.T) {
	m, c, s := filled(t)
	c.Count(wire.KindAccess, FateRelayed)
	s.ObserveReply(time.Millisecond)
	for _, row := range []struct{ accept, encoding, wantType, wantEncoding, has string }{
		{"", "", "text/plain; version=0.0.4", "", `radsec_gw_requests_total{client="campus",fate="relayed",kind="access"} 1` + "\n"},
		{"text/plain", "gzip", "text/plain; version=0.0.4", "gzip", `radsec_gw_requests_total{client="campus",fate="relayed",kind="access"} 1` + "\n"},
		{"application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "deflate, gzip;q=0.8", "application/openmetrics-text; version=1.0.0", "gzip", "# EOF\n"},
		{"application/openmetrics-text;version=1.0.0", "gzip;q=0, br", "application/openmetrics-text; version=1.0.0", "", "# TYPE radsec_gw_requests counter\n"},
	} {
		h, text := ask(t, m, row.accept, row.encoding)
		if !strings.HasPrefix(h.Get("Content-Type"), row.wantType) || h.Get("Content-Encoding") != row.wantEncoding || !strings.Contains(text, row.has) {
			t.Errorf("Accept %q, Accept-Encoding %q: got %q and %q, and %q in it: %v; expected %q and %q", row.accept, row.encoding,
				h.Get("Content-Type"), h.Get("Content-Encoding"), row.has, strings.Contains(text, row.has), row.wantType, row.wantEncoding)
		}
	}
}

// readProto scrapes in the protobuf format.
func readProto(t *testing.T, m *Metrics) map[string]*dto.MetricFamily {
	t.Helper()
	h, text := ask(t, m, string(expfmt.NewFormat(expfmt.TypeProtoDelim)), "gzip")
	from := expfmt.NewDecoder(strings.NewReader(text), expfmt.ResponseFormat(h))
	families := map[string]*dto.MetricFamily{}
	for {
		f := new(dto.MetricFamily)
		err := from.Decode(f)
		if err == io.EOF {
			return families
		}
		if err != nil {
			t.Fatal(err)
		}
		families[f.GetName()] = f
	}
}

// The created timestamp of a series that appears is when it was last known to be zero, so
// that Prometheus sees its first count.
func TestASeriesAppearsWithItsLastZero(t *testing.T) {
	m, c, s := filled(t)
	readProto(t, m)
	zero := m.exposed
	time.Sleep(2 * time.Millisecond)
	c.Count(wire.KindAccess, FateRelayed)
	s.ObserveReply(time.Millisecond)
	for range 3 {
		families := readProto(t, m)
		got := families["radsec_gw_requests_total"].Metric[0].Counter.CreatedTimestamp.AsTime().UnixMilli()
		if got != zero {
			t.Errorf("the series was created at %d, expected %d, when it was last known to be zero", got, zero)
		}
		h := families["radsec_gw_server_reply_seconds"].Metric[0].Histogram
		if got := h.CreatedTimestamp.AsTime().UnixMilli(); got != zero || h.GetSchema() != schema || len(h.PositiveDelta) == 0 {
			t.Errorf("the histogram was created at %d with the schema %d, expected %d and native buckets", got, h.GetSchema(), zero)
		}
	}
}
