package gateway

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"radsec-gw/audit"
	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/logs"
)

// get reads one page of the gateway's HTTP side.
func (o *outside) get(path string) (int, string) {
	o.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: gatewaytest.Patience}
	r, err := client.Get("http://" + o.gw.MetricsAddr().String() + path)
	if err != nil {
		o.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// What a running gateway serves to Prometheus after some work passes its linter, has every family, and
// shows no label that a peer has made up.
func TestAScrapeOfARunningGateway(t *testing.T) {
	o := startOutside(t, answering(t))
	c := o.connect("plain")
	c.good()
	c.write(rawRequest(1, 9, emptyMAC, nameOf("eve@a-realm-that-nobody-configured")))
	if c.read() == nil {
		t.Fatal("a request without route got no answer")
	}
	_, text := o.get("/metrics")
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "radsec_gw_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	for _, family := range []string{
		"requests_total", "replies_total", "request_seconds", "route_requests_total",
		"server_up", "server_state", "server_outstanding_requests", "server_open_sockets", "server_requests_sent_total",
		"server_requests_resent_total", "server_requests_moved_total", "server_timeouts_total", "server_replies_total",
		"server_probes_total", "server_reply_seconds", "server_socket_errors_total",
		"tls_client_connections", "tls_client_connections_total", "tls_client_connections_closed_total", "tls_handshakes_total",
		"tls_handshakes_in_progress", "tls_sessions_total", "tls_waiting_bytes", "tls_client_certificate_expiry_timestamp_seconds",
		"certificate_expiry_timestamp_seconds", "queue_length", "queue_limit", "queue_shed_total", "log_lines_total", "log_lines_lost_total", "log_write_errors_total",
		"reloads_total", "last_reload_timestamp_seconds", "build_info", "host_udp_no_ports_total",
	} {
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
			t.Errorf("a label holds %q, which a peer has made up", peers)
		}
	}
	for _, line := range []string{
		`radsec_gw_tls_sessions_total{resumed="no",version="1.3"} 1`,
		`radsec_gw_replies_total{client="plain",code="Access-Accept"} 1`,
		`radsec_gw_replies_total{client="plain",code="Access-Reject"} 1`,
		`radsec_gw_request_seconds_count{kind="access"} 2`,
		`radsec_gw_route_requests_total{fate="relayed",route="example.org"} 1`,
		`radsec_gw_route_requests_total{fate="no_route",route="other"} 1`,
		`radsec_gw_server_state{port="auth",server="udp",state="up"} 1`,
		`radsec_gw_tls_client_certificate_expiry_timestamp_seconds{client="plain"}`,
		`radsec_gw_certificate_expiry_timestamp_seconds{certificate="server",file="server.pem"}`,
		`radsec_gw_certificate_expiry_timestamp_seconds{certificate="client_ca",file="ca.pem"}`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("the scrape lacks %s", line)
		}
	}
}

// The status page and readiness of a running gateway, before and while it drains.
func TestTheStatusPageOfARunningGateway(t *testing.T) {
	o := startOutside(t, answering(t))
	c := o.connect("plain")
	c.good()
	if status, body := o.get("/readyz"); status != 200 || !strings.Contains(body, `"ready":true`) {
		t.Errorf("/readyz: %d %s", status, body)
	}
	_, page := o.get("/")
	for _, want := range []string{"<bdi>plain</bdi>", "<bdi>example.org</bdi>", "CN=plain", ">udp <", "127.0.0.1:"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, gatewaytest.Secret) {
		t.Error("the page holds the server's secret")
	}
	// A connection is refused, and the page says why.
	refused, err := net.DialTimeout("tcp", o.gw.Addr().String(), gatewaytest.Patience)
	if err != nil {
		t.Fatal(err)
	}
	refused.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
	io.Copy(io.Discard, refused)
	refused.Close()
	o.await("told", func(map[string]float64) string { // the line is written after the connection is closed
		if _, page := o.get("/"); strings.Contains(page, "RadSec connection refused") && strings.Contains(page, "not_tls") {
			return "told"
		}
		return "not told of the refused connection"
	})
	o.gw.draining.Store(true)
	if status, body := o.get("/readyz"); status != 503 || !strings.Contains(body, "draining") {
		t.Errorf("/readyz while draining: %d %s", status, body)
	}
	o.gw.draining.Store(false)
}

// tapOf connects a tap to a gateway's socket, and copies what it shows. The channel gets
// the error of that when the gateway has ended the tap.
func tapOf(t *testing.T, socket string, filter audit.Filter) (shown *gatewaytest.Log, ended <-chan error) {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := json.NewEncoder(c).Encode(filter); err != nil {
		t.Fatal(err)
	}
	shown = new(gatewaytest.Log)
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(shown, c)
		done <- err
	}()
	return shown, done
}

// The HTTP side with TLS and a token, and the tap's socket, from the file to the answer.
func TestTheHTTPSideWithTLSAndAToken(t *testing.T) {
	const token = "token-of-this-test"
	dir, file := gatewaytest.Dir(t, strings.NewReplacer("[metrics]\n", `[metrics]
token = "`+token+`"
certificate = "certs/dev/server.pem"
private_key = "certs/dev/server.key"
`, `socket = ""`, `socket = "tap.sock"`).Replace(gatewaytest.Config(1812)))
	p := planOf(t, file)
	var out gatewaytest.Log
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
	shown.Await(t, `showing realm="example.org"`)
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

// The first certificate to end in each file is shown, and a file that a reload leaves out
// no more.
func TestExpiryMetricOfEachFile(t *testing.T) {
	ca := need(certs.NewCA("CA"))
	soon, over := need(certs.NewCA("soon", certs.Valid(time.Hour))), need(certs.NewCA("over", certs.Valid(-time.Hour)))
	conditions := "ca = [\"own.pem\", \"own/more.pem\"]"
	text := strings.NewReplacer("# more of listen", `intermediates = ["between.pem"]`, "# conditions", conditions).Replace(identityConfig)
	dir, file := gatewaytest.Dir(t, text)
	if err := os.Mkdir(filepath.Join(dir, "own"), 0o700); err != nil {
		t.Fatal(err)
	}
	put := func(name string, list ...*certs.CA) {
		var octets []byte
		for _, c := range list {
			octets = append(octets, c.CertPEM()...)
		}
		gatewaytest.WriteFile(t, filepath.Join(dir, name), octets)
	}
	put("client_ca.pem", ca, soon)
	put("own.pem", ca)
	put("own/more.pem", over, ca)
	put("between.pem", ca, soon)
	o := &outside{t: t, gw: runPlan(t, planOf(t, file))}
	const series = "radsec_gw_certificate_expiry_timestamp_seconds{certificate="
	shown := o.scrape()
	for what, first := range map[string]*certs.CA{`"client_ca",file="client_ca.pem"`: soon, `"ca",file="own.pem"`: ca,
		`"ca",file="own/more.pem"`: over, `"intermediates",file="between.pem"`: soon} {
		if got, want := shown[series+what+"}"], float64(first.Certificate.NotAfter.Unix()); got != want {
			t.Errorf("%s ends at %v, expected %v", what, got, want)
		}
	}
	gatewaytest.WriteFile(t, file, []byte(strings.Replace(text, conditions, "", 1)))
	if err := o.gw.Reload(); err != nil {
		t.Fatal(err)
	}
	for name := range o.scrape() {
		if strings.HasPrefix(name, series+`"ca"`) {
			t.Errorf("%s is shown after a reload without it", name)
		}
	}
}

// The start line says where metrics are served, and that they are not when the
// configuration has no address for them.
func TestTheStartLineSaysWhetherMetricsAreServed(t *testing.T) {
	for address, want := range map[string]string{"": `metrics="not served"`, "127.0.0.1:0": "metrics=127.0.0.1:"} {
		_, file := gatewaytest.Dir(t, gatewaytest.ConfigAt("127.0.0.1:0", 1812, address))
		p := planOf(t, file)
		var out gatewaytest.Log
		ctx, cancel := context.WithCancel(t.Context())
		lines := logs.New(&out, p.LogConfig())
		gw, err := Start(ctx, p, Options{Log: slog.New(lines)})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if err := gw.Wait(); err != nil {
			t.Error(err)
		}
		lines.Close()
		if !strings.Contains(out.String(), "msg=serving") || !strings.Contains(out.String(), want) {
			t.Errorf("with the address %q the start line should say %s, but the log is\n%s", address, want, out.String())
		}
	}
}
