package gateway

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/spool"
	"radsec-gw/spool/control"
	"radsec-gw/web/status"
)

// useSpool has the only route use a spool, which is in the folder spool beside the configuration,
// and reloads. It returns the path of the spool's socket.
func (g *testGateway) useSpool() (socket string) {
	g.t.Helper()
	g.resendSoon()
	g.set(`servers = ["udp"]`, "\nspool = true\nspool_after = \"100ms\"\n[spool]\ndirectory = \"spool\"")
	return filepath.Join(filepath.Dir(g.gw.current.Load().Config.Path), "spool", control.SocketName)
}

// account sends the Start of a session, and fails the test unless it is acknowledged.
func (c *testClient) account(id byte, session string) {
	c.t.Helper()
	q := rawRequest(4, id, nameOf("bob@example.org"), tlv(40, 0, 0, 0, 1), tlv(44, []byte(session)...))
	c.write(q)
	a := c.read()
	if a == nil {
		c.t.Fatal("an Accounting-Request: expected an answer, the connection is closed")
	}
	c.believe(q, a, 5)
}

// A reload that has the first route use the spool opens it and its socket. What no server answers
// is acknowledged and in the status: of the client it is not a refusal. When the server answers
// again, nothing is left.
// Rules: SP2, SP3, SP14
func TestStatusShowsTheSpool(t *testing.T) {
	var answers atomic.Bool
	acct := gatewaytest.Serve(t, func(w radius.ResponseWriter, r *radius.Request) {
		if answers.Load() {
			gatewaytest.Accept(w, r)
		}
	})
	g := startGateway(t, [3]int{acct, acct, acct})
	if s := statusOf(t, g.gw); s.Spool != nil || len(s.SpoolRoutes) != 0 || s.Routes[0].Spool {
		t.Errorf("without a spool: %+v, %+v, %+v; expected null, none, and no route that uses it", s.Spool, s.SpoolRoutes, s.Routes)
	}
	socket := g.useSpool()
	until(t, "the socket of the spool", func() bool { return dialTap(socket) == nil })
	g.connect("plain").account(1, "s1")
	s := awaitStatus(t, g.gw, func(s *status.Snapshot) string {
		if s.Spool == nil || s.Spool.Records != 1 || s.Spool.OldestAt == nil || len(s.SpoolRoutes) != 1 || s.SpoolRoutes[0].State == spoolSending || s.SpoolRoutes[0].InFlight > 0 {
			return "a record in the spool, which waits for its next attempt"
		}
		return ""
	})
	p := s.Spool
	if p.Error != "" || p.Directory != "spool" || p.RecordsLimit != 1_000_000 || p.OctetsLimit != 1<<30 || p.MaxAge != 7*86400 || p.Octets == 0 || p.Stored != 1 || p.Answered+p.Refused+p.Dropped+p.SetAside != 0 || time.Since(*p.OldestAt).Abs() > gatewaytest.Patience {
		t.Errorf("the spool: %+v, expected one record, just stored, and the default limits", p)
	}
	if r := s.SpoolRoutes[0]; r.Route != "example.org" || r.Records != 1 || r.LastAnswerAt != nil || !s.Routes[0].Spool {
		t.Errorf("the route: %+v, expected its record", r)
	}
	client := s.Clients[slices.IndexFunc(s.Clients, func(c status.Client) bool { return c.Name == "plain" })]
	if client.Relayed != 1 || client.Other != 0 || s.Summary.Relayed != 0 || slices.ContainsFunc(s.Refusals, func(r status.Refusal) bool { return r.What == "request" }) {
		t.Errorf("the client: %+v, %d relayed, refusals %+v; expected a request that the gateway has answered", client, s.Summary.Relayed, s.Refusals)
	}

	answers.Store(true)
	c, err := control.Open(t.Context(), filepath.Dir(socket))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = awaitStatus(t, g.gw, func(s *status.Snapshot) string {
		if s.Spool.Records != 0 || s.Spool.Answered != 1 {
			return "that the server has the record"
		}
		return ""
	})
	if r := s.SpoolRoutes[0]; s.Spool.OldestAt != nil || r.State != spoolEmpty || r.Records != 0 || r.LastAnswerAt == nil || r.ResumesAt != nil {
		t.Errorf("when the server has answered: %+v, %+v; expected nothing left", s.Spool, r)
	}
}

// A spool whose directory cannot be made does not keep the gateway from serving: that is in the
// log and in the status. It opens by itself when the directory can be made, and its socket with it.
// Rules: SP10
func TestServesWithoutItsSpool(t *testing.T) {
	dir, file := gatewaytest.Dir(t, strings.Replace(keysConfig, "[cluster]\nnats = [\"nats://127.0.0.1:1\"]\n", "", 1))
	path := filepath.Join(dir, "spool")
	gatewaytest.WriteFile(t, path, []byte("notes"))
	g, log := runWritten(t, planOf(t, file))
	gatewaytest.Dial(t, dir, g.Addr().String())
	gatewaytest.Await(t, log, "the spool cannot be opened")
	s := statusOf(t, g)
	if p, found := problemOf(s, "spool_cannot_store"); !found || p.Severity != status.Error || p.Subject != "spool" || !strings.Contains(p.Text, path) || s.Spool.Error == "" {
		t.Errorf("the spool: %+v, problem %+v; expected an error that names %s", s.Spool, p, path)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	until(t, "the socket of the spool", func() bool { return dialTap(filepath.Join(path, control.SocketName)) == nil })
	awaitStatus(t, g, func(s *status.Snapshot) string {
		if s.Spool.Error != "" || len(s.Problems) > 0 {
			return "a spool that can store"
		}
		return ""
	})
}

// A reload does not move the records: a change of spool.directory is logged and takes effect at
// the next start. A spool that no route uses any longer goes on.
func TestSpoolKeepsItsDirectory(t *testing.T) {
	dir, file := gatewaytest.Dir(t, keysConfig)
	g, log := runWritten(t, planOf(t, file))
	socket := filepath.Join(dir, "spool", control.SocketName)
	until(t, "the socket of the spool", func() bool { return dialTap(socket) == nil })
	for _, step := range []struct {
		from, to string
		lines    int // about the directory, until then
	}{
		{`directory = "spool"`, `directory = "other"`, 1},
		{"spool = true", "", 1},
		{"", "", 1},
	} {
		gatewaytest.WriteFile(t, file, []byte(strings.Replace(keysConfig, step.from, step.to, 1)))
		if err := g.Reload(); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(log.String(), "spool.directory has changed"); n != step.lines {
			t.Errorf("with %q: expected %d lines about the directory, got %d in\n%s", step.to, step.lines, n, log)
		}
		if err := dialTap(socket); err != nil {
			t.Errorf("with %q: expected the socket of the spool, got %v", step.to, err)
		}
	}
	if line := "in_use=" + filepath.Join(dir, "spool"); !strings.Contains(log.String(), line) {
		t.Errorf("expected %q in the log, got\n%s", line, log)
	}
	if _, err := os.Stat(filepath.Join(dir, "other")); err == nil {
		t.Error("the other directory was made")
	}
}

// What happens to the records of a route: nothing is sent in the pause after silence, then one
// record; each may have to wait by itself.
func TestStatesOfSpooledRoutes(t *testing.T) {
	now := time.Now()
	for want, r := range map[string]spool.RouteState{
		spoolEmpty:   {Silent: true, Resumes: time.Second},
		spoolPaused:  {Records: 2, Ready: 1, Silent: true, Resumes: time.Second},
		spoolTrying:  {Records: 2, Sending: 1, Silent: true},
		spoolSending: {Records: 2, Ready: 1},
		spoolWaiting: {Records: 2},
	} {
		got := spoolRoutes([]spool.RouteState{r}, now)[0]
		if got.State != want || (got.ResumesAt != nil) != (want == spoolPaused) {
			t.Errorf("%+v: got %q until %v, expected %q", r, got.State, got.ResumesAt, want)
		}
	}
	long := spoolRoutes([]spool.RouteState{{Route: "a\x1b" + strings.Repeat("b", 10_000)}}, now)[0].Route
	if len(long) > 1000 || strings.Contains(long, "\x1b") {
		t.Errorf("a long name with a control character: got %d bytes, expected it cut and escaped", len(long))
	}
}
