package web

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"radsec-gw/metrics"
)

// maintained is what a test's gateway was ordered.
type maintained struct {
	ordered map[string]string
	refuse  error
}

func (m *maintained) configure(c *Config) {
	m.ordered = map[string]string{}
	c.Token = []byte(token)
	c.Maintenance = func(name string) (Maintenance, bool) {
		return Maintenance{Server: name, Maintenance: m.ordered[name] == "on", Ordered: m.ordered[name], Ports: map[string]string{"auth": "up"}}, strings.HasPrefix(name, "radius-a")
	}
	c.SetMaintenance = func(name string, on *bool) error {
		switch {
		case m.refuse != nil:
			return m.refuse
		case on == nil:
			delete(m.ordered, name)
		case *on:
			m.ordered[name] = "on"
		default:
			m.ordered[name] = "off"
		}
		return nil
	}
}

// Maintenance is ordered, shown and taken back by callers with the token, and the log says
// who did.
//
// Fault O9.
func TestMaintenanceOverHTTP(t *testing.T) {
	var m maintained
	b := newBed(t, m.configure)
	for _, row := range []struct {
		method, name, body string
		status             int
		ordered            string
	}{
		{"GET", "radius-a", "", 200, ""},
		{"PUT", "radius-a", "ON\n", 200, "on"},
		{"GET", "radius-a", "", 200, "on"},
		{"PUT", "radius-a", "off", 200, "off"},
		{"DELETE", "radius-a", "", 200, ""},
		{"PUT", "radius-a@2001:db8::1", "on", 200, "on"},
		{"PUT", "radius-a", "maybe", 400, ""},
		{"PUT", "radius-a", strings.Repeat("x", 1000), 413, ""},
		{"PUT", "radius-c", "on", 404, ""},
		{"DELETE", "radius-c", "", 404, ""},
		{"GET", "radius-c", "", 404, ""},
		{"POST", "radius-a", "on", 405, ""},
	} {
		status, body, _ := b.ask(row.method, "/api/v1/servers/"+row.name+"/maintenance", row.body, "Authorization", "Bearer "+token)
		var answer Maintenance
		if status == 200 {
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatal(err)
			}
		}
		if status != row.status || answer.Ordered != row.ordered || m.ordered[row.name] != row.ordered {
			t.Errorf("%s %s %.10q: %d %s, ordered %q; expected %d and %q", row.method, row.name, row.body, status, body, m.ordered[row.name], row.status, row.ordered)
		}
	}
	if text := b.printed.String(); !strings.Contains(text, `msg="maintenance of a server was ordered over HTTP" server=radius-a order=on from=192.0.2.1:1234`) || !strings.Contains(text, "order=removed") || strings.Contains(text, "radius-c") {
		t.Errorf("the log has %q, expected who ordered what", text)
	}
	m.refuse = errors.New("too many")
	if status, body, _ := b.ask("PUT", "/api/v1/servers/radius-a/maintenance", "on", "Authorization", "Bearer "+token); status != 409 || body != "too many\n" {
		t.Errorf("an order that is refused: %d %q, expected 409 and why", status, body)
	}
}

// Without the token nothing is ordered, and where there is none the answer says why.
//
// Fault O9.
func TestMaintenanceNeedsAToken(t *testing.T) {
	var m maintained
	for _, method := range []string{"PUT", "DELETE"} {
		b := newBed(t, m.configure)
		if status, _, _ := b.ask(method, "/api/v1/servers/radius-a/maintenance", "on"); status != 401 || len(m.ordered) != 0 {
			t.Errorf("%s without the token: %d, %v; expected 401 and no order", method, status, m.ordered)
		}
		b = newBed(t, func(c *Config) { m.configure(c); c.Token = nil })
		if status, body, _ := b.ask(method, "/api/v1/servers/radius-a/maintenance", "on"); status != 403 || !strings.Contains(body, "only when [metrics] has a token") || len(m.ordered) != 0 {
			t.Errorf("%s where there is no token: %d %q, %v; expected 403, why, and no order", method, status, body, m.ordered)
		}
	}
}

// A route whose servers are in maintenance is not served, and the reason names them.
//
// Fault O9.
func TestReadinessInMaintenance(t *testing.T) {
	b := newBed(t, nil)
	b.m.Server("radius-a", "auth").SetState(metrics.StateMaintenance)
	if got := b.server.readiness(); !got.Ready {
		t.Errorf("one of two servers is in maintenance: %q, expected ready", got.Reasons)
	}
	b.m.Server("radius-b", "coa").SetState(metrics.StateMaintenance)
	const want = "route * (default), (no realm): no server is up for coa (radius-b: maintenance)"
	if got := b.server.readiness(); !got.Ready || strings.Join(got.Unserved, "|") != want {
		t.Errorf("the only server for CoA is in maintenance: ready %v, %q unserved; expected %q", got.Ready, got.Unserved, want)
	}
}
