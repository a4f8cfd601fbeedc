package gateway

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"layeh.com/radius"

	"radsec-gw/gateway/gatewaytest"
)

// shown returns a function that lists which of the labels some series has, in their order.
func shown(labels ...string) func(now map[string]float64) string {
	return func(now map[string]float64) (found string) {
		for _, label := range labels {
			for series := range now {
				if strings.Contains(series, label) {
					found += label + " "
					break
				}
			}
		}
		return found
	}
}

// removal is a gateway with a request in flight that a reload removes the client, the
// server and the route of.
type removal struct {
	*testGateway
	original []byte // the configuration before it
	names    func(now map[string]float64) string
	plain    *testClient
	request  []byte // of plain, at the server that is removed
	answer   func() // lets the server answer it
}

func startRemoval(t *testing.T) *removal {
	t.Helper()
	release, arrived := make(chan struct{}), make(chan struct{}, 10)
	slow := gatewaytest.Serve(t, func(w radius.ResponseWriter, r *radius.Request) {
		arrived <- struct{}{}
		<-release
		gatewaytest.Accept(w, r)
	})
	answer := sync.OnceFunc(func() { close(release) })
	t.Cleanup(answer) // before the server's end waits for its handler
	g := startGateway(t, [3]int{slow, slow, slow})
	r := &removal{testGateway: g, answer: answer, plain: g.connect("plain"), request: rawRequest(1, 1, emptyMAC, nameOf("first@example.org")),
		original: need(os.ReadFile(g.gw.current.Load().Config.Path)),
		names:    shown(`client="plain"`, `client="access"`, `server="udp"`, `server="next"`, `route="example.org"`, `route="example.net"`)}
	access := g.connect("access")
	// In TLS 1.3 the client has finished its handshake before the gateway knows the client.
	g.await("1", func(now map[string]float64) string {
		return strconv.Itoa(int(now[`radsec_gw_tls_client_connections_total{client="access"}`]))
	})
	r.plain.write(r.request)
	<-arrived
	next := answering(t)
	g.rewrite("name = \"access\"\n", "name = \"renamed\"\n")
	g.rewrite(`name = "udp"`, `name = "next"`)
	g.rewrite(`servers = ["udp"]`, `servers = ["next"]`)
	g.rewrite(`realms = ["example.org"]`, `realms = ["example.net"]`)
	g.rewrite("auth_port = "+strconv.Itoa(slow), "auth_port = "+strconv.Itoa(next[0]))
	g.reload()
	if access.read() != nil {
		t.Error("expected the connection of a client that was removed closed, it is open")
	}
	return r
}

// What a reload removes is removed from /metrics and the status page: a route at once, a
// client with its last connection, a server with its last request.
func TestReloadRemovesSeries(t *testing.T) {
	g := startRemoval(t)
	g.await(`client="plain" server="udp" server="next" route="example.net" `, g.names)
	if got := g.scrape()[`radsec_gw_server_outstanding_requests{port="auth",server="udp"}`]; got != 1 {
		t.Errorf("expected the server that was removed with the 1 request it has, got %v", got)
	}
	g.answer()
	g.plain.believe(g.request, g.plain.read(), 2)
	g.await(`client="plain" server="next" route="example.net" `, g.names)
	_, page := g.get("/")
	_, clients, _ := strings.Cut(page, `id="clients"`)
	clients, _, _ = strings.Cut(clients, "</section>") // the log follows
	if strings.Contains(clients, ">access<") || !strings.Contains(clients, ">renamed<") {
		t.Errorf("expected the client renamed on the status page and not access, got %s", clients)
	}
}

// What a reload adds again counts from zero.
func TestReloadAddsSeriesAtZero(t *testing.T) {
	g := startRemoval(t)
	g.answer()
	g.plain.believe(g.request, g.plain.read(), 2)
	g.await(`client="plain" server="next" route="example.net" `, g.names)
	g.put("gw.toml", g.original)
	g.reload()
	g.await(`client="plain" client="access" server="udp" route="example.org" `, g.names)
	now := g.scrape()
	for _, series := range []string{
		`radsec_gw_server_requests_sent_total{port="auth",server="udp"}`, `radsec_gw_tls_client_connections_total{client="access"}`,
		`radsec_gw_route_requests_total{fate="relayed",route="example.org"}`,
	} {
		if v, found := now[series]; found {
			t.Errorf("expected no %s before its first count, got %v", series, v)
		}
	}
	g.connect("access").good()
	g.await("1 1 1", func(now map[string]float64) string {
		var values []string
		for _, series := range []string{`radsec_gw_server_requests_sent_total{port="auth",server="udp"}`,
			`radsec_gw_tls_client_connections_total{client="access"}`, `radsec_gw_requests_total{client="access",fate="relayed",kind="access"}`} {
			values = append(values, strconv.Itoa(int(now[series])))
		}
		return strings.Join(values, " ")
	})
}
