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

// What a reload removes goes from /metrics and the status page: a route at once, a
// client with its last connection, a server with its last exchange. What is taken
// back begins at zero.
func TestReloadRemovesSeries(t *testing.T) {
	release, arrived := make(chan struct{}), make(chan struct{}, 10)
	slow := gatewaytest.Serve(t, func(w radius.ResponseWriter, r *radius.Request) {
		arrived <- struct{}{}
		<-release
		gatewaytest.Accept(w, r)
	})
	answer := sync.OnceFunc(func() { close(release) })
	t.Cleanup(answer) // before the server's end waits for its handler
	g := startGateway(t, [3]int{slow, slow, slow})
	g.rewrite(`retransmit_duration = "1s"`, `retransmit_duration = "20s"`) // the request is not to be given up
	g.reload()
	before, err := os.ReadFile(g.gw.current.Load().Config.Path)
	if err != nil {
		t.Fatal(err)
	}
	// shown tells which labels there are, in their order.
	shown := func(labels ...string) func(now map[string]float64) string {
		return func(now map[string]float64) (told string) {
			for _, label := range labels {
				for series := range now {
					if strings.Contains(series, label) {
						told += label + " "
						break
					}
				}
			}
			return told
		}
	}
	names := shown(`client="plain"`, `client="access"`, `server="udp"`, `server="next"`, `route="example.org"`, `route="example.net"`)
	plain, access := g.connect("plain"), g.connect("access")
	first := rawRequest(1, 1, emptyMAC, nameOf("first@example.org"))
	plain.write(first)
	<-arrived

	next := answering(t)
	g.rewrite("name = \"access\"\n", "name = \"renamed\"\n")
	g.rewrite(`name = "udp"`, `name = "next"`)
	g.rewrite(`servers = ["udp"]`, `servers = ["next"]`)
	g.rewrite(`realms = ["example.org"]`, `realms = ["example.net"]`)
	g.rewrite("auth_port = "+strconv.Itoa(slow), "auth_port = "+strconv.Itoa(next[0]))
	g.reload()
	if access.read() != nil {
		t.Error("the connection of a client that is gone should be closed, but it is not")
	}
	g.await(`client="plain" server="udp" server="next" route="example.net" `, names)
	if got := g.scrape()[`radsec_gw_server_outstanding_requests{port="auth",server="udp"}`]; got != 1 {
		t.Errorf("the server that is gone should be shown with the request it has, but it has %v", got)
	}
	answer()
	plain.believe(first, plain.read(), 2)
	g.await(`client="plain" server="next" route="example.net" `, names)
	_, page := g.get("/")
	_, clients, _ := strings.Cut(page, `id="clients"`)
	clients, _, _ = strings.Cut(clients, "</section>") // what follows has the log, too
	if strings.Contains(clients, ">access<") || !strings.Contains(clients, ">renamed<") {
		t.Errorf("the status page should show the client renamed and not access, but it has %s", clients)
	}

	g.put("gw.toml", before)
	g.reload()
	g.await(`client="plain" client="access" server="udp" route="example.org" `, names)
	now := g.scrape()
	for _, series := range []string{
		`radsec_gw_server_requests_sent_total{port="auth",server="udp"}`, `radsec_gw_tls_client_connections_total{client="access"}`,
		`radsec_gw_route_requests_total{fate="relayed",route="example.org"}`,
	} {
		if v, there := now[series]; !there || v != 0 {
			t.Errorf("%s should be there at 0, but it is %v (there: %v)", series, v, there)
		}
	}
	g.connect("access").good()
	g.await("1 1 1", func(now map[string]float64) string {
		var told []string
		for _, series := range []string{`radsec_gw_server_requests_sent_total{port="auth",server="udp"}`,
			`radsec_gw_tls_client_connections_total{client="access"}`, `radsec_gw_requests_total{client="access",fate="relayed",kind="access"}`} {
			told = append(told, strconv.Itoa(int(now[series])))
		}
		return strings.Join(told, " ")
	})
}
