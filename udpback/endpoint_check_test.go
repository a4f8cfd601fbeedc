package udpback

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// Which check fits which port.
// Rules: P81
func TestCheckCode(t *testing.T) {
	for _, row := range []struct {
		check health.Check
		label metrics.Port
		want  wire.Code
	}{
		{health.CheckStatusServer, "auth", radius.CodeStatusServer},
		{health.CheckStatusServer, "acct", radius.CodeStatusServer},
		{health.CheckStatusServer, "coa", 0},
		{health.CheckAccessRequest, "auth", radius.CodeAccessRequest},
		{health.CheckAccessRequest, "acct", 0},
		{health.CheckAccessRequest, "coa", 0},
		{health.CheckNone, "auth", 0},
	} {
		if got := CheckCode(row.check, row.label); got != row.want {
			t.Errorf("check %v of %s sends %v, expected %v", row.check, row.label, got, row.want)
		}
		want := row.check
		if row.want == 0 {
			want = health.CheckNone
		}
		if got := healthOf(health.Config{Check: row.check}, row.label).Check; got != want {
			t.Errorf("check %v of %s is %v, expected %v", row.check, row.label, got, want)
		}
	}
}

// A check begins with its Message-Authenticator. A Status-Server has no user name and no
// password; an Access-Request has those that are configured, the password hidden (RFC
// 5997 §3, draft-ietf-radext-deprecating-radius §5.3.2).
// Rules: P46, P78
func TestChecksBeginWithMessageAuthenticator(t *testing.T) {
	for _, check := range []health.Check{health.CheckStatusServer, health.CheckAccessRequest} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			a := f.server(t, "a", func(c *ServerConfig) {
				c.Health = health.Config{Check: check, User: "probe", Password: "probe-password"}
			})
			defer a.Close()
			f.net.answering(t, "a")
			pass(time.Minute)
			sent := f.net.seen("a:1812")
			if len(sent) < 2 {
				t.Fatalf("%d checks, expected two or more", len(sent))
			}
			for _, p := range sent {
				b := p.octets
				if b[20] != 80 || b[21] != 18 {
					t.Errorf("the first attribute of a check is %x, expected Message-Authenticator", b[20:22])
				}
				r, err := radius.Parse(b, []byte(secretText))
				if err != nil {
					t.Fatal(err)
				}
				_, named := r.Lookup(rfc2865.UserName_Type)
				_, hidden := r.Lookup(rfc2865.UserPassword_Type)
				if got := rfc2865.NASIdentifier_GetString(r); got != "radsec-gw" {
					t.Errorf("the NAS-Identifier of a check is %q, expected radsec-gw", got)
				}
				if wire.Code(b[0]) == radius.CodeStatusServer && (named || hidden) {
					t.Error("a Status-Server has a user's name or password, expected neither")
				}
				if wire.Code(b[0]) == radius.CodeAccessRequest && (rfc2865.UserName_GetString(r) != "probe" || rfc2865.UserPassword_GetString(r) != "probe-password") {
					t.Error("an Access-Request has not the name and password that are configured")
				}
				if bytes.Contains(b, []byte("probe-password")) {
					t.Error("a check has its password in clear")
				}
			}
		})
	}
}

// Access-Accept and Accounting-Response answer a Status-Server, each on whichever port
// (RFC 5997 §4.1), and so does Access-Reject, which RFC 5997 §2 lets a server send.
// Nothing else does.
// Rules: P16, C4
func TestAnswersToChecks(t *testing.T) {
	for code, want := range map[radius.Code]health.State{
		radius.CodeAccessAccept: health.Up, radius.CodeAccountingResponse: health.Up, radius.CodeAccessReject: health.Up,
		radius.CodeAccessChallenge: health.Down, radius.CodeCoAACK: health.Down,
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			a := f.server(t, "a", checked)
			defer a.Close()
			f.net.set(func() {
				f.net.serve = func(_ string, q []byte) [][]byte { return [][]byte{answer(t, q, code)} }
			})
			pass(time.Minute)
			for _, kind := range []wire.Kind{wire.KindAccess, wire.KindAccounting} {
				if s := a.endpoint(kind).health.State(); s != want {
					t.Errorf("Status-Server answered with %v: the %s port is %v, expected %v", code, kind, s, want)
				}
			}
		})
	}
}

// A reply that is dropped because its Message-Authenticator is missing is logged, once
// a minute however many there are (draft-ietf-radext-deprecating-radius §5.3.7).
// Rules: P51
func TestMissingMessageAuthenticatorIsLoggedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var text bytes.Buffer
		f.backend.log = slog.New(slog.NewTextHandler(&text, nil))
		a := f.server(t, "a", func(c *ServerConfig) { c.RequireMA = true })
		f.net.set(func() {
			f.net.serve = func(_ string, q []byte) [][]byte { return [][]byte{answer(t, q, radius.CodeAccessAccept)} }
		})
		g := f.group(t, Failover, a)
		for range 20 {
			f.start(t, g, newOwner(radius.CodeAccessRequest))
		}
		synctest.Wait()
		if n := f.count(t, "radsec_gw_server_replies_total", "result", "missing_message_authenticator"); n != 20 {
			t.Errorf("%v replies were dropped for want of a Message-Authenticator, expected 20", n)
		}
		a.Close()
		synctest.Wait()
		if n := strings.Count(text.String(), "has no Message-Authenticator and was dropped"); n != 1 {
			t.Errorf("20 drops within a moment were logged %d times, expected once\n%s", n, text.String())
		}
	})
}

// A packet that this machine cannot send says nothing about the server: neither a check
// for which it lacks memory, nor requests for which it lacks a route.
// Rules: P84
func TestUnsentRequestsAreNotEvidence(t *testing.T) {
	for _, row := range []struct {
		name  string
		check health.Check
		err   error
	}{
		{"checks, no memory", health.CheckStatusServer, syscall.ENOBUFS},
		{"requests, no memory", health.CheckNone, syscall.ENOBUFS},
		{"requests, no way", health.CheckNone, syscall.ENETUNREACH},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				a := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = row.check })
				defer a.Close()
				f.net.answering(t, "a")
				g := f.group(t, Failover, a)
				if outcome, _ := f.login(t, g); outcome != accepted {
					t.Fatalf("%s, expected an Access-Accept", outcome)
				}
				pass(5 * time.Second) // the first check is answered
				f.net.set(func() { f.net.cut["a:1812"] = row.err })
				for range 30 {
					if row.check == health.CheckNone {
						f.start(t, g, newOwner(radius.CodeAccessRequest))
					}
					pass(10 * time.Second)
					if s := a.endpoint(wire.KindAccess).health.State(); s != health.Up {
						t.Fatalf("a is %v, expected up: nothing was sent that it could have answered", s)
					}
				}
			})
		})
	}
}

// After a check that cannot be sent, or is not answered, others follow. It counts against
// the server only if the network or the server is at fault.
// Rules: P82, P84
func TestChecksGoOn(t *testing.T) {
	cut := func(err error) func(*network) { return func(n *network) { n.cut["a:1812"] = err } }
	for _, row := range []struct {
		name   string
		fault  func(*network)
		state  health.State // after 20 s of it
		counts bool         // the checks are counted as unanswered
	}{
		{"no socket", func(n *network) { n.noWay["a:1812"] = syscall.EMFILE }, health.Up, false},
		{"no memory", cut(syscall.ENOBUFS), health.Up, false},
		{"the own address is gone", cut(syscall.EADDRNOTAVAIL), health.Up, false},
		{"no way", cut(syscall.EHOSTUNREACH), health.Down, true},
		{"silence", func(n *network) { n.serve = nil }, health.Down, true},
		{"answers", func(*network) {}, health.Up, false},
		{"Protocol-Errors", func(n *network) {
			n.serve = func(_ string, q []byte) [][]byte { return [][]byte{protocolError(q, 502-256)} }
		}, health.Up, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.net.answering(t, "a")
				right := f.net.serve
				row.fault(f.net)
				a := f.server(t, "a", func(c *ServerConfig) { checked(c); c.AcctPort, c.CoAPort = 0, 0 })
				defer a.Close()
				pass(20 * time.Second)
				port := a.endpoint(wire.KindAccess).health
				count := func(result string) float64 {
					return f.count(t, "radsec_gw_server_probes_total", "server", "a", "result", result)
				}
				if port.State() != row.state || count("unanswered") > 0 != row.counts {
					t.Errorf("a is %v after 20 s, %v checks are unanswered; expected %v, and any %t", port.State(), count("unanswered"), row.state, row.counts)
				}
				if answered := row.name == "answers" || row.name == "Protocol-Errors"; count("answered") > 0 != answered || (port.HeardSince(0)) != answered {
					t.Errorf("%v checks are answered, expected any %t", count("answered"), answered)
				}
				f.net.set(func() {
					clear(f.net.noWay)
					clear(f.net.cut)
					f.net.serve = right
				})
				before, sent := count("answered"), time.Now()
				pass(35 * time.Second)
				if count("answered") == before || port.State() != health.Up {
					t.Errorf("a is %v, %d checks were sent when nothing is wrong any more; expected up, and some", port.State(), f.net.sentTo("a:1812", sent))
				}
			})
		})
	}
}

// A check that cannot be written is not sent, and takes no Identifier.
func TestCheckThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", func(c *ServerConfig) {
			c.Health = health.Config{Check: health.CheckAccessRequest, User: strings.Repeat("u", 254), Password: "p"}
		})
		defer a.Close()
		pass(time.Minute)
		if n := len(f.net.seen("a:1812")); n != 0 {
			t.Errorf("%d checks, expected none: no attribute holds the name", n)
		}
		if n := f.count(t, "radsec_gw_server_outstanding_requests"); n != 0 {
			t.Errorf("%v requests outstanding, expected none", n)
		}
		c := a.config
		c.Health.User = "u"
		a.Reconfigure(c)
		pass(10 * time.Second)
		if n := len(f.net.seen("a:1812")); n == 0 {
			t.Error("no check when the name is one that fits, expected some")
		}
	})
}

// A check whose socket is closed while it waits, because the sockets were renewed and its
// interval is longer than any schedule, is sent again.
func TestCheckOnASocketThatCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", func(c *ServerConfig) { checked(c); c.Health.CheckInterval = 2 * time.Minute })
		defer a.Close()
		pass(2 * time.Second)
		f.backend.Refresh()
		pass(150 * time.Second)
		if n := len(f.net.seen("a:1812")); n != 2 {
			t.Errorf("%d checks within an interval and a bit, expected a second after the first was lost", n)
		}
	})
}

// When one port falls silent the others of the server are checked at once: an idle one of a
// server that is gone is down as soon as that port, not after its watchdog.
func TestSilenceOfOnePortChecksTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", checked)
		defer a.Close()
		f.net.set(func() {
			f.net.serve = func(_ string, q []byte) [][]byte { return [][]byte{answer(t, q, radius.CodeAccessAccept)} }
		})
		pass(time.Second) // both ports have answered a check
		f.net.set(func() { f.net.serve = nil })
		a.endpoint(wire.KindAccess).health.Refused()
		pass(15 * time.Second)
		for _, kind := range []wire.Kind{wire.KindAccess, wire.KindAccounting} {
			if s := a.endpoint(kind).health.State(); s != health.Down {
				t.Errorf("15 s after the port for access was closed the %s port is %v, expected down", kind, s)
			}
		}
	})
}

// Health checks come from the server's own address, also while all requests come from the
// sources of clients, which have other secrets; what they find out is for all.
// Rules: ID6, P83
func TestChecksSpeakForAllSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		m := f.machine()
		var checks []netip.Addr // where each came from
		const own = "secret-of-the-client"
		down := false
		f.net.serve = func(_ string, q []byte) [][]byte {
			secret, silent := own, false
			m.change(func() {
				if silent = down; wire.Code(q[0]) == radius.CodeStatusServer {
					secret, checks = secretText, append(checks, m.last)
				}
			})
			p, err := radius.Parse(q, []byte(secret))
			if err != nil || silent {
				return nil
			}
			b, _ := p.Response(radius.CodeAccessAccept).Encode()
			return [][]byte{b}
		}
		a := f.server(t, "a", checked)
		g := f.group(t, Failover, a)
		source := f.source(t, from1, own)
		e := a.endpoint(wire.KindAccess)
		if got := f.try(g, source); got != accepted {
			t.Errorf("a request from the source: %s, expected an Access-Accept", got)
		}
		m.change(func() { down = true })
		for range 6 {
			f.try(g, source)
		}
		if s := e.health.State(); s != health.Down {
			t.Errorf("a server that answers neither checks nor requests is %v, expected down", s)
		}
		m.change(func() { down = false })
		pass(time.Minute)
		if s := e.health.State(); s != health.Up {
			t.Errorf("a server that answers checks again is %v, expected up", s)
		}
		if got := f.try(g, source); got != accepted {
			t.Errorf("a request from the source afterwards: %s, expected an Access-Accept", got)
		}
		a.Close()
		if len(checks) < 4 {
			t.Errorf("%d checks, expected some while the server is down and until it is up", len(checks))
		}
		for _, from := range checks {
			if from.IsValid() {
				t.Errorf("a check came from %v, expected the server's own address", from)
			}
		}
	})
}
