package udpback

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/config/defaults"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// checked has a server's health checked with Status-Server.
func checked(c *ServerConfig) { c.Health.Check = health.CheckStatusServer }

// hung makes a server answer checks and no request, as one does whose database hangs.
func (n *network) hung(name string) {
	n.wrap(func(serve server, to string, q []byte) [][]byte {
		if strings.HasPrefix(to, name+":") && wire.Code(q[0]) != radius.CodeStatusServer {
			return nil
		}
		return serve(to, q)
	})
}

// slow makes a server answer requests after a while; checks it answers at once.
func (n *network) slow(name string, after time.Duration) {
	n.wrap(func(serve server, to string, q []byte) [][]byte {
		if !strings.HasPrefix(to, name+":") || wire.Code(q[0]) == radius.CodeStatusServer {
			return serve(to, q)
		}
		replies := serve(to, q)
		n.mu.Lock()
		all := append([]*fakeSocket(nil), n.sockets...)
		last := n.received[to][len(n.received[to])-1].socket
		n.mu.Unlock()
		time.AfterFunc(after, func() {
			for _, r := range replies {
				all[last].in <- r
			}
		})
		return nil
	})
}

// login starts an Access-Request and returns how it ended and how long it took.
func (f *fixture) login(t *testing.T, g *Group) (string, time.Duration) {
	o := newOwner(radius.CodeAccessRequest)
	before := time.Now()
	f.start(t, g, o)
	<-o.ended
	return o.outcome(), time.Since(before)
}

const accepted = "replies [Access-Accept] fails []"

// A server that answers checks and no request costs a few logins time and then none;
// it is tried by one request at a time, at no cost, and is back after three answers.
// Rules: P65, P83
func TestHungServiceIsFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", checked), f.server(t, "b", checked)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "a", "b")
		g := f.group(t, Failover, a, b)
		pass(5 * time.Second)
		for range 10 {
			f.login(t, g)
		}
		f.net.hung("a")
		slow := 0
		for i := range 100 {
			outcome, took := f.login(t, g)
			if outcome != accepted {
				t.Errorf("login %d: %s, expected b's Access-Accept", i, outcome)
			}
			if took > 50*time.Millisecond {
				slow = i + 1
			}
			pass(time.Second)
		}
		if slow > 10 {
			t.Errorf("login %d took more than 50ms, expected none after the tenth", slow)
		}
		port := a.endpoint(wire.KindAccess)
		if s := port.health.State(); s != health.Failing {
			t.Errorf("a is %v, expected failing", s)
		}
		if n := f.count(t, "radsec_gw_server_state", "server", "a", "port", "auth", "state", "failing"); n != 1 {
			t.Errorf("the metric says %v for failing, expected 1", n)
		}
		tries := len(f.net.seen("a:1812"))
		for range 60 {
			f.login(t, g)
			pass(time.Second)
		}
		tried := 0
		for _, tr := range f.net.seen("a:1812")[tries:] {
			if tr.octets[0] == byte(radius.CodeAccessRequest) {
				tried++
			}
		}
		if tried < 4 || tried > 6 { // each 12 s
			t.Errorf("a was tried %d times in a minute, expected about each twelve seconds", tried)
		}
		f.net.answering(t, "a", "b")
		for range 20 {
			f.login(t, g)
			pass(time.Second)
		}
		if s := port.health.State(); s != health.Up {
			t.Errorf("a is %v twenty seconds after it works again, expected up", s)
		}
	})
}

// A server that answers half of its requests beside an idle one: what it leaves
// unanswered goes to the other when the patience of the route is over.
func TestHalfAnsweredIsNotRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", checked), f.server(t, "b", checked)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "a", "b")
		var mu sync.Mutex
		first := map[string]bool{}
		count := 0
		f.net.wrap(func(serve server, to string, q []byte) [][]byte {
			if to != "a:1812" || wire.Code(q[0]) == radius.CodeStatusServer {
				return serve(to, q)
			}
			mu.Lock()
			defer mu.Unlock()
			answered, known := first[string(q)]
			if !known {
				count++
				answered = count%2 == 0
				first[string(q)] = answered
			}
			if !answered {
				return nil
			}
			return serve(to, q)
		})
		g := f.group(t, Failover, a, b)
		var all []*owner
		for range 100 {
			o := newOwner(radius.CodeAccessRequest)
			f.start(t, g, o)
			all = append(all, o)
			pass(200 * time.Millisecond)
		}
		for i, o := range all {
			<-o.ended
			if o.outcome() != accepted {
				t.Errorf("login %d: %s, expected an Access-Accept", i, o.outcome())
			}
		}
		if took := time.Since(f.net.start); took > 20*time.Second+defaults.Patience+time.Second {
			t.Errorf("the last login was answered after %v, expected %v after it was sent at the latest", took, defaults.Patience)
		}
	})
}

// A push that the user takes 20 s to confirm is sent once where the route's patience
// is longer, and the server stays up. With less patience it is sent twice, and the log
// says once what to do.
func TestPatience(t *testing.T) {
	for _, row := range []struct {
		patience time.Duration
		pushes   int // of 60 logins
	}{{30 * time.Second, 60}, {0, 120}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			var text bytes.Buffer
			f.backend.log = slog.New(slog.NewTextHandler(&text, nil))
			a, b := f.server(t, "a", checked), f.server(t, "b", checked)
			f.net.answering(t, "a", "b")
			f.net.slow("a", 20*time.Second)
			f.net.slow("b", 20*time.Second)
			g, err := f.backend.NewGroup(GroupConfig{Patience: row.patience}, a, b)
			if err != nil {
				t.Fatal(err)
			}
			pass(2 * time.Second)
			var all []*owner
			for range 60 {
				o := newOwner(radius.CodeAccessRequest)
				f.start(t, g, o)
				all = append(all, o)
				pass(time.Second)
			}
			for _, o := range all {
				<-o.ended
				if o.outcome() != accepted {
					t.Errorf("%s, expected an Access-Accept", o.outcome())
				}
			}
			pushed := f.net.pushes()
			if row.patience != 0 && len(pushed) != row.pushes {
				t.Errorf("patience %v: %d pushes, expected %d", row.patience, len(pushed), row.pushes)
			}
			if row.patience == 0 && len(pushed) <= 60 {
				t.Errorf("default patience: %d pushes, expected more than one each", len(pushed))
			}
			if s := a.endpoint(wire.KindAccess).health.State(); row.patience != 0 && s != health.Up {
				t.Errorf("a is %v, expected up", s)
			}
			pass(30 * time.Second)
			a.Close()
			b.Close()
			synctest.Wait()
			if n := strings.Count(text.String(), "set patience of the route above it"); row.patience != 0 && n != 0 || row.patience == 0 && (n < 1 || n > 2) {
				t.Errorf("patience %v: the hint was logged %d times, expected once for a server whose late answers won\n%s", row.patience, n, text.String())
			}
			if n := f.count(t, "radsec_gw_replies_after_move_total"); row.patience != 0 && n != 0 || row.patience == 0 && n == 0 {
				t.Errorf("patience %v: %v replies after a move", row.patience, n)
			}
		})
	}
}

// pushes returns the logins that servers a and b have got, each once for each server: a
// copy is not a second push.
func (n *network) pushes() map[string]bool {
	pushed := map[string]bool{}
	for _, port := range []string{"a:1812", "b:1812"} {
		for _, tr := range n.seen(port) {
			if tr.octets[0] == byte(radius.CodeAccessRequest) {
				pushed[port+string(tr.octets)] = true
			}
		}
	}
	return pushed
}

// A verified Access-Reject to a Status-Server shows that the port is alive. A server that
// ignores Status-Server and answers requests is up, which is logged once.
func TestOddStatusServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", checked)
		defer a.Close()
		f.net.answering(t, "a")
		f.net.wrap(func(serve server, to string, q []byte) [][]byte {
			if wire.Code(q[0]) == radius.CodeStatusServer {
				return [][]byte{answer(t, q, radius.CodeAccessReject)}
			}
			return serve(to, q)
		})
		pass(time.Minute)
		if s := a.endpoint(wire.KindAccess).health.State(); s != health.Up {
			t.Errorf("a is %v, expected up: it answers its checks with Access-Reject", s)
		}
		if n := f.count(t, "radsec_gw_server_probes_total", "port", "auth", "result", "answered"); n < 2 {
			t.Errorf("%v checks were answered, expected two or more", n)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var text bytes.Buffer
		f.backend.log = slog.New(slog.NewTextHandler(&text, nil))
		a := f.server(t, "a", checked)
		f.net.answering(t, "a")
		f.net.wrap(func(serve server, to string, q []byte) [][]byte {
			if wire.Code(q[0]) == radius.CodeStatusServer {
				return nil
			}
			return serve(to, q)
		})
		g := f.group(t, Failover, a)
		for range 120 {
			if outcome, _ := f.login(t, g); outcome != accepted {
				t.Errorf("%s, expected an Access-Accept", outcome)
			}
			pass(time.Second)
		}
		if s := a.endpoint(wire.KindAccess).health.State(); s != health.Up {
			t.Errorf("a is %v, expected up: it answers requests", s)
		}
		a.Close()
		synctest.Wait()
		if n := strings.Count(text.String(), "never Status-Server"); n != 1 {
			t.Errorf("the missing Status-Server was told %d times, expected once\n%s", n, text.String())
		}
	})
}

// However many clients hold as many Identifiers as they get, another one finds some.
// Rules: P26
func TestTheLastClientFindsIdentifiers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", func(c *ServerConfig) { c.MaxSockets = 4 })
		defer s.Close()
		g := f.group(t, Failover, s)
		take := func(quota *Quota, n int) (got int) {
			for range n {
				o := newOwner(radius.CodeAccountingRequest)
				o.Quota = quota
				b := f.backend.AcquireBatch()
				if g.Start(&o.Exchange, b) == nil {
					got++
				}
				b.Flush()
				f.backend.ReleaseBatch(b)
			}
			return got
		}
		for range 6 {
			take(new(Quota), 1024)
		}
		if got := take(new(Quota), 1); got != 1 {
			t.Error("the seventh client got no Identifier, expected one: six greedy ones leave it some")
		}
		pass(31 * time.Second)
	})
}

// What a reply that does not verify most likely means depends on what was seen before.
func TestHintsSayWhatWasSeen(t *testing.T) {
	forged := func(t *testing.T, q []byte) [][]byte {
		b := answer(t, q, radius.CodeAccessAccept)
		b[5] ^= 1
		return [][]byte{b}
	}
	for _, row := range []struct {
		name   string
		before bool // answers verified before
		want   []string
	}{
		{"never one that verifies", false, []string{"nor did any before; the likeliest cause is that the secret", "and none of them verified: the secret here and on the server differ"}},
		{"others verified", true, []string{"though others did", "though earlier ones did: was the secret changed on one side only?"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			var text bytes.Buffer
			f.backend.log = slog.New(slog.NewTextHandler(&text, nil))
			a := f.server(t, "a", checked)
			f.net.answering(t)
			if row.before {
				f.net.answering(t, "a")
			}
			pass(5 * time.Second)
			f.net.set(func() { f.net.serve = func(_ string, q []byte) [][]byte { return forged(t, q) } })
			g := f.group(t, Failover, a)
			for range 5 {
				f.start(t, g, newOwner(radius.CodeAccessRequest))
			}
			pass(time.Minute)
			a.Close()
			synctest.Wait()
			for _, want := range row.want {
				if !strings.Contains(text.String(), want) {
					t.Errorf("%s: the log does not say %q:\n%s", row.name, want, text.String())
				}
			}
		})
	}
}
