//go:build linux

package world

import (
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// wrongAnswers are ways for a name server to answer that are wrong.
func wrongAnswers() map[string]entry {
	good := at("10.0.0.10")
	return map[string]entry{
		"late":      {addresses: good.addresses, after: 3 * time.Second},
		"wrong":     {addresses: good.addresses, wrong: true},
		"nxdomain":  {code: dnsmessage.RCodeNameError},
		"servfail":  {code: dnsmessage.RCodeServerFailure},
		"refused":   {code: dnsmessage.RCodeRefused},
		"truncated": {addresses: good.addresses, truncated: true},
		"silent":    {silent: true},
		"empty":     {},
	}
}

// A name server that answers in each wrong way: what is known stays in use, what is
// late is waited for, and healthy servers are not affected.
func TestNameServerAnswersWrong(t *testing.T) {
	t.Parallel()
	ways, good := wrongAnswers(), at("10.0.0.10")
	w := newWorld(t)
	names := w.names()
	server := w.server("10.0.0.10", nil)
	var rest string
	for way, e := range ways {
		names.set("later-"+way+".test", good)
		names.set("first-"+way+".test", e)
		for _, name := range []string{"later-" + way, "first-" + way} {
			rest += backend(name, name+".test", `resolve_interval = "1s"`) + route(name+".test", to(name))
		}
	}
	g := w.start(setup{rest: rest})
	c := w.dial()
	// Those that answer late or truncated are waited for; the others are corrected
	// while the logins wait.
	var first exchanges
	for way := range ways {
		first = append(first, c.login("u@first-"+way+".test"))
		if e := c.login("u@later-" + way + ".test"); !e.within(patience) || e.took > firstTry {
			t.Errorf("a name that resolves: %v, expected an answer at once", e)
		}
	}
	for way, e := range ways {
		names.set("later-"+way+".test", e)
	}
	time.Sleep(4 * time.Second) // several look-ups go wrong meanwhile
	for way := range ways {
		if way != "late" && way != "truncated" {
			names.set("first-"+way+".test", good)
		}
	}
	for way := range ways {
		e := c.login("u@later-" + way + ".test")
		if !e.within(patience) || e.took > firstTry {
			t.Errorf("the name server has begun to answer %s: %v, expected an answer at once: the address that was known still serves", way, e)
		}
		if n := names.questions("later-" + way + ".test"); n < 4 {
			t.Errorf("later-%s.test was asked for %d times, expected several look-ups in 4s with resolve_interval = \"1s\"", way, n)
		}
	}
	sum := first.wait(40 * time.Second)
	t.Logf("logins sent while the name server answered wrong at the start: %v", sum)
	if !sum.all() {
		t.Errorf("logins sent while the name server answered wrong at the start: %v, expected all granted: the names were right after 4s", sum)
	}
	t.Logf("the server was sent %d requests; the log has %d lines about names", server.fresh(), g.Output().Count("address="))
}
