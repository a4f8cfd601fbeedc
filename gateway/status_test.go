package gateway

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/udpback"
	"radsec-gw/udpback/health"
	"radsec-gw/web/status"
)

// statusOf asks a gateway for its status.
func statusOf(t *testing.T, g *Gateway) *status.Snapshot {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: gatewaytest.Patience}
	a, err := client.Get("http://" + g.MetricsAddr().String() + "/api/v1/status")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil || a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("/api/v1/status: %d %s, %v", a.StatusCode, b, err)
	}
	s := new(status.Snapshot)
	if err := json.Unmarshal(b, s); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return s
}

// awaitStatus asks a gateway for its status until it is as expected; want returns what it is
// waiting for, or "".
func awaitStatus(t *testing.T, g *Gateway, want func(*status.Snapshot) string) *status.Snapshot {
	t.Helper()
	for end := time.Now().Add(gatewaytest.Patience); ; time.Sleep(100 * time.Millisecond) {
		s := statusOf(t, g)
		missing := want(s)
		if missing == "" {
			return s
		}
		if time.Now().After(end) {
			b, _ := json.Marshal(s)
			t.Fatalf("expected %s, got %s", missing, b)
		}
	}
}

// problemOf returns the first problem of a kind.
func problemOf(s *status.Snapshot, kind string) (status.Problem, bool) {
	i := slices.IndexFunc(s.Problems, func(p status.Problem) bool { return p.Kind == kind })
	if i < 0 {
		return status.Problem{}, false
	}
	return s.Problems[i], true
}

// A refused reload is the first problem, with its file and mistake, however many strangers
// send garbage; what they cause is one line with its number. It goes when a reload succeeds.
func TestGarbageDoesNotHideARefusedReload(t *testing.T) {
	g := startUnwatched(t)
	begin := time.Now()
	g.rewrite("health = \"none\"", "health = \"nome\"")
	if g.gw.Reload() == nil {
		t.Fatal("the reload succeeded")
	}
	const strangers = 60
	for range strangers {
		c, err := net.DialTimeout("tcp", g.gw.Addr().String(), gatewaytest.Patience)
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
		io.Copy(io.Discard, c)
		c.Close()
	}
	s := awaitStatus(t, g.gw, func(s *status.Snapshot) string {
		for _, r := range s.Refusals {
			if r.What == "connection" && r.Reason == "not_tls" && r.Count == strangers && r.Example == "127.0.0.1" && r.Text != "" && r.FirstAt != nil && r.LastAt != nil {
				return ""
			}
		}
		return "60 refusals of 127.0.0.1, folded"
	})
	p := s.Problems[0]
	if p.Kind != "reload_refused" || !strings.Contains(p.Text, "gw.toml:") || !strings.Contains(p.Text, "nome") || p.Since == nil || p.Since.Before(begin.Add(-time.Second)) {
		t.Errorf("the first problem is %+v, expected the refused reload with its file, mistake and time", p)
	}
	if r := s.Reloads[0]; r.By != byRequest || r.Result != reloadRefused || len(r.Mistakes) != 1 || s.Summary.LastReload != reloadRefused {
		t.Errorf("the last reload is %+v, expected a refused one with one mistake", r)
	}
	reload := slices.IndexFunc(s.Events, func(e status.Event) bool { return strings.HasPrefix(e.Message, "reload refused") })
	garbage := slices.IndexFunc(s.Events, func(e status.Event) bool { return e.Message == "RadSec connection refused" })
	if reload < 0 || garbage < reload || s.Events[garbage].Count < strangers/2 {
		t.Errorf("events: %+v, expected the refused reload before the garbage, which is folded", s.Events)
	}
	g.rewrite("health = \"nome\"", "health = \"none\"")
	g.reload()
	s = awaitStatus(t, g.gw, func(s *status.Snapshot) string {
		if _, still := problemOf(s, "reload_refused"); still {
			return "no refused reload"
		}
		return ""
	})
	if s.Summary.LastReload != reloadTaken || s.Reloads[0].Result != reloadTaken || len(s.Reloads) != 4 { // with the start, and that of startUnwatched
		t.Errorf("reloads %+v, expected the last to be taken", s.Reloads)
	}
}

// The status has the servers with their last answers, the clients with their certificates,
// the gateway's certificates and files, and no secret.
func TestStatusShowsWhatRuns(t *testing.T) {
	g := startGateway(t, answering(t))
	c := g.connect("plain")
	c.good()
	s := awaitStatus(t, g.gw, func(s *status.Snapshot) string {
		if s.Summary.Accepts == 0 || s.Summary.ClientsConnected == 0 || s.Servers[0].Answered == 0 {
			return "a login"
		}
		return ""
	})
	server := s.Servers[slices.IndexFunc(s.Servers, func(p status.Server) bool { return p.Port == "auth" })]
	if server.Name != "udp" || !strings.HasPrefix(server.Address, "127.0.0.1:") || server.State != "up" || server.Since == nil || server.LastAnswerAt == nil || server.Checked || server.Capacity == 0 {
		t.Errorf("the server: %+v", server)
	}
	client := s.Clients[slices.IndexFunc(s.Clients, func(c status.Client) bool { return c.Name == "plain" })]
	if client.Connections != 1 || !strings.Contains(client.Subject, "CN=plain") || client.ExpiresAt == nil || client.LastSeenAt == nil || client.Accepts == 0 {
		t.Errorf("the client: %+v", client)
	}
	if len(s.Certificates) != 2 || s.Certificates[0].For != "server" || s.Certificates[1].For != "client_ca" || s.Certificates[1].File != "ca.pem" || s.Summary.ExpiresFirstAt == nil {
		t.Errorf("the certificates: %+v", s.Certificates)
	}
	if i := slices.IndexFunc(s.Files, func(f status.File) bool { return f.Path == "gw.toml" }); i < 0 || s.Files[i].ReadAt.IsZero() {
		t.Errorf("the files: %+v", s.Files)
	}
	if s.Routes[0].State != routeServed || s.Summary.RoutesServed != 1 || !s.Ready || len(s.Problems) != 0 {
		t.Errorf("the routes %+v, ready %v, problems %+v; expected nothing wrong", s.Routes, s.Ready, s.Problems)
	}
	if b, err := json.Marshal(s); err != nil || strings.Contains(string(b), gatewaytest.Secret) || strings.Contains(string(b), "good@") {
		t.Errorf("the status holds a secret or the name of a user, or %v", err)
	}
	c.Close()
	awaitStatus(t, g.gw, func(s *status.Snapshot) string {
		for _, c := range s.Clients {
			if c.Name == "plain" && c.Connections == 0 && c.LastSeenAt != nil && strings.Contains(c.Subject, "CN=plain") {
				return ""
			}
		}
		return "the client gone, with when it was last seen and its certificate"
	})
}

// A server that does not answer is a problem with the cause, and so is its route.
func TestStatusShowsASilentServer(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	port := c.LocalAddr().(*net.UDPAddr).Port
	g := startGateway(t, [3]int{port, port, port})
	g.resendSoon()
	g.rewrite("[metrics]", "[metrics]\nready_when = \"all\"") // accounting, which has no request, is up
	g.reload()
	client := g.connect("plain")
	for i := range byte(3) {
		client.write(rawRequest(1, i, emptyMAC, nameOf("bob@example.org")))
	}
	s := awaitStatus(t, g.gw, func(s *status.Snapshot) string {
		if _, found := problemOf(s, "server_down"); !found {
			return "a server that is down"
		}
		return ""
	})
	down, _ := problemOf(s, "server_down")
	if down.Subject != "udp auth" || !strings.Contains(down.Text, "nothing has ever arrived from it") || down.Since == nil {
		t.Errorf("the server: %+v", down)
	}
	route, found := problemOf(s, "route_unserved")
	if !found || route.Subject != "example.org" || !strings.Contains(route.Text, "auth") || route.Since == nil || s.Ready || s.Routes[0].State != routeUnserved {
		t.Errorf("the route: %+v; ready %v", route, s.Ready)
	}
}

// A server that is suspect because its replies do not verify is not called silent, and the
// status knows which of its replies lack a signature and which have a wrong one.
func TestRepliesThatDoNotVerifyAreNoSilence(t *testing.T) {
	counts := metrics.ServerCounts{}
	counts.Replies[metrics.ReplyMissingMessageAuthenticator] = 1
	counts.Replies[metrics.ReplyBadResponseAuthenticator], counts.Replies[metrics.ReplyBadMessageAuthenticator] = 2, 4
	const silent = "it is silent"
	for unverified, want := range map[int64]string{0: silent, 3: "its replies do not verify (3 in a row)"} {
		s := serverOf(&udpback.PortStatus{Server: "udp", State: health.Suspect, Why: silent, Unverified: unverified}, &counts)
		if !strings.HasPrefix(s.Why, want) || s.Unsigned != 1 || s.Mismatched != 6 {
			t.Errorf("with %d replies that did not verify: %q, %d unsigned, %d mismatched; expected %q, 1 and 6", unverified, s.Why, s.Unsigned, s.Mismatched, want)
		}
	}
}

// The status shows what reverse CoA has learned: each NAS as it calls itself, without what a
// terminal or a page might obey, its client, and its connection while that is open.
// Rules: RC19
func TestStatusShowsReverseCoA(t *testing.T) {
	g := startUnwatched(t)
	if s := statusOf(t, g.gw); s.ReverseCoA != nil || len(s.NASes) != 0 {
		t.Errorf("without reverse CoA: %+v, %+v; expected null and none", s.ReverseCoA, s.NASes)
	}
	g.rewrite("name = \"plain\"", "name = \"plain\"\nreverse_coa = true")
	g.rewrite("[metrics]", "[dynamic_authorization]\naddress = [\"127.0.0.1:0\"]\n\n[metrics]")
	g.reload()
	c := g.connect("plain")
	nas := append([]byte{4, 6, 10, 1, 0, 7, 32, 7}, "ap\x1b-1"...)
	c.write(rawRequest(1, 1, emptyMAC, nameOf("good@example.org"), nas))
	s := awaitStatus(t, g.gw, func(s *status.Snapshot) string {
		if s.ReverseCoA == nil || s.ReverseCoA.NASes != 1 {
			return "a learned NAS"
		}
		return ""
	})
	r, n := s.ReverseCoA, s.NASes[0]
	if r.Clients != 1 || len(r.Listening) != 1 || !strings.HasPrefix(r.Listening[0], "127.0.0.1:") || strings.HasSuffix(r.Listening[0], ":0") {
		t.Errorf("reverse CoA: %+v, expected one client and the port that is listened on", r)
	}
	if n.Name != `ap\x1b-1 10.1.0.7` || n.Client != "plain" || n.Connection != c.LocalAddr().String() || time.Since(n.LastSeenAt).Abs() > gatewaytest.Patience {
		t.Errorf("the NAS: %+v, expected it of plain on %v, just seen", n, c.LocalAddr())
	}
	c.Close()
	awaitStatus(t, g.gw, func(s *status.Snapshot) string {
		if s.NASes[0].Connection != "closed" {
			return "the connection closed"
		}
		return ""
	})
}

// A server to which no socket can be opened was not asked: that is the cause, whatever its state,
// unless an operator has taken it out of use.
func TestNoSocketIsTheCause(t *testing.T) {
	for state, want := range map[health.State]string{health.Up: "no socket", health.Suspect: "no socket", health.Down: "no socket", health.Maintenance: "an operator"} {
		s := serverOf(&udpback.PortStatus{Server: "udp", State: state, Why: "an operator", NoSocket: "no socket"}, nil)
		if s.Why != want {
			t.Errorf("%v: %q, expected %q", state, s.Why, want)
		}
	}
}

// Ports, events and routes of a server are known by its configured name, which may have an "@".
func TestConfiguredNamesOfServers(t *testing.T) {
	for name, want := range map[string]string{"a": "a", "a@192.0.2.1": "a", "radius@site": "radius@site", "radius@site@::1": "radius@site"} {
		if s := serverOf(&udpback.PortStatus{Server: name}, nil); s.Names() != (status.Names{Name: name, Configured: want}) {
			t.Errorf("the port of %s has the names %+v, expected the configured name %s", name, s.Names(), want)
		}
		e := eventsOf([]logs.Entry{{Fields: []logs.Field{{Key: "port", Value: "auth"}, {Key: "server", Value: name}}}})
		if e[0].Server != (status.Names{Name: name, Configured: want}) {
			t.Errorf("the event of %s has the names %+v, expected the configured name %s", name, e[0].Server, want)
		}
	}
	if e := eventsOf([]logs.Entry{{Fields: []logs.Field{{Key: "client", Value: "a"}}}}); e[0].Server != (status.Names{}) {
		t.Errorf("an event of a client has the names of a server, %+v", e[0].Server)
	}
}
