package web

import (
	"strings"
	"testing"
)

// Without a token, pages are shown to requests for an IP address or a name of this gateway only,
// so that a web site cannot read them with the browser of somebody who can; the probes of an
// orchestrator are answered in any case.
//
// Fault S7.
func TestRequestsForOtherHostsAreRefused(t *testing.T) {
	b := newBed(t, func(c *Config) {
		c.Hosts = []string{"Monitor.example", "*.svc.example"}
		c.PProf = true
	})
	b.server.machine = "radius-1"
	for host, want := range map[string]int{
		"127.0.0.1": 200, "127.0.0.1:9713": 200, "[::1]": 200, "[2001:db8::1]:9713": 200, "": 200,
		"localhost": 200, "LOCALHOST:80": 200, "a.localhost": 200, "radius-1:9713": 200,
		"monitor.example": 200, "monitor.EXAMPLE.:9713": 200, "a.svc.example": 200,
		"evil.example": 421, "evil.example:9713": 421, "svc.example": 421, "xsvc.example": 421, "monitor.example.evil.example": 421,
		"127.0.0.1.evil.example": 421, "localhost.evil.example": 421, "radius-1.evil.example": 421, "notlocalhost": 421,
	} {
		for _, path := range []string{"/", "/metrics", "/loglevel", "/debug/pprof/cmdline"} {
			if got, body, _ := b.ask("GET", path, "", "Host", host); got != want {
				t.Errorf("%s for %q: %d %.100s, want %d", path, host, got, body, want)
			}
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if got, _, _ := b.ask("GET", path, "", "Host", "evil.example"); got != 200 {
			t.Errorf("%s for another host: %d, want 200", path, got)
		}
	}
	b.why = "draining"
	if _, body, _ := b.ask("GET", "/readyz", "", "Host", "evil.example"); strings.Contains(body, "draining") {
		t.Errorf("/readyz tells another host why: %s", body)
	}
	if n := strings.Count(b.printed.String(), "an HTTP request for another host was refused"); n != 1 {
		t.Errorf("logged %d times in a minute, want once:\n%s", n, b.printed)
	}
	if _, _, header := b.ask("GET", "/", "", "Host", "evil.example"); header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("the refusal, which repeats the name, has the type %q", header.Get("Content-Type"))
	}
}

// A request with the token may be for any host: no other site has it.
func TestTheTokenCountsForEveryHost(t *testing.T) {
	b := newBed(t, func(c *Config) { c.Token = []byte(token) })
	if got, _, _ := b.ask("GET", "/metrics", "", "Host", "pod", "Authorization", "Bearer "+token); got != 200 {
		t.Errorf("with the token: %d, want 200", got)
	}
	if got, _, _ := b.ask("GET", "/metrics", "", "Host", "pod"); got != 401 {
		t.Errorf("without the token: %d, want 401", got)
	}
}

// Blanks around the token do not count, whichever way it is sent.
//
// Fault S14.
func TestBlanksAroundTheTokenDoNotCount(t *testing.T) {
	b := newBed(t, func(c *Config) { c.Token = []byte("secret") })
	for name, value := range map[string]string{"Bearer": "Bearer secret  ", "Basic": "Basic dTpzZWNyZXQg"} { // "u:secret "
		if got, _, _ := b.ask("GET", "/metrics", "", "Authorization", value); got != 200 {
			t.Errorf("%s with a blank at the end: %d, want 200", name, got)
		}
	}
}

// A page of another site cannot change anything with a browser that knows the token, and
// programs, which send neither header, can.
func TestOtherSitesChangeNothing(t *testing.T) {
	var m maintained
	b := newBed(t, m.configure)
	for _, row := range []struct {
		header []string
		want   int
	}{
		{nil, 200},
		{[]string{"Sec-Fetch-Site", "same-origin"}, 200},
		{[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		{[]string{"Sec-Fetch-Site", "same-site"}, 403},
		{[]string{"Origin", "http://127.0.0.1:9713"}, 200},
		{[]string{"Origin", "https://evil.example"}, 403},
		{[]string{"Origin", "null"}, 403},
	} {
		for _, request := range []string{"PUT /loglevel info", "PUT /api/v1/servers/radius-a/maintenance on", "DELETE /api/v1/servers/radius-a/maintenance "} {
			part := strings.SplitN(request, " ", 3)
			clear(m.ordered)
			got, _, _ := b.ask(part[0], part[1], part[2], append(row.header, "Authorization", "Bearer "+token)...)
			if got != row.want || got == 403 && len(m.ordered) > 0 {
				t.Errorf("%s with %q: %d, ordered %v; expected %d", request, row.header, got, m.ordered, row.want)
			}
		}
		if got, _, _ := b.ask("GET", "/loglevel", "", append(row.header, "Authorization", "Bearer "+token)...); got != 200 {
			t.Errorf("reading with %q: %d, expected 200", row.header, got)
		}
	}
	if got, _, _ := b.ask("PUT", "/loglevel", "info", "Sec-Fetch-Site", "cross-site"); got != 401 {
		t.Errorf("without the token: %d, expected 401", got)
	}
}
