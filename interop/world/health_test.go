//go:build linux

package world

import (
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"radsec-gw/interop/testbed"

	"layeh.com/radius"
)

// standbyTime is how long the standby server needs for an answer.
const standbyTime = 20 * time.Millisecond

func slowStandby(request) reply { return reply{after: standbyTime} }

// A server answers its probes and no request, as FreeRADIUS whose database hangs
// (H1). After at most ten requests no login is slower than with the standby alone,
// and the log, the metrics and the status page say failing. When it answers again it
// is used again.
func TestServerThatAnswersProbesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sick := w.server("10.0.0.10", func(request) reply { return reply{silent: true} })
	w.server("10.0.0.11", slowStandby)
	g := w.start(setup{rest: backend("sick", "10.0.0.10", `probe_interval = "1s"`) + backend("standby", "10.0.0.11") +
		route("*", to("sick", "standby")) + route("control.test", to("standby"))})
	c := w.dial()
	first := pace([]*client{c}, "first@test", 5, 2*time.Second)
	sum := first.wait(patience)
	t.Logf("the first ten logins at a server that answers checks only: %v", sum)
	if !sum.all() {
		t.Errorf("the first ten logins: %v, expected all granted by the standby", sum)
	}
	later, control := c.besideControl("later.test", "control.test", 6*time.Second)
	by, slow := later.slower(control, 50*time.Millisecond)
	t.Logf("logins after that: %v; median %v above that of the standby alone", later, round(by))
	t.Logf("the standby alone: %v; requests at the sick server: %d; probes %d", control, sick.fresh(), len(sick.probed()))
	// One that waits for the sick server takes two seconds, the first retransmission.
	if !later.all() || slow {
		t.Errorf("logins after the first ten: %v, and of the standby alone %v: expected all granted, the median at most 50ms more, and none that waits for the sick server", later, control)
	}
	if n := g.Output().Count("failing", "server=sick"); n < 1 || n > 3 {
		t.Errorf("%d log lines say that the server is failing, expected one or two", n)
	}
	if v := g.Metrics().Sum("radsec_gw_server_state", `server="sick"`, `port="auth"`, `state="failing"`); v != 1 {
		t.Errorf(`radsec_gw_server_state{server="sick",port="auth",state="failing"} is %v, expected 1`, v)
	}
	if _, page, _ := g.Get("/", patience); !strings.Contains(page, "failing") {
		t.Error("the status page does not say failing")
	}
	sick.answer(func(request) reply { return reply{} })
	mended := time.Now()
	back := testbed.Eventually(patience, func() bool {
		before := sick.fresh()
		e := c.login("mended@test")
		e.within(patience)
		time.Sleep(100 * time.Millisecond)
		return sick.fresh() > before && g.Metrics().Sum("radsec_gw_server_state", `server="sick"`, `port="auth"`, `state="up"`) == 1
	})
	t.Logf("it answers requests again: up %v later", round(time.Since(mended)))
	// Three answers, tried every probe_interval × 4 at least: 12 s.
	if !back {
		t.Errorf("the server is not up %v after it answers requests again", patience)
	}
}

// A server goes on answering half of its requests, beside an idle standby: the
// others move on after patience, and none is rejected (H2). The schedule is a
// third of the default one, and so is patience.
func TestServerThatAnswersHalf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	half := w.server("10.0.0.10", func(r request) reply { return reply{silent: crc32.ChecksumIEEE([]byte(r.user))%2 == 0} })
	standby := w.server("10.0.0.11", slowStandby)
	keys := []string{`retransmit_initial = "700ms"`, `retransmit_duration = "10s"`}
	w.start(setup{rest: backend("half", "10.0.0.10", keys...) + backend("standby", "10.0.0.11", keys...) +
		route("*", to("half", "standby"), `patience = "3300ms"`)})
	c := w.dial()
	var all exchanges
	for i := range 100 { // for 20 s: it answers others as long as any of the first ones waits
		all = append(all, c.login(fmt.Sprintf("user%d@test", i)))
		time.Sleep(200 * time.Millisecond)
	}
	sum := all.wait(15 * time.Second)
	t.Logf("a server that answers half of its requests: %v; it was sent %d, the standby %d", sum, half.fresh(), standby.fresh())
	if !sum.all() {
		t.Errorf("100 logins at a server that answers half of its requests: %v, expected all granted", sum)
	}
}

// Confirmations on a phone that take 20 s, with patience raised above that: each user is
// asked once, by one server (H3).
func TestPushesOfTwentySeconds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	push := func(r request) reply { return reply{silent: r.again, after: 20 * time.Second} } // known by its authenticator
	a, b := w.server("10.0.0.10", push), w.server("10.0.0.11", push)
	w.start(setup{rest: backend("a", "10.0.0.10") + backend("b", "10.0.0.11") + route("*", to("a", "b"), `patience = "30s"`)})
	c := w.dial()
	var all exchanges
	for i := range 60 {
		all = append(all, c.login(fmt.Sprintf("user%d@test", i)))
		time.Sleep(50 * time.Millisecond)
	}
	sum := all.wait(40 * time.Second)
	pushes := map[string]int{}
	for _, s := range []*server{a, b} {
		for _, r := range s.requests() {
			if !r.again {
				pushes[r.user]++
			}
		}
	}
	twice := 0
	for _, n := range pushes {
		if n != 1 {
			twice++
		}
	}
	if twice > 0 {
		for _, r := range b.requests()[:min(3, b.fresh())] {
			t.Logf("server b was asked for %s %v after the first login", r.user, round(r.at.Sub(all[0].sent)))
		}
		t.Logf("server a was probed %d times, b %d times", len(a.probed()), len(b.probed()))
	}
	t.Logf("60 pushes of 20 s: %v; server a asked %d users, server b %d; asked more than once: %d", sum, a.fresh(), b.fresh(), twice)
	if !sum.all() {
		t.Errorf("60 pushes of 20 s with patience 30s: %v, expected all granted", sum)
	}
	if len(pushes) != 60 || twice > 0 {
		t.Errorf("%d users were asked, %d of them more than once: expected one push for each of 60", len(pushes), twice)
	}
}

// A lone server is away for 15 s. Logins that were last sent a second before it is back
// are answered then, and not rejected at the end of their schedule.
func TestServerThatWasAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.server("10.0.0.10", nil)
	w.start(setup{rest: backend("server", "10.0.0.10") + route("*", to("server"))})
	c := w.dial()
	if e := c.login("before@test"); !e.within(patience) {
		t.Fatalf("before: %v", e)
	}
	s.hang(true)
	var all exchanges
	for i := range 60 {
		all = append(all, c.login(fmt.Sprintf("u%d@test", i)))
	}
	time.Sleep(15 * time.Second)
	s.hang(false)
	back := time.Now()
	sum := all.wait(40 * time.Second)
	t.Logf("away for 15 s: %v; all ended %v after it was back", sum, round(time.Since(back)))
	if !sum.all() {
		t.Errorf("logins at a lone server that was away for 15 s: %v, expected all granted", sum)
	}
}

// A lone server answers its probes and no login for 15 s, and has forgotten what it was
// sent then, as after its database was restarted with it. All logins are answered when
// it answers again, and none is sent more often than retransmit_count.
func TestServerThatWasFailing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.server("10.0.0.10", func(request) reply { return reply{silent: true} })
	w.start(setup{rest: backend("server", "10.0.0.10", `probe_interval = "1s"`) + route("*", to("server"))})
	c := w.dial()
	var all exchanges
	for i := range 60 {
		all = append(all, c.login(fmt.Sprintf("u%d@test", i)))
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(14 * time.Second)
	s.answer(func(request) reply { return reply{} })
	back := time.Now()
	all = append(all, c.login("after1@test"), c.login("after2@test"), c.login("after3@test"))
	sum := all.wait(40 * time.Second)
	t.Logf("no login answered for 15 s: %v; all ended %v after that", sum, round(time.Since(back)))
	if !sum.all() {
		t.Errorf("logins at a lone server that answered probes only for 15 s: %v, expected all granted", sum)
	}
	sent := map[string]int{}
	for _, r := range s.requests() {
		if sent[r.user]++; sent[r.user] > 5 {
			t.Errorf("the server was sent %s %d times, expected retransmit_count, 5, at most", r.user, sent[r.user])
		}
	}
}

// Two clients fill a server that is silent for their users; a third, whose user it
// answers, still finds an Identifier (H7).
func TestTheLastClientFindsAnIdentifier(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.server("10.0.0.10", func(r request) reply { return reply{silent: r.user != "third@test"} })
	clients := ""
	for _, c := range []string{"127.0.0.2", "127.0.0.3"} {
		clients += fmt.Sprintf("[[client]]\nname = %q\nnetworks = [\"%s/32\"]\n", c, c)
	}
	w.start(setup{clients: clients, rest: backend("server", "10.0.0.10", "max_sockets = 1", `health = "none"`) + route("*", to("server"))})
	for _, source := range []string{"127.0.0.2", "127.0.0.3"} {
		c := w.dialFrom(source)
		for i := range 250 {
			c.login(fmt.Sprintf("u%d@test", i))
		}
	}
	before := 0
	if !testbed.Eventually(patience, func() bool { // both have what they get
		n := s.fresh()
		same := n == before && n > 0
		before = n
		time.Sleep(200 * time.Millisecond)
		return same
	}) {
		t.Fatal("the server is sent requests without end")
	}
	e := w.dial().login("third@test")
	e.within(5 * time.Second)
	t.Logf("two clients have %d of 256 Identifiers; a third: %v", before, e)
	if !e.granted() {
		t.Errorf("a login of a third client: %v, expected the server's answer", e)
	}
}

// What counts as life (H5): a verified Access-Reject to a probe; and of a server
// that ignores Status-Server, as NPS does, its answers to requests.
func TestWhatCountsAsLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rejecting, ignoring := w.server("10.0.0.10", nil), w.server("10.0.0.11", nil)
	rejecting.answerProbes(func(request) reply { return reply{code: radius.CodeAccessReject} })
	ignoring.answerProbes(func(request) reply { return reply{silent: true} })
	w.server("10.0.0.12", nil) // the standby
	keys := []string{`watchdog_interval = "6s"`, `probe_interval = "1s"`}
	g := w.start(setup{rest: backend("rejecting", "10.0.0.10", keys...) + backend("ignoring", "10.0.0.11", keys...) + backend("standby", "10.0.0.12", keys...) +
		route("rejecting.test", to("rejecting", "standby")) + route("ignoring.test", to("ignoring", "standby"))})
	c := w.dial()
	for _, realm := range []string{"rejecting.test", "ignoring.test"} {
		if e := c.login("u@" + realm); !e.within(patience) {
			t.Fatalf("before: %v", e)
		}
	}
	// So many unanswered checks that the port would be down (down_after = 3).
	if !testbed.Eventually(90*time.Second, func() bool {
		return len(rejecting.probed()) >= 5 && len(ignoring.probed()) >= 5 || len(ignoring.probed()) >= 8
	}) {
		t.Logf("probes: %d at the one that rejects them, %d at the one that ignores them", len(rejecting.probed()), len(ignoring.probed()))
	}
	m := g.Metrics()
	for name, s := range map[string]*server{"rejecting": rejecting, "ignoring": ignoring} {
		up := m.Sum("radsec_gw_server_state", `server="`+name+`"`, `port="auth"`, `state="up"`)
		before := s.fresh()
		e := c.login("after@" + name + ".test")
		e.within(patience)
		t.Logf("a server %s probes: up %v after %d probes; a login: %v, at this server: %v", name, up == 1, len(s.probed()), e, s.fresh() > before)
		if up != 1 {
			t.Errorf("a server that answers requests and is %s probes is not called up", name)
		}
		if !e.granted() || s.fresh() == before {
			t.Errorf("a login for a server that answers requests and is %s probes: %v, expected it to go there", name, e)
		}
	}
}

// The gateway is paused for longer than its schedule, as a suspended machine:
// the replies that wait in its sockets are delivered (W14).
func TestPausedGatewayDeliversReplies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.server("10.0.0.10", func(request) reply { return reply{after: time.Second} })
	g := w.start(setup{rest: backend("server", "10.0.0.10", `retransmit_duration = "5s"`, "acct_port = 1812") +
		route("*", to("server"), `packets = ["access", "accounting"]`)})
	c := w.dial()
	var all exchanges
	for i := range 30 {
		all = append(all, c.login(fmt.Sprintf("u%d@test", i)), c.accounting(fmt.Sprintf("u%d@test", i)))
	}
	if !testbed.Eventually(patience, func() bool { return s.fresh() == 60 }) {
		t.Fatalf("the server was sent %d requests of 60", s.fresh())
	}
	g.pause(7 * time.Second)
	sum := all.wait(patience)
	t.Logf("paused for 7 s, with a schedule of 5 s and replies after 1 s: %v", sum)
	if !sum.all() {
		t.Errorf("paused for 7 s, with a schedule of 5 s and replies after 1 s: %v, expected all granted", sum)
	}
}
