//go:build linux

package world

import (
	"fmt"
	"testing"
	"time"

	"radsec-gw/interop/testbed"
)

func garbled(request) reply { return reply{garbled: true} }

// A reload that adds a route, which uses another port of a server,
// changes nothing about its port that is down: the state stays, is not logged again, and new
// requests go to the standby at once (H4).
func TestReloadKeepsHealth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dead := w.server("10.0.0.10", nil)
	w.server("10.0.0.11", nil)
	rest := backend("dead", "10.0.0.10", `probe_interval = "1s"`, "acct_port = 1813") + backend("standby", "10.0.0.11") + route("*", to("dead", "standby"))
	g := w.start(setup{rest: rest})
	c := w.dial()
	if e := c.login("before@test"); !e.within(patience) || dead.fresh() != 1 {
		t.Fatalf("before: %v, and the server has seen %d requests", e, dead.fresh())
	}
	dead.hang(true)
	c.login("moves@test").within(patience)
	down := func() bool {
		return g.Metrics().Sum("radsec_gw_server_state", `server="dead"`, `port="auth"`, `state="down"`) == 1
	}
	if !testbed.Eventually(60*time.Second, down) {
		t.Fatalf("the server is not down a minute after it has stopped to answer; the log:\n%s", g.Output().Last(25))
	}
	got := dead.count()
	w.configure(setup{rest: rest + route("added.test", to("dead"), `packets = ["accounting"]`)})
	g.Reload()
	if !down() {
		t.Error("after a reload that adds a route the server is no longer down")
	}
	for i := range 10 {
		e := c.login(fmt.Sprintf("u%d@test", i))
		if !e.within(patience) || e.took > time.Second {
			t.Errorf("a login after the reload: %v, expected the standby's answer at once", e)
		}
	}
	for _, r := range dead.requests() {
		if r.user != "before@test" && r.user != "moves@test" {
			t.Errorf("after the reload the server was sent %s", r.user)
		}
	}
	if n := g.Output().Count("the server is down", "server=dead", "port=auth"); n != 1 {
		t.Errorf("%d log lines say that the server is down, expected the one before the reload", n)
	}
	t.Logf("the state is kept; the server got %d datagrams before the reload, %d after, probes among them", got, dead.count()-got)
}

// A server whose replies never verified is not one that never answered: the hint
// speaks of the secret (H8). One whose replies verified before gets another (H6).
func TestHintsSayWhatWasSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	never := w.server("10.0.0.10", garbled)
	never.answerProbes(garbled)
	once := w.server("10.0.0.11", nil)
	w.server("10.0.0.12", nil) // the standby
	keys := []string{`probe_interval = "1s"`, `watchdog_interval = "6s"`}
	g := w.start(setup{rest: backend("never", "10.0.0.10", keys...) + backend("once", "10.0.0.11", keys...) + backend("standby", "10.0.0.12") +
		route("never.test", to("never", "standby")) + route("once.test", to("once", "standby"))})
	c := w.dial()
	if e := c.login("before@once.test"); !e.within(patience) {
		t.Fatalf("before: %v", e)
	}
	once.answer(garbled)
	once.answerProbes(garbled)
	for i := range 5 {
		if e := c.login(fmt.Sprintf("u%d@never.test", i)); !e.within(patience) {
			t.Errorf("a login for a server whose replies do not verify: %v, expected the standby's answer", e)
		}
		if e := c.login(fmt.Sprintf("u%d@once.test", i)); !e.within(patience) {
			t.Errorf("a login for a server whose replies no longer verify: %v, expected the standby's answer", e)
		}
	}
	for _, server := range []string{"never", "once"} {
		if !testbed.Eventually(90*time.Second, func() bool { return g.Output().Count("the server is down", "server="+server) > 0 }) {
			t.Fatalf("server %s is not down after 90 s; the log:\n%s", server, g.Output().Last(25))
		}
	}
	for _, c := range []struct {
		want  int
		words []string
	}{
		{1, []string{"the server is down", "server=never", "none of them verified: the secret here and on the server differ"}},
		{0, []string{"server=never", "nothing has ever arrived"}},
		{1, []string{"the server is down", "server=once", "though earlier ones did"}},
		{0, []string{"server=once", "differ"}},
	} {
		if n := g.Output().Count(c.words...); n != c.want {
			t.Errorf("%d log lines have %q, expected %d; the log:\n%s", n, c.words, c.want, g.Output().Last(25))
		}
	}
}

// Every Identifier of a server is in use, and it answers after its requests were
// given up: late replies to reused Identifiers do not verify. The log speaks of an
// overload, not of the secret, and once a minute (H6).
func TestLateRepliesDoNotBlameTheSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.server("10.0.0.10", nil)
	g := w.start(setup{rest: backend("slow", "10.0.0.10", "max_sockets = 1", `retransmit_initial = "300ms"`, `retransmit_duration = "1s"`) +
		route("*", to("slow"))})
	conns := []*client{w.dial(), w.dial(), w.dial(), w.dial()}
	if e := conns[0].login("before@test"); !e.within(patience) {
		t.Fatalf("before: %v", e)
	}
	s.answer(func(request) reply { return reply{after: 1500 * time.Millisecond} })
	pace(conns, "late@test", 600, 6*time.Second).wait(patience)
	bad := g.Metrics().Sum("radsec_gw_server_replies_total", `server="slow"`) - g.Metrics().Sum("radsec_gw_server_replies_total", `server="slow"`, `result="accepted"`)
	lines, late := g.Output().Count("does not verify"), g.Output().Count("does not verify", "too late")
	t.Logf("%d requests at the server, %v replies not accepted, %d log lines about them", s.fresh(), bad, lines)
	if bad < 100 {
		t.Errorf("%v replies were not accepted, expected hundreds: the test does not make what it is about", bad)
	}
	if lines == 0 || lines != late || lines > 3 {
		t.Errorf("%d log lines about replies that do not verify, %d of them say that they are too late; expected 1 to 3, all of them; the log:\n%s", lines, late, g.Output().Last(25))
	}
	if n := g.Output().Count("differ"); n > 0 {
		t.Errorf("%d log lines blame the secret", n)
	}
}
