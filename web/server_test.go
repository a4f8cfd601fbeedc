package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"radsec-gw/certs"
	"radsec-gw/metrics"
)

func TestHealthIsAlive(t *testing.T) {
	if status, body, _ := newBed(t, nil).ask("GET", "/healthz", ""); status != 200 || body != "ok\n" {
		t.Errorf("/healthz answered %d %q, want 200 ok", status, body)
	}
}

// The gateway is ready if it listens, does not drain, and each server is known to answer or to
// be down; TestReadyWhen has the routes.
func TestReadinessGivesItsReasons(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*bed)
		status int
		want   string // a part of the only reason
	}{
		{"all is well", func(*bed) {}, 200, ""},
		{"the gateway drains", func(b *bed) { b.why = "draining" }, 503, "draining"},
		{"one of two servers is down", func(b *bed) { b.m.Server("radius-a", "auth").SetState(metrics.StateDown) }, 200, ""},
		{"the only server is suspect", func(b *bed) { b.m.Server("radius-b", "coa").SetState(metrics.StateSuspect) }, 200, ""},
		{"the only server is failing", func(b *bed) { b.m.Server("radius-b", "coa").SetState(metrics.StateFailing) }, 200, ""},
		{"the only server for a kind is down, and one of another is not", func(b *bed) { b.m.Server("radius-b", "coa").SetState(metrics.StateDown) }, 200, ""},
		{"a server has not answered yet", func(b *bed) { b.m.Server("radius-b", "coa").SetProven(false) }, 503, "server radius-b has not answered for coa yet, and is not down"},
		{"a server has answered, but with another secret", func(b *bed) {
			s := b.m.Server("radius-b", "coa")
			s.SetProven(false)
			s.CountReply(metrics.ReplyBadResponseAuthenticator)
		}, 503, "server radius-b has not answered for coa yet, and is not down, and no reply of it has verified"},
	} {
		b := newBed(t, nil)
		row.change(b)
		status, body, _ := b.ask("GET", "/readyz", "")
		var answer Readiness
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatalf("%s: %q is not JSON: %v", row.name, body, err)
		}
		if status != row.status || answer.Ready != (row.status == 200) || strings.Join(answer.Reasons, "|") != row.want {
			t.Errorf("%s: %d %s; want %d and the reason %q", row.name, status, body, row.status, row.want)
		}
	}
}

const token = "a-token-of-this-test"

// If there is a token, callers without it get only the status from /healthz and /readyz, and nothing
// else.
func TestATokenGuardsAllButHealth(t *testing.T) {
	b := newBed(t, func(c *Config) { c.Token = []byte(token); c.PProf = true })
	b.why = "draining"
	for _, path := range []string{"/", "/metrics", "/loglevel", "/debug/pprof/", "/nothing"} {
		status, body, header := b.ask("GET", path, "")
		if status != 401 || strings.Contains(body, token) || len(header.Values("WWW-Authenticate")) != 2 {
			t.Errorf("%s without the token: %d %q, want 401 and two ways to give it", path, status, body)
		}
		for name, value := range map[string]string{
			"another token": "Bearer " + token + "x", "a part of it": "Bearer " + token[:5], "no scheme": token, "nothing": "Bearer ",
		} {
			if status, _, _ := b.ask("GET", path, "", "Authorization", value); status != 401 {
				t.Errorf("%s with %s: %d, want 401", path, name, status)
			}
		}
	}
	for _, path := range []string{"/", "/metrics", "/loglevel", "/debug/pprof/"} {
		if status, _, _ := b.ask("GET", path, "", "Authorization", "bearer "+token); status != 200 {
			t.Errorf("%s with the token: %d, want 200", path, status)
		}
	}
	if status, _, _ := b.ask("GET", "/", "", "Authorization", "Basic dXNlcjphLXRva2VuLW9mLXRoaXMtdGVzdA=="); status != 200 {
		t.Errorf("with the token as a password: %d, want 200", status)
	}
	if status, body, _ := b.ask("GET", "/readyz", ""); status != 503 || strings.Contains(body, "draining") {
		t.Errorf("/readyz without the token: %d %q, want 503 and no reasons", status, body)
	}
	if _, body, _ := b.ask("GET", "/readyz", "", "Authorization", "Bearer "+token); !strings.Contains(body, "draining") {
		t.Errorf("/readyz with the token: %q, want the reasons", body)
	}
}

func TestProfilesAreOffUnlessSwitchedOn(t *testing.T) {
	for on, want := range map[bool]int{false: 404, true: 200} {
		b := newBed(t, func(c *Config) { c.PProf = on })
		if status, _, _ := b.ask("GET", "/debug/pprof/", ""); status != want {
			t.Errorf("switched on %v: /debug/pprof/ answered %d, want %d", on, status, want)
		}
	}
}

func TestOnlyWhatIsServedIsAnswered(t *testing.T) {
	b := newBed(t, nil)
	for request, want := range map[string]int{
		"GET /nothing": 404, "POST /": 405, "DELETE /metrics": 405, "POST /healthz": 405, "DELETE /readyz": 405, "HEAD /healthz": 200, "POST /loglevel": 405,
		"GET /metrics": 200, "HEAD /": 200, "GET /../etc/passwd": 307,
	} {
		method, path, _ := strings.Cut(request, " ")
		if status, _, _ := b.ask(method, path, ""); status != want {
			t.Errorf("%s: %d, want %d", request, status, want)
		}
	}
}

// Serve answers over a real connection, has at most as many connections as configured, and ends with
// all its goroutines.
func TestServeEndsWithItsContext(t *testing.T) {
	defer goleak.VerifyNone(t)
	b := newBed(t, nil)
	address, end := b.serve()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	for range 2 * maxConnections { // connections leave the pool
		r, err := client.Get("http://" + address + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	var idle []*caller
	for range maxConnections + 1 {
		c := b.call(address, "127.0.0.1", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		if !c.answered() {
			t.Fatalf("connection %d of %d got no answer", len(idle)+1, maxConnections)
		}
		idle = append(idle, c)
	}
	// Which of them is the oldest to the server depends on when it noticed that each is idle.
	closed := make(chan bool, len(idle))
	for _, c := range idle {
		go func() { closed <- c.closed() }()
	}
	if !<-closed {
		t.Errorf("%d idle connections are still open, expected at most %d", len(idle), maxConnections)
	}
	if err := end(); err != nil {
		t.Errorf("Serve returned %v, want nil", err)
	}
}

// Errors of net/http are logged like others, but not a health check of the port.
func TestErrorsOfNetHTTPAreLogged(t *testing.T) {
	b := newBed(t, nil)
	b.server.newHTTP().ErrorLog.Print("http: TLS handshake error from 192.0.2.1:40001: EOF")
	if got := b.printed.String(); got != "" {
		t.Errorf("logged %q, expected nothing of a connection without a request", got)
	}
	b.server.newHTTP().ErrorLog.Print("http: TLS handshake error from 192.0.2.1:40001: tls: unsupported")
	want := `level=WARN msg="the HTTP side reports an error" error="http: TLS handshake error from 192.0.2.1:40001: tls: unsupported"`
	if got := b.printed.String(); !strings.Contains(got, want) {
		t.Errorf("logged %q, expected %s", got, want)
	}
}

// A TLS handshake that fails is logged, a connection that ends without one is not.
func TestFailedHandshakesAreLogged(t *testing.T) {
	ca, err := certs.NewCA("HTTP")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Server([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	b := newBed(t, nil)
	b.server.Change(Settings{Certificate: pair.TLS()})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.server.Serve(ctx, l) }()
	for _, sent := range []string{"", "GET / HTTP/1.1\r\n\r\n"} {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, sent)
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, c) // until the server has ended it
		c.Close()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := b.printed.String(); strings.Count(got, "TLS handshake error") != 1 || !strings.Contains(got, "level=WARN") {
		t.Errorf("logged %q, expected one line about the peer that does not speak TLS", got)
	}
}
