package metrics

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"layeh.com/radius"

	"radsec-gw/wire"
)

// filled returns metrics with one client and one server.
func filled(t testing.TB) (*Metrics, *Client, *Server) {
	t.Helper()
	m := New(prometheus.NewRegistry())
	m.BuildInfo("1.2.3", "abc", "go1.26")
	return m, m.Client("campus"), m.Server("freeradius-a", "auth")
}

// scrape returns the text that Prometheus would get.
func scrape(t testing.TB, m *Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != 200 {
		t.Fatalf("scrape answered %d: %s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}

func TestNamesPassLint(t *testing.T) {
	reg := prometheus.NewRegistry()
	m := New(reg)
	touchAll(m)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, namespace) {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// expect checks that the scrape has these lines.
func expect(t testing.TB, m *Metrics, lines ...string) {
	t.Helper()
	text := scrape(t, m)
	for _, line := range lines {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("the scrape lacks %s", line)
		}
	}
}

// What belongs to no client and no server is there from the start.
func TestEverySeriesIsThereAtZero(t *testing.T) {
	m, _, _ := filled(t)
	for h := range NumHandshakes {
		expect(t, m, fmt.Sprintf(`radsec_gw_tls_handshakes_total{result="%v"} 0`, h))
	}
	expect(t, m,
		`radsec_gw_tls_handshakes_in_progress 0`,
		`radsec_gw_tls_handshakes_waiting 0`,
		`radsec_gw_tls_handshake_slots_full_total 0`,
		`radsec_gw_tls_silent_connections 0`,
		`radsec_gw_tls_waiting_bytes 0`,
		`radsec_gw_request_seconds_count{kind="coa"} 0`,
		`radsec_gw_build_info{commit="abc",go_version="go1.26",version="1.2.3"} 1`)
}

func TestRequestTimesArrive(t *testing.T) {
	m, _, _ := filled(t)
	m.ObserveRequest(wire.KindAccess, 2*time.Millisecond)
	m.ObserveRequest(wire.KindAccess, 29*time.Second)
	expect(t, m,
		`radsec_gw_request_seconds_bucket{kind="access",le="0.005"} 1`,
		`radsec_gw_request_seconds_bucket{kind="access",le="30"} 2`,
		`radsec_gw_request_seconds_count{kind="coa"} 0`)
}

func TestTheSameNameGivesTheSameHandle(t *testing.T) {
	m, c, s := filled(t)
	if m.Client("campus") != c || m.Server("freeradius-a", "auth") != s {
		t.Error("asking again made another handle; counts would not go on over a reload")
	}
	if m.Server("freeradius-a", "acct") == s {
		t.Error("two ports share a handle")
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	m, c, s := filled(t)
	r := m.Route(OtherRoute)
	n := testing.AllocsPerRun(100, func() {
		c.Count(wire.KindAccess, FateRelayed)
		s.CountReply(ReplyAccepted)
		s.Count(ServerSent, 1)
		s.AddOutstanding(1)
		s.Count(ServerRepliesAfterMove, 1)
		s.Count(ServerRenewals, 1)
		s.SetState(StateFailing)
		s.ObserveReply(time.Millisecond)
		m.ObserveRequest(wire.KindAccess, time.Millisecond)
		c.CountReply(radius.CodeAccessAccept, 20)
		c.Received(20)
		s.CountAnswer(radius.CodeAccessAccept)
		s.SetProven(true)
		r.CountAnswer(radius.CodeAccessAccept)
	})
	if n != 0 {
		t.Errorf("counting allocates %v times, want 0", n)
	}
}
