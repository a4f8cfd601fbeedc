package rules

import (
	"errors"
	"strings"
	"testing"

	"layeh.com/radius"

	"radsec-gw/wire"
)

const accept = radius.CodeAccessAccept

// Remove comes before keep, replace, set, default and add, whatever the file's order.
//
// Rules: AR1
func TestOrder(t *testing.T) {
	r := &Rule{
		Add:     assign("Reply-Message", "added"),
		Default: assign("Filter-Id", "default"),
		Set:     assign("NAS-Identifier", "set"),
		Replace: []Replacement{{"key", "User-Name", "bob", "eve"}},
		Keep:    items("User-Name", "Filter-Id"),
		Remove:  items("Filter-Id"),
	}
	expect(t, "one rule with every step", r, packet(t, 1, attr(11, "sent"), attr(1, "bob"), attr(18, "sent")),
		`1=eve 32=set 11=default 18=added`)
}

// The steps of a preset come before those of its rule, and reject before all others.
//
// Rules: AR1
func TestPresetAndRejectComeFirst(t *testing.T) {
	expect(t, "what a preset writes is removed", &Rule{Use: items("eduroam-out"), Remove: items("Chargeable-User-Identity")},
		packet(t, 1, attr(1, "bob@example.org")), "1=bob@example.org")
	for says, r := range map[string]*Rule{
		"a value that the rule removes": {Reject: []Pattern{{"k", "Filter-Id", "x"}}, Remove: items("Filter-Id")},
		"a name that the rule corrects": {Use: items("eduroam-out"), Replace: []Replacement{{"k", "User-Name", "$", "@example.org"}}},
	} {
		var rejected *RejectError
		if _, err := apply(t, r, packet(t, 1, attr(1, "bob"), attr(11, "x"))); !errors.As(err, &rejected) {
			t.Errorf("%s: expected a RejectError, got %v", says, err)
		}
	}
}

// Programs run in the order in which the chain has them, each on what the one before
// it has left.
//
// Rules: AR1
func TestChainOrder(t *testing.T) {
	first := compiled(t, &Rule{Set: assign("User-Name", "one")})
	second := compiled(t, &Rule{Replace: []Replacement{{"key", "User-Name", "^one$", "two"}}})
	got, err := NewChain(first, second).Apply(NewEditor(), packet(t, 1), wire.KindAccess, facts, wire.Sealer{})
	if err != nil || show(got) != "1=two" {
		t.Errorf("expected the second rule to see what the first wrote, got %v, %v", got, err)
	}
}

// A nil chain changes nothing, and a packet that no rule concerns is returned as it is.
//
// Rules: AR10
func TestNothingToDo(t *testing.T) {
	v := packet(t, 1, attr(1, "bob"))
	var none *Chain
	if got, err := none.Apply(NewEditor(), v, wire.KindAccess, facts, wire.Sealer{}); got != v || err != nil {
		t.Errorf("expected the same view from a nil chain, got %v", err)
	}
	if none.StripFacts(NewEditor(), v, wire.KindAccess, facts) != v || none.Applies(wire.KindAccess) || none.ChangesUserName(wire.KindAccess) {
		t.Error("expected a nil chain to do nothing")
	}
	if got, _ := apply(t, &Rule{Remove: items("Filter-Id")}, v); got != v {
		t.Error("expected the same view when nothing matched")
	}
	c := NewChain(compiled(t, &Rule{Kinds: [wire.NumKinds]bool{wire.KindCoA: true}, Set: assign("User-Name", "x")}))
	if got, _ := c.Apply(NewEditor(), v, wire.KindAccess, facts, wire.Sealer{}); got != v {
		t.Error("expected the same view for a kind that no rule is for")
	}
}

// A reply loses the attributes that the request was given from facts, and keeps
// others of the same type.
//
// Rules: ID4
func TestStripFacts(t *testing.T) {
	c := NewChain(compiled(t, &Rule{
		Set: []Assignment{{"k", "Filter-Id", []string{"{client.name}"}}, {"k", "NAS-IP-Address", []string{"{client.address}"}}, {"k", "Reply-Message", []string{"fixed"}}},
		Add: assign("Cisco-AVPair", "client={client.name}"),
	}))
	reply := packet(t, accept, attr(11, "ap-7"), attr(11, "other"), attr(4, "\xc0\x00\x02\x07"), attr(18, "fixed"), vsa(9, 1, "client=ap-7", 1, "x"), vsa(9, 1, "client=ap-7"))
	got := c.StripFacts(NewEditor(), reply, wire.KindAccess, facts)
	if want := `11=other 18=fixed 26=\x00\x00\x00\t\x01\x03x`; show(got) != want {
		t.Errorf("expected %s, got %s", want, show(got))
	}
}

// The client gets its own User-Name back for the one that was sent; another passes.
//
// Rules: AR5
func TestReplaceUserName(t *testing.T) {
	reply := packet(t, accept, attr(1, "new"), attr(18, "x"), attr(1, "server's own"))
	for _, c := range []struct{ own, want string }{
		{"the old name", "1=the old name 18=x 1=server's own"},
		{"", "18=x 1=server's own"},
	} {
		var own []byte
		if c.own != "" {
			own = []byte(c.own)
		}
		got, err := ReplaceUserName(NewEditor(), reply, []byte("new"), own)
		if err != nil || show(got) != c.want {
			t.Errorf("expected %s, got %s, %v", c.want, show(got), err)
		}
	}
	if !NewChain(compiled(t, &Rule{Keep: items("Filter-Id")})).ChangesUserName(wire.KindAccess) {
		t.Error("expected keep without User-Name to change it")
	}
	if NewChain(compiled(t, &Rule{Remove: items("Filter-Id")})).ChangesUserName(wire.KindAccess) {
		t.Error("expected removing Filter-Id not to change User-Name")
	}
}

// A packet that would exceed 4096 octets is an error.
//
// Rules: ID3
func TestTooLong(t *testing.T) {
	var full [][]byte
	for range 16 {
		full = append(full, attr(18, strings.Repeat("x", 250)))
	}
	v := packet(t, 1, full...)
	if _, err := apply(t, &Rule{Add: assign("Filter-Id", strings.Repeat("y", 42))}, v); err != nil {
		t.Errorf("expected 4096 octets to fit, got %v", err)
	}
	if _, err := apply(t, &Rule{Add: assign("Filter-Id", strings.Repeat("y", 43))}, v); !errors.Is(err, wire.ErrTooLong) {
		t.Errorf("expected ErrTooLong for 4097 octets, got %v", err)
	}
	if _, err := apply(t, &Rule{Replace: []Replacement{{"k", "Reply-Message", "^x", "zzzz"}}}, v); !errors.Is(err, wire.ErrTooLong) {
		t.Errorf("expected ErrTooLong for longer values, got %v", err)
	}
}

// What rules write stands at the end, not among EAP-Messages.
//
// Rules: ID3, P11
func TestAtTheEnd(t *testing.T) {
	expect(t, "an EAP packet in two attributes", &Rule{Set: assign("User-Name", "eve")},
		packet(t, 1, attr(79, "a"), attr(79, "b"), attr(1, "bob")), "79=a 79=b 1=eve")
}

// The editor may be used for a packet that it has returned.
func TestChained(t *testing.T) {
	e := NewEditor()
	v := packet(t, 1, attr(1, "a"))
	for _, with := range []string{"${0}b", "${0}c", "${0}d"} {
		before := string(v.Packet)
		got, err := NewChain(compiled(t, &Rule{Replace: []Replacement{{"k", "User-Name", "^.*$", with}}})).Apply(e, v, wire.KindAccess, facts, wire.Sealer{})
		if err != nil || string(v.Packet) != before {
			t.Fatalf("expected the packet given to Apply unchanged, got % x, %v", v.Packet, err)
		}
		v = got
	}
	if show(v) != "1=abcd" {
		t.Errorf("expected 1=abcd, got %s", show(v))
	}
}

// Steps of a preset may be for requests or replies only; reject is for requests.
//
// Rules: AR11
func TestRejectIsForRequests(t *testing.T) {
	r := &Rule{Reject: []Pattern{{"k", "User-Name", `\s`}}}
	_, err := apply(t, r, packet(t, 1, attr(1, "bob @example.org")))
	var rejected *RejectError
	if !errors.As(err, &rejected) || rejected.Attribute != "User-Name" || rejected.Rule != "test" {
		t.Errorf("expected a RejectError that names rule and attribute, got %v", err)
	}
	if _, err := apply(t, r, packet(t, accept, attr(1, "bob @example.org"))); err != nil {
		t.Errorf("expected replies to pass, got %v", err)
	}
}

// Facts are written in Access, Accounting, CoA and Disconnect alike, for the kinds that
// the rule is for.
//
// Rules: ID4
func TestKinds(t *testing.T) {
	c := NewChain(compiled(t, &Rule{Set: assign("NAS-Identifier", "{client.name}")}))
	for _, code := range []radius.Code{radius.CodeAccessRequest, radius.CodeAccountingRequest, radius.CodeCoARequest, radius.CodeDisconnectRequest} {
		v := packet(t, code, attr(32, "forged"))
		got, err := c.Apply(NewEditor(), v, v.Kind(), facts, wire.Sealer{})
		if err != nil || show(got) != "32=ap-7" || got.Code() != code {
			t.Errorf("%v: expected 32=ap-7, got %v, %v", code, got, err)
		}
	}
	if c.Applies(wire.KindStatus) {
		t.Error("expected no rule for Status-Server")
	}
}

// Lines says what a rule does, in order.
//
// Rules: AR2
func TestLines(t *testing.T) {
	got := strings.Join(compiled(t, &Rule{Remove: items("Filter-Id"), Reject: []Pattern{{"k", "User-Name", "x"}}, Add: assign("Reply-Message", "hello")}).Lines(), "\n")
	if want := "reject User-Name ~ \"x\" (requests)\nremove Filter-Id\nadd Reply-Message = [\"hello\"]"; got != want {
		t.Errorf("expected %s, got %s", want, got)
	}
}
