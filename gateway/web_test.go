package gateway

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"radsec-gw/audit"
	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/logs"
)

// scrapedFamilies lists families that a gateway has after a little work.
func scrapedFamilies() []string {
	return []string{
		"requests_total", "replies_total", "request_seconds", "route_requests_total",
		"server_up", "server_state", "server_outstanding_requests", "server_open_sockets", "server_requests_sent_total",
		"server_outstanding_limit", "server_replies_total", "server_answers_total", "server_sent_bytes_total", "server_received_bytes_total",
		"server_reply_seconds", "server_ports", "client_received_bytes_total", "client_sent_bytes_total", "route_answers_total", "route_ready", "routes",
		"tls_client_connections", "tls_client_connections_total", "tls_connections_limit", "tls_handshakes_limit", "tls_handshakes_total",
		"tls_handshakes_in_progress", "tls_sessions_total", "tls_waiting_bytes", "tls_client_certificate_expiry_timestamp_seconds",
		"certificate_expiry_timestamp_seconds", "queue_bytes", "queue_bytes_limit", "queue_shed_total", "log_lines_total", "log_lines_lost_total", "log_write_errors_total",
		"reloads_total", "config_last_reload_successful", "config_last_reload_success_timestamp_seconds", "open_descriptors", "descriptor_limit", "build_info", "host_udp_no_ports_total",
	}
}

// What a running gateway serves to Prometheus after some work passes its linter, has every family, and
// shows no label that a peer has made up.
func TestScrape(t *testing.T) {
	g := startGateway(t, answering(t))
	c := g.connect("plain")
	c.good()
	c.write(rawRequest(1, 9, emptyMAC, nameOf("eve@a-realm-that-nobody-configured")))
	if c.read() == nil {
		t.Fatal("a request without route got no answer")
	}
	_, text := g.get("/metrics")
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "radsec_gw_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	for _, family := range scrapedFamilies() {
		if !strings.Contains(text, "# TYPE radsec_gw_"+family+" ") {
			t.Errorf("there is no radsec_gw_%s", family)
		}
	}
	for _, family := range []string{"go_goroutines", "process_resident_memory_bytes"} {
		if !strings.Contains(text, "# TYPE "+family+" ") {
			t.Errorf("there is no %s", family)
		}
	}
	for _, peers := range []string{"nobody-configured", "good@example.org", "eve@"} {
		if strings.Contains(text, peers) {
			t.Errorf("a label holds %q, which a peer has chosen", peers)
		}
	}
	for _, line := range []string{
		`radsec_gw_tls_sessions_total{resumed="no",version="1.3"} 1`,
		`radsec_gw_replies_total{client="plain",code="Access-Accept"} 1`,
		`radsec_gw_replies_total{client="plain",code="Access-Reject"} 1`,
		`radsec_gw_request_seconds_count{kind="access"} 2`,
		`radsec_gw_route_answers_total{code="Access-Accept",route="example.org"} 1`,
		`radsec_gw_route_ready{route="example.org"} 1`,
		`radsec_gw_server_answers_total{code="Access-Accept",port="auth",server="udp"} 1`,
		`radsec_gw_server_outstanding_limit{port="auth",server="udp"} `,
		`radsec_gw_config_last_reload_successful 1`,
		`radsec_gw_route_requests_total{fate="relayed",route="example.org"} 1`,
		`radsec_gw_route_requests_total{fate="no_route",route="other"} 1`,
		`radsec_gw_server_state{port="auth",server="udp",state="up"} 1`,
		`radsec_gw_tls_client_certificate_expiry_timestamp_seconds{client="plain"}`,
		`radsec_gw_certificate_expiry_timestamp_seconds{certificate="server",file="server.pem"}`,
		`radsec_gw_certificate_expiry_timestamp_seconds{certificate="client_ca",file="ca.pem"}`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("expected %s in /metrics", line)
		}
	}
}

// The status page and readiness of a running gateway, before and while it drains.
func TestStatusPage(t *testing.T) {
	g := startGateway(t, answering(t))
	c := g.connect("plain")
	c.good()
	if status, body := g.get("/readyz"); status != 200 || !strings.Contains(body, `"ready":true`) {
		t.Errorf("/readyz: %d %s", status, body)
	}
	_, page := g.get("/")
	for _, want := range []string{"<bdi>plain</bdi>", "<bdi>example.org</bdi>", "CN=plain", "<bdi>udp</bdi>", "127.0.0.1:"} {
		if !strings.Contains(page, want) {
			t.Errorf("expected %q on the page", want)
		}
	}
	if strings.Contains(page, gatewaytest.Secret) {
		t.Error("the page holds the server's secret")
	}
	// A connection is refused, and the page says why.
	refused, err := net.DialTimeout("tcp", g.gw.Addr().String(), gatewaytest.Patience)
	if err != nil {
		t.Fatal(err)
	}
	refused.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
	io.Copy(io.Discard, refused)
	refused.Close()
	g.await("shown", func(map[string]float64) string { // the line is written after the connection is closed
		if _, page := g.get("/"); strings.Contains(page, "RadSec connection refused") && strings.Contains(page, "not_tls") {
			return "shown"
		}
		return "the refused connection is not shown"
	})
	g.gw.draining.Store(true)
	if status, body := g.get("/readyz"); status != 503 || !strings.Contains(body, "draining") {
		t.Errorf("/readyz while draining: %d %s", status, body)
	}
	g.gw.draining.Store(false)
}

// tapOf connects a tap to a gateway's socket, and copies what it shows. The channel gets
// the error of that when the gateway has ended the tap.
func tapOf(t *testing.T, socket string, filter audit.Filter) (shown *process.Output, ended <-chan error) {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := json.NewEncoder(c).Encode(filter); err != nil {
		t.Fatal(err)
	}
	shown = new(process.Output)
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(shown, c)
		done <- err
	}()
	return shown, done
}

// HTTP with TLS and a token, and the socket for taps, as configured in the file.
func TestHTTPWithTLSAndToken(t *testing.T) {
	const token = "token-of-this-test"
	dir, file := gatewaytest.Dir(t, strings.NewReplacer("[metrics]\n", `[metrics]
token = "`+token+`"
certificate = "certs/dev/server.pem"
private_key = "certs/dev/server.key"
`, `socket = ""`, `socket = "tap.sock"`).Replace(gatewaytest.Config(1812)))
	p := planOf(t, file)
	var out process.Output
	ctx, cancel := context.WithCancel(t.Context())
	lines := logs.New(&out, p.LogConfig())
	defer lines.Close()
	gw, err := Start(ctx, p, Options{Log: slog.New(lines)})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ca, err := certs.LoadCA(filepath.Join(dir, "certs/dev/ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}}, Timeout: gatewaytest.Patience}
	for _, row := range []struct {
		path, token string
		want        int
	}{{"/healthz", "", 200}, {"/metrics", "", 401}, {"/metrics", token, 200}, {"/", token, 200}, {"/debug/pprof/", token, 404}} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+gw.MetricsAddr().String()+row.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if row.token != "" {
			r.Header.Set("Authorization", "Bearer "+row.token)
		}
		a, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != row.want {
			t.Errorf("%s with the token %q: %d, want %d", row.path, row.token, a.StatusCode, row.want)
		}
	}
	shown, tapped := tapOf(t, p.Config.Tap.Socket, audit.Filter{Realm: "example.org"})
	gatewaytest.Await(t, shown, `showing realm="example.org"`)
	cancel()
	if err := gw.Wait(); err != nil {
		t.Error(err)
	}
	if err := <-tapped; err != nil {
		t.Errorf("the tap ended with %v", err)
	}
	lines.Close()
	if strings.Contains(out.String()+shown.String(), token) {
		t.Error("the token was logged")
	}
}
