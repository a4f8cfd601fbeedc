package dynauth

import (
	"strings"
	"testing"

	"layeh.com/radius"

	"radsec-gw/rules"
	"radsec-gw/wire"
)

// chainOf compiles one rule for CoA and Disconnect.
func chainOf(t *testing.T, r rules.Rule) *rules.Chain {
	r.Name = "r"
	r.Kinds[wire.KindCoA], r.Kinds[wire.KindDisconnect] = true, true
	p, mistakes := rules.Compile(&r)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return rules.NewChain(p)
}

// The rules of a client change what is sent down to it, and its answers: a user gets the realm
// back that its server does not know, as in accounting the other way round.
//
// Rules: AR6
func TestReverseRules(t *testing.T) {
	for _, version := range []func(*LinkConfig){func(*LinkConfig) {}, v11} {
		b := newBed(t)
		b.change("a", func(c *ClientConfig) {
			c.Request = chainOf(t, rules.Rule{Replace: []rules.Replacement{{Attribute: "User-Name", Pattern: "^([^@]*)$", With: "$1@example.org"}}})
			c.Reply = chainOf(t, rules.Rule{Set: []rules.Assignment{{Attribute: "Reply-Message", Values: []string{"{client.address}"}}}})
		})
		l := b.open("a", version, func(c *LinkConfig) {
			remote := c.Remote
			c.Facts = func() *rules.Facts { return &rules.Facts{Peer: remote} }
		})
		l.login(session("s"), nasID("ap"))
		p := b.ask(1, session("s"), user("al"))
		down := l.one()
		if got := string(view(t, down).UserName()); got != "al@example.org" {
			t.Errorf("the NAS gets User-Name %q", got)
		}
		answer := ack(t, down, radius.CodeDisconnectACK)
		if l.V11 {
			answer = reply11(down, 41)
		}
		l.reply(answer)
		if got := string(b.verified(p, b.answers()[0].packet).Get(18)); got != "203.0.113.7" {
			t.Errorf("the sender gets Reply-Message %q", got)
		}
	}
}

// A rule that refuses a request has it refused with 407, and one that cannot change an answer
// loses that; both are counted.
func TestReverseRulesRefuse(t *testing.T) {
	b := newBed(t)
	b.change("a", func(c *ClientConfig) {
		c.Request = chainOf(t, rules.Rule{Reject: []rules.Pattern{{Attribute: "User-Name", Pattern: "^root$"}}})
		c.Reply = chainOf(t, rules.Rule{Replace: []rules.Replacement{{Attribute: "Reply-Message", Pattern: "^x$"}}})
	})
	l := b.open("a")
	l.login(session("s"), nasID("ap"))
	b.wantNAK(b.ask(1, session("s"), user("root")), 407)
	if l.Outstanding() != 0 {
		t.Error("it still waits")
	}
	b.ask(2, session("s"))
	l.reply(ack(t, l.one(), radius.CodeDisconnectACK, attr{18, "x"}))
	if len(b.answers()) > 0 {
		t.Error("the answer was sent")
	}
	b.wantFates("disconnect rule_failed 1, disconnect rule_rejected 1")
	if log := b.log.String(); !strings.Contains(log, "cannot be sent down") || !strings.Contains(log, "cannot be passed on") {
		t.Errorf("the log is %s", log)
	}
}
