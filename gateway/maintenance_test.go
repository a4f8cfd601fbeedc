package gateway

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/metrics"
	"radsec-gw/web"
)

// maintain sends a request about the server's maintenance, with the token "token".
func (g *testGateway) maintain(method, body string) web.Maintenance {
	g.t.Helper()
	return g.maintainServer("udp", method, body)
}

// maintainServer is maintain for a server, or one of its addresses.
func (g *testGateway) maintainServer(name, method, body string) web.Maintenance {
	g.t.Helper()
	r, err := http.NewRequest(method, "http://"+g.gw.MetricsAddr().String()+"/api/v1/servers/"+name+"/maintenance", strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	r.SetBasicAuth("alice", "token")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: gatewaytest.Patience}
	a, err := client.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	var m web.Maintenance
	if err != nil || a.StatusCode != 200 || json.Unmarshal(text, &m) != nil {
		g.t.Fatalf("%s: %d %s, %v; expected 200 and JSON", method, a.StatusCode, text, err)
	}
	return m
}

// Maintenance is asked for by the file and by HTTP, which precedes and outlives a reload.
// Where it takes the last server, requests are rejected, and /readyz says why.
//
// Fault O9.
func TestMaintenanceByFileAndByHTTP(t *testing.T) {
	g := startGateway(t, answering(t))
	g.rewrite("[metrics]\n", "[metrics]\ntoken = \"token\"\n")
	g.reload()
	c := g.connect("plain")
	expect := func(when string, got web.Maintenance, on, configured bool, ordered string) {
		t.Helper()
		if got.Maintenance != on || got.Configured != configured || got.Ordered != ordered || (got.Since != nil) != (ordered != "") || got.Ports["auth"] != "up" {
			t.Errorf("%s: %+v, expected maintenance %v, configured %v, ordered %q, and auth up", when, got, on, configured, ordered)
		}
		q := rawRequest(1, 9, emptyMAC, nameOf("bob@example.org"))
		c.write(q)
		c.believe(q, c.read(), map[bool]byte{true: 3, false: 2}[on])
		if status, _ := g.get("/readyz"); (status == 503) != on {
			t.Errorf("%s: /readyz is %d", when, status)
		}
	}
	expect("at first", g.maintain("GET", ""), false, false, "")
	expect("ordered", g.maintain("PUT", "on"), true, false, "on")
	g.awaitLog(`server=udp order=on from=127.0.0.1:`)
	g.awaitLog("user=alice")
	g.awaitLog("every server for this request is in maintenance")
	g.rewrite("health = \"none\"", "health = \"none\"\nmax_sockets = 3")
	g.reload()
	expect("after a reload", g.maintain("GET", ""), true, false, "on")
	expect("ordered to end", g.maintain("PUT", "off"), false, false, "off")
	g.rewrite("max_sockets = 3", "maintenance = true")
	g.reload()
	expect("the file asks, the order is older and precedes", g.maintain("GET", ""), false, true, "off")
	expect("no order", g.maintain("DELETE", ""), true, true, "")
	if got := g.gw.metrics.Server("udp", "auth").State(); got != metrics.StateMaintenance {
		t.Errorf("the metrics show %v, expected maintenance", got)
	}
}

// An order for an address that the server's name does not have is answered as such, shown
// with the server, and removed.
func TestMaintenanceOfAnAbsentAddress(t *testing.T) {
	g := startGateway(t, answering(t))
	g.rewrite("[metrics]\n", "[metrics]\ntoken = \"token\"\n")
	g.rewrite("address = \"127.0.0.1\"", "address = \"localhost\"\nexpand = true")
	g.reload()
	const absent = "udp@192.0.2.77"
	for _, row := range []struct {
		method, body, ordered string
		listed                int
	}{{"GET", "", "", 0}, {"PUT", "on", "on", 1}, {"GET", "", "on", 1}, {"DELETE", "", "", 0}} {
		m := g.maintainServer(absent, row.method, row.body)
		if m.Server != absent || !m.Absent || m.Ordered != row.ordered || m.Maintenance != (row.ordered == "on") || len(m.Ports) != 0 {
			t.Errorf("%s %s: %+v, expected that the name does not have it, and ordered %q", row.method, absent, m, row.ordered)
		}
		m = g.maintain("GET", "")
		if len(m.Addresses) != row.listed || m.Absent {
			t.Errorf("after %s: the server has %+v, expected %d orders for addresses", row.method, m, row.listed)
		}
		for _, o := range m.Addresses {
			if o.Server != absent || o.Ordered != "on" || !o.Absent || o.Since.IsZero() {
				t.Errorf("the order is shown as %+v, expected one for %s", o, absent)
			}
		}
	}
}
