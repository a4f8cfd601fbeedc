package metrics

import (
	"crypto/tls"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"layeh.com/radius"

	"radsec-gw/wire"
)

// filled returns metrics with one client and one server, and their registry.
func filled(t testing.TB) (*Metrics, *Client, *Server, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	m := New(reg)
	m.BuildInfo("1.2.3", "abc", "go1.26")
	return m, m.Client("campus"), m.Server("freeradius-a", "auth"), reg
}

// scrape returns the text that Prometheus would get.
func scrape(t testing.TB, m *Metrics, g prometheus.Gatherer) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler(g).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != 200 {
		t.Fatalf("scrape answered %d: %s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}

func TestNamesPassLint(t *testing.T) {
	_, _, _, reg := filled(t)
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

func TestEverySeriesIsThereAtZero(t *testing.T) {
	m, _, _, reg := filled(t)
	text := scrape(t, m, reg)
	var want []string
	for k := range wire.NumKinds {
		for f := range NumFates {
			want = append(want, fmt.Sprintf(`radsec_gw_requests_total{client="campus",fate="%v",kind="%v"} 0`, f, k))
		}
	}
	for r := range NumResults {
		want = append(want, fmt.Sprintf(`radsec_gw_server_replies_total{port="auth",result="%v",server="freeradius-a"} 0`, r))
	}
	for h := range NumHandshakes {
		want = append(want, fmt.Sprintf(`radsec_gw_tls_handshakes_total{result="%v"} 0`, h))
	}
	for r := range NumReasons {
		want = append(want, fmt.Sprintf(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="%v"} 0`, r))
	}
	for o := range wire.NumOmissions {
		want = append(want, fmt.Sprintf(`radsec_gw_omitted_attributes_total{client="campus",reason="%v"} 0`, o))
	}
	for _, name := range []string{"server_requests_sent_total", "server_requests_resent_total", "server_requests_moved_total",
		"server_timeouts_total", "server_socket_errors_total", "server_socket_renewals_total", "server_outstanding_requests",
		"server_open_sockets", "server_up", "server_reply_seconds_count", "replies_after_move_total"} {
		want = append(want, `radsec_gw_`+name+`{port="auth",server="freeradius-a"} 0`)
	}
	for _, state := range []string{"up 0", "suspect 0", "failing 0", "down 1"} { // until the health checks have said otherwise
		name, n, _ := strings.Cut(state, " ")
		want = append(want, `radsec_gw_server_state{port="auth",server="freeradius-a",state="`+name+`"} `+n)
	}
	want = append(want,
		`radsec_gw_tls_client_connections_total{client="campus"} 0`,
		`radsec_gw_tls_client_connections{client="campus"} 0`,
		`radsec_gw_tls_handshakes_in_progress 0`,
		`radsec_gw_tls_handshakes_waiting 0`,
		`radsec_gw_tls_handshake_slots_full_total 0`,
		`radsec_gw_tls_silent_connections 0`,
		`radsec_gw_tls_waiting_bytes 0`,
		`radsec_gw_build_info{commit="abc",go_version="go1.26",version="1.2.3"} 1`)
	for _, line := range want {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("the scrape lacks %s", line)
		}
	}
}

func TestEveryListHasDistinctNames(t *testing.T) {
	var omissions []string
	for o := range wire.NumOmissions {
		omissions = append(omissions, o.String())
	}
	for list, names := range map[string][]string{
		"omissions": omissions,
		"fates":     fateNames[:], "results": resultNames[:],
		"handshakes": handshakeNames[:], "reasons": reasonNames[:], "states": stateNames[:],
	} {
		seen := map[string]bool{}
		for i, name := range names {
			if name == "" || seen[name] {
				t.Errorf("%s: entry %d has the empty or repeated name %q", list, i, name)
			}
			seen[name] = true
		}
	}
	if got := NumFates.String(); got != fmt.Sprint(int(NumFates)) {
		t.Errorf("a value outside the list prints as %q, want its number", got)
	}
}

func TestCountsArrive(t *testing.T) {
	m, c, s, reg := filled(t)
	c.Count(wire.KindAccess, FateRelayed)
	c.Count(wire.KindAccess, FateRelayed)
	c.Count(wire.KindCoA, FateNoRoute)
	c.Connected()
	c.Connected()
	c.Disconnected(ClosedIdle)
	s.CountReply(ReplyUnmatched)
	s.Sent(3)
	s.Resent(2)
	s.Timeout(1)
	s.SocketError(4)
	s.AddOutstanding(5)
	s.AddOutstanding(-2)
	s.AddSockets(2)
	s.AnsweredAfterMove()
	s.Renewed()
	s.Renewed()
	s.SetUp(true)
	s.ObserveReply(300 * time.Microsecond)
	m.TLS().CountHandshake(HandshakeNotTLS)
	m.TLS().CountSession(tls.VersionTLS13, true)
	m.ObserveRequest(wire.KindAccess, 2*time.Millisecond)
	c.CountReply(radius.CodeAccessReject)
	c.CountReply(radius.CodeAccessRequest)
	m.Route("example.org").Count(FateServerSilent)
	m.SetCertificates([]CertificateFile{{"server", "server.pem", time.Unix(1_800_000_000, 0)}})
	m.SetRefused(true)
	q := m.Queue("log", "bytes", 4096)
	q.Add(10)
	q.Add(-3)
	q.Shed(2)
	m.TLS().AddHandshaking(1)
	m.TLS().AddQueued(2)
	m.TLS().AddSilent(3)
	m.TLS().CountSlotsFull()
	m.TLS().AddWaiting(77)
	text := scrape(t, m, reg)
	for _, line := range []string{
		`radsec_gw_requests_total{client="campus",fate="relayed",kind="access"} 2`,
		`radsec_gw_requests_total{client="campus",fate="no_route",kind="coa"} 1`,
		`radsec_gw_tls_client_connections_total{client="campus"} 2`,
		`radsec_gw_tls_client_connections{client="campus"} 1`,
		`radsec_gw_certificate_refused 1`,
		`radsec_gw_tls_client_connections_closed_total{client="campus",reason="idle_timeout"} 1`,
		`radsec_gw_server_replies_total{port="auth",result="unmatched",server="freeradius-a"} 1`,
		`radsec_gw_server_requests_sent_total{port="auth",server="freeradius-a"} 3`,
		`radsec_gw_server_requests_resent_total{port="auth",server="freeradius-a"} 2`,
		`radsec_gw_server_timeouts_total{port="auth",server="freeradius-a"} 1`,
		`radsec_gw_server_socket_errors_total{port="auth",server="freeradius-a"} 4`,
		`radsec_gw_replies_after_move_total{port="auth",server="freeradius-a"} 1`,
		`radsec_gw_server_socket_renewals_total{port="auth",server="freeradius-a"} 2`,
		`radsec_gw_server_outstanding_requests{port="auth",server="freeradius-a"} 3`,
		`radsec_gw_server_open_sockets{port="auth",server="freeradius-a"} 2`,
		`radsec_gw_server_up{port="auth",server="freeradius-a"} 1`,
		`radsec_gw_server_reply_seconds_bucket{port="auth",server="freeradius-a",le="0.000244140625"} 0`,
		`radsec_gw_server_reply_seconds_bucket{port="auth",server="freeradius-a",le="0.00048828125"} 1`,
		`radsec_gw_server_reply_seconds_sum{port="auth",server="freeradius-a"} 0.0003`,
		`radsec_gw_server_state{port="auth",server="freeradius-a",state="up"} 1`,
		`radsec_gw_server_state{port="auth",server="freeradius-a",state="suspect"} 0`,
		`radsec_gw_server_state{port="auth",server="freeradius-a",state="failing"} 0`,
		`radsec_gw_server_state{port="auth",server="freeradius-a",state="down"} 0`,
		`radsec_gw_tls_sessions_total{resumed="yes",version="1.3"} 1`,
		`radsec_gw_tls_sessions_total{resumed="no",version="1.2"} 0`,
		`radsec_gw_request_seconds_bucket{kind="access",le="0.001953125"} 0`,
		`radsec_gw_request_seconds_bucket{kind="access",le="0.00390625"} 1`,
		`radsec_gw_request_seconds_count{kind="coa"} 0`,
		`radsec_gw_replies_total{client="campus",code="Access-Reject"} 1`,
		`radsec_gw_replies_total{client="campus",code="Protocol-Error"} 0`,
		`radsec_gw_replies_total{client="campus",code="other"} 1`,
		`radsec_gw_route_requests_total{fate="server_silent",route="example.org"} 1`,
		`radsec_gw_route_requests_total{fate="no_route",route="other"} 0`,
		`radsec_gw_certificate_expiry_timestamp_seconds{certificate="server",file="server.pem"} 1.8e+09`,
		`radsec_gw_queue_length{queue="log",unit="bytes"} 7`,
		`radsec_gw_queue_limit{queue="log",unit="bytes"} 4096`,
		`radsec_gw_queue_shed_total{queue="log"} 2`,
		`radsec_gw_tls_handshakes_total{result="not_tls"} 1`,
		`radsec_gw_tls_handshakes_in_progress 1`,
		`radsec_gw_tls_handshakes_waiting 2`,
		`radsec_gw_tls_handshake_slots_full_total 1`,
		`radsec_gw_tls_silent_connections 3`,
		`radsec_gw_tls_waiting_bytes 77`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("the scrape lacks %s", line)
		}
	}
	for _, state := range []State{StateSuspect, StateFailing} {
		s.SetState(state)
		if text := scrape(t, m, reg); !strings.Contains(text, fmt.Sprintf("state=%q} 1\n", state)) || strings.Count(text, "radsec_gw_server_state{") != int(NumStates) ||
			!strings.Contains(text, `radsec_gw_server_up{port="auth",server="freeradius-a"} 0`) {
			t.Errorf("a server that is %v does not show as %v and not up", state, state)
		}
	}
	s.SetUp(false)
	if text := scrape(t, m, reg); !strings.Contains(text, `radsec_gw_server_up{port="auth",server="freeradius-a"} 0`) {
		t.Error("a server that is down still shows as up")
	}
}

func TestTheSameNameGivesTheSameHandle(t *testing.T) {
	m, c, s, _ := filled(t)
	if m.Client("campus") != c || m.Server("freeradius-a", "auth") != s {
		t.Error("asking again made another handle; counts would not go on over a reload")
	}
	if m.Server("freeradius-a", "acct") == s {
		t.Error("two ports share a handle")
	}
}

func TestNoPortsIsReadAtScrape(t *testing.T) {
	dir := t.TempDir()
	n := newNoPorts(dir)
	if got := testutil.CollectAndCount(n); got != 0 {
		t.Errorf("without /proc there are %d series, want none", got)
	}
	for name, text := range map[string]string{
		"snmp":  "Ip: Forwarding\nIp: 1\nUdp: InDatagrams NoPorts InErrors\nUdp: 9 42 1\nUdpLite: InDatagrams NoPorts\nUdpLite: 0 7\n",
		"snmp6": "Ip6InReceives 3\nUdp6NoPorts                     \t5\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := testutil.CollectAndCompare(n, strings.NewReader(`
# HELP radsec_gw_host_udp_no_ports_total UDP datagrams that the host's kernel dropped because no socket was open for them; a reply from a wrong port counts here.
# TYPE radsec_gw_host_udp_no_ports_total counter
radsec_gw_host_udp_no_ports_total{family="ipv4"} 42
radsec_gw_host_udp_no_ports_total{family="ipv6"} 5
`))
	if err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "Udp:", "Udp: NoPorts\n", "Udp: NoPorts\nUdp: x\n", "Udp: A\nUdp: 1\n", "Udp: A NoPorts\nUdp: 1\n"} {
		if v, ok := noPortsIPv4([]byte(bad)); ok {
			t.Errorf("%q is read as %d, want nothing", bad, v)
		}
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	m, c, s, _ := filled(t)
	n := testing.AllocsPerRun(100, func() {
		c.Count(wire.KindAccess, FateRelayed)
		s.CountReply(ReplyAccepted)
		s.Sent(1)
		s.AddOutstanding(1)
		s.AnsweredAfterMove()
		s.Renewed()
		s.SetState(StateFailing)
		s.ObserveReply(time.Millisecond)
		m.ObserveRequest(wire.KindAccess, time.Millisecond)
		c.CountReply(radius.CodeAccessAccept)
	})
	if n != 0 {
		t.Errorf("counting allocates %v times, want 0", n)
	}
}

// Of more files than are shown those are shown whose certificates end first.
func TestCertificateFilesAreBounded(t *testing.T) {
	reg := prometheus.NewRegistry()
	m := New(reg)
	var list []CertificateFile
	for i := range maxCertificateFiles + 50 {
		list = append(list, CertificateFile{"ca", fmt.Sprintf("%d.pem", i), time.Unix(int64(1_000_000-i), 0)})
	}
	list = append(list, CertificateFile{"server", "\xff.pem", time.Unix(1, 0)})
	m.SetCertificates(list)
	text := scrape(t, m, reg)
	if n := strings.Count(text, "certificate_expiry_timestamp_seconds{"); n != maxCertificateFiles {
		t.Errorf("%d files are shown, expected %d", n, maxCertificateFiles)
	}
	for file, want := range map[string]bool{`"ca",file="149.pem"`: true, `"ca",file="51.pem"`: true, `"ca",file="50.pem"`: false, `"server",file="?.pem"`: true} {
		if strings.Contains(text, "certificate_expiry_timestamp_seconds{certificate="+file+"}") != want {
			t.Errorf("%s is shown: expected %v", file, want)
		}
	}
}
