package relay

import (
	"bytes"
	"encoding/binary"
	"errors"
	"regexp"
	"slices"
	"testing"

	"radsec-gw/rules"
	"radsec-gw/wire"
)

// The twin of a Passage changes lists of attributes, slowly and plainly. It knows attributes
// that are texts without a vendor only; package rules compares single steps on all others.

// tried is one step of a rule for both: the first octet of a program chooses the verb, the
// second the attribute, the third the value.
type tried struct{ verb, name, value byte }

var (
	triedNames = []struct {
		text string
		typ  byte
	}{{"User-Name", 1}, {"Filter-Id", 11}, {"Reply-Message", 18}, {"NAS-Identifier", 32}}
	triedValues  = []string{"x", "{client.name}", "of {client.name}", "{certificate.san_dns}", "bob"}
	triedWith    = []struct{ pattern, with string }{{"@old$", "@new"}, {"^(.*)@.*$", "$1"}, {"b", ""}, {"$", "{client.name}"}, {"^(.)(.*)$", "$2$1"}}
	triedFacts   = rules.Facts{Client: "campus"}
	untouchable  = []byte{3, 24, 25, 33, 60, 70, 79, 80} // AR4, P14
	noText       = []byte{2, 26, 69, 214, 215, 241, 242, 243, 244, 245, 246}
	factsAsTexts = map[string]string{"{client.name}": "campus", "of {client.name}": "of campus", "x": "x", "bob": "bob"}
)

// stepsOf reads a program of at most eight steps.
func stepsOf(program []byte) (list []tried) {
	for ; len(program) >= 3 && len(list) < 8; program = program[3:] {
		list = append(list, tried{program[0] % 6, program[1] % byte(len(triedNames)), program[2]})
	}
	return list
}

// chain compiles each step as a rule of its own.
func chainOfSteps(t *testing.T, steps []tried) *rules.Chain {
	var list []rules.Rule
	for _, s := range steps {
		var r rules.Rule
		name := triedNames[s.name].text
		assignment := []rules.Assignment{{Attribute: name, Values: []string{triedValues[int(s.value)%len(triedValues)]}}}
		switch s.verb {
		case 0:
			r.Remove = []rules.Item{{Text: name}}
		case 1:
			r.Keep = []rules.Item{{Text: name}}
		case 2:
			w := triedWith[int(s.value)%len(triedWith)]
			r.Replace = []rules.Replacement{{Attribute: name, Pattern: w.pattern, With: w.with}}
		case 3:
			r.Set = assignment
		case 4:
			r.Default = assignment
		case 5:
			r.Add = assignment
		}
		list = append(list, r)
	}
	return chainOf(t, list...)
}

// apply is a step by the twin; false: it fails.
func (s tried) apply(list []attr) ([]attr, bool) {
	typ := triedNames[s.name].typ
	is := func(a attr) bool { return a.t == typ }
	value, present := factsAsTexts[triedValues[int(s.value)%len(triedValues)]]
	switch s.verb {
	case 0:
		return slices.DeleteFunc(list, is), true
	case 1:
		return slices.DeleteFunc(list, func(a attr) bool { return !is(a) && !untouched(a) }), true
	case 2:
		w := triedWith[int(s.value)%len(triedWith)]
		expr := regexp.MustCompile(w.pattern)
		for i, a := range list {
			at := expr.FindSubmatchIndex(a.v)
			if !is(a) || at == nil {
				continue
			}
			with := bytes.ReplaceAll(expr.Expand(nil, []byte(w.with), a.v, at), []byte("{client.name}"), []byte("campus"))
			v := slices.Concat(a.v[:at[0]], with, a.v[at[1]:])
			if len(v) == 0 || len(v) > 253 {
				return nil, false
			}
			list[i].v = v
		}
		return list, true
	case 3:
		list = slices.DeleteFunc(list, is)
	case 4:
		if slices.ContainsFunc(list, is) {
			return list, true
		}
	}
	if present {
		list = append(list, attr{typ, []byte(value)})
	}
	return list, true
}

// untouched reports whether no rule may change or remove an attribute (AR4).
func untouched(a attr) bool { return slices.Contains(untouchable, a.t) || isMSCHAP(a) }

// isMSCHAP reports whether an attribute is a response, challenge or second response of MS-CHAP
// alone (RFC 2548 §2).
func isMSCHAP(a attr) bool {
	v := a.v
	return a.t == 26 && len(v) >= 6 && bytes.Equal(v[:4], []byte{0, 0, 1, 55}) && int(v[5]) == len(v)-4 && slices.Contains([]byte{1, 11, 25}, v[4])
}

// through applies steps; false: one fails, or the packet is too long.
func through(list []attr, steps []tried) ([]attr, bool) {
	list = clonePacket(list)
	for _, s := range steps {
		var ok bool
		if list, ok = s.apply(list); !ok || lengthOf(list) > wire.MaxLength {
			return nil, false
		}
	}
	return list, true
}

func clonePacket(list []attr) (all []attr) {
	for _, a := range list {
		all = append(all, attr{a.t, bytes.Clone(a.v)})
	}
	return all
}

func lengthOf(list []attr) (n int) {
	n = wire.MinLength
	for _, a := range list {
		n += 2 + len(a.v)
	}
	return n
}

// back is what the twin makes of a reply before the rules for replies: without the facts that
// the request was given, with the client's own User-Name.
func back(reply []attr, requestSteps []tried, sent, own []attr) []attr {
	reply = clonePacket(reply)
	for _, s := range requestSteps {
		text := triedValues[int(s.value)%len(triedValues)]
		if value, present := factsAsTexts[text]; s.verb >= 3 && present && text[len(text)-1] == '}' && triedNames[s.name].typ != 1 {
			reply = slices.DeleteFunc(reply, func(a attr) bool { return a.t == triedNames[s.name].typ && string(a.v) == value })
		}
	}
	was, name := firstName(own), firstName(sent)
	if name == nil || bytes.Equal(was, name) && was != nil {
		return reply
	}
	for i := range reply {
		if reply[i].t == 1 && bytes.Equal(reply[i].v, name) {
			reply[i].v = was
		}
	}
	if was == nil {
		reply = slices.DeleteFunc(reply, func(a attr) bool { return a.t == 1 && a.v == nil })
	}
	return reply
}

// firstName returns the first User-Name; nil: there is none.
func firstName(list []attr) []byte {
	if i := slices.IndexFunc(list, func(a attr) bool { return a.t == 1 }); i >= 0 {
		return append([]byte{}, list[i].v...)
	}
	return nil
}

// listOf returns the attributes of a packet.
func listOf(p []byte) (list []attr) {
	for b := p[wire.MinLength:]; len(b) > 0; b = b[b[1]:] {
		list = append(list, attr{b[0], b[2:b[1]]})
	}
	return list
}

func sameList(a, b []attr) bool {
	return slices.EqualFunc(a, b, func(x, y attr) bool { return x.t == y.t && bytes.Equal(x.v, y.v) })
}

// viewOfList returns a packet with these attributes; nil: it is not well-framed.
func viewOfList(code byte, list []attr, v11 bool) *wire.View {
	b := append([]byte{code, 7, 0, 0}, make([]byte, 16)...)
	for _, a := range list {
		b = append(append(b, a.t, byte(2+len(a.v))), a.v...)
	}
	return framed(b, v11)
}

// viewOfAttributes returns a request with the octets of its attributes; nil: it is not
// well-framed, or too long.
func viewOfAttributes(code byte, attributes []byte, v11 bool) *wire.View {
	if len(attributes) > wire.MaxLength-wire.MinLength {
		return nil
	}
	return framed(append(append([]byte{code, 7, 0, 0}, make([]byte, 16)...), attributes...), v11)
}

// framed sets the length of a packet, and reads it.
func framed(b []byte, v11 bool) *wire.View {
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	v := new(wire.View)
	if v11 && v.Parse11(b) == nil || !v11 && v.Parse(b) == nil {
		return v
	}
	return nil
}

// triedCodes are requests and their replies.
var triedCodes = []struct {
	kind           wire.Kind
	request, reply byte
}{{wire.KindAccess, 1, 2}, {wire.KindAccounting, 4, 5}, {wire.KindCoA, 43, 44}, {wire.KindDisconnect, 40, 41}}

// trip is what a request was and became, by the twin, and the steps of the rules: for the
// request in their order, for the reply those of the server and those of the client.
type trip struct {
	own, sent       []attr
	there, answered []tried
	reply           byte // its code
}

// overTheWire writes the request for the server, has it send everything back, and writes the
// reply for the client.
func overTheWire(t *testing.T, p *Passage, v, changed *wire.View, twin trip) {
	e, other, d := rules.NewEditor(), rules.NewEditor(), wire.NewDigests()
	secret := must(wire.NewServerSecret([]byte(serverText)))
	to, err := p.ToServer(e, d, changed)
	if err != nil {
		t.Fatalf("to the server again: %v", err)
	}
	seen, client := make([]byte, wire.MaxLength), make([]byte, wire.MaxLength)
	n, err := d.WriteRequestWith(seen, to, p.Secret, secret, 9, &wire.RequestOptions{})
	if err != nil {
		if !errors.Is(err, wire.ErrChallenge) && lengthOf(twin.sent) < wire.MaxLength-18-18 { // a Message-Authenticator, a CHAP-Challenge
			t.Fatalf("the request cannot be written: %v", err)
		}
		return
	}
	d.Run()
	saw := without(listOf(seen[:n]), 80)
	wantSent := without(twin.sent, 33, 80)
	if p.Kind == wire.KindAccounting {
		wantSent = without(wantSent, 79) // RFC 2869 §5.19
	}
	if len(saw) == len(wantSent)+1 && !slices.ContainsFunc(wantSent, isChallenge) { // RFC 2865 §2.3
		wantSent = append(wantSent, saw[slices.IndexFunc(saw, isChallenge)])
	}
	checkCarried(t, "the server", saw, wantSent)
	ra := [16]byte(seen[4:20])
	expected, ok := through(back(saw, twin.there, twin.sent, twin.own), twin.answered)
	reply, err := p.Reply(e, other, d, viewOfList(twin.reply, saw, false), v, changed, &ra, secret)
	if ok && err != nil || !ok {
		return // compared before
	}
	if n, err = d.WriteReply(client, reply, v, &ra, secret, p.Secret); err != nil {
		if lengthOf(expected) < wire.MaxLength-18-lengthOf(only(twin.own, 33)) {
			t.Fatalf("the reply cannot be written: %v", err)
		}
		return
	}
	d.Run()
	got := listOf(client[:n])
	checkCarried(t, "the client", without(got, 33, 80), expected)
	if states := only(got, 33); !sameList(states, only(twin.own, 33)) {
		t.Fatalf("the client got Proxy-State %v, expected its own", states)
	}
}

func isChallenge(a attr) bool { return a.t == 60 }

// checkCarried fails the test unless the attributes are the twin's, in its order.
func checkCarried(t *testing.T, who string, got, want []attr) {
	if !sameList(got, want) {
		t.Fatalf("%s got\n %v\nexpected\n %v", who, got, want)
	}
}

func only(list []attr, typ byte) []attr {
	return slices.DeleteFunc(slices.Clone(list), func(a attr) bool { return a.t != typ })
}

func without(list []attr, types ...byte) []attr {
	return slices.DeleteFunc(slices.Clone(list), func(a attr) bool { return slices.Contains(types, a.t) })
}

// A request passes the rules of its client and of its server, the server sends everything
// back, and the reply passes the rules for replies: each time the packet is the twin's, and so
// is what is written for the server and for the client.
//
// Rules: AR1, AR2, AR4, AR5, AR7, ID2, ID3, ID4
func FuzzPassage(f *testing.F) {
	plain := viewOfList(1, []attr{user("bob@old"), text(32, "ap"), text(79, "eap"), text(79, "more"), text(24, "state"), text(33, "one"), text(11, "a"), text(11, "b")}, false).Packet[20:]
	chap := viewOfList(1, []attr{user("CORP\\bob@old"), text(26, "\x00\x00\x01\x37\x0b\x05abc"), text(26, "\x00\x00\x01\x37\x19\x04xy"), text(3, "\x01response.of.chap."), text(25, "class")}, false).Packet[20:]
	for verb := range byte(6) {
		for name := range byte(len(triedNames)) {
			for value := range byte(5) {
				f.Add(plain, []byte{verb, name, value, 2, 0, 1}, []byte{5, name, value}, []byte{2, 0, 0}, []byte{verb, name, value}, value, name%2 == 0)
				f.Add(chap, []byte{verb, name, value}, []byte{2, 0, value}, []byte{verb, name, value}, []byte{}, byte(0), name%2 == 1)
			}
		}
	}
	f.Add(bytes.Repeat([]byte{18, 6, 'a', 'b', 'c', 'd'}, 679), []byte{5, 3, 1, 5, 2, 1}, []byte{2, 2, 3}, []byte{}, []byte{2, 2, 4}, byte(0), false)
	f.Add([]byte{1, 2, 1, 5, 'b', 'o', 'b'}, []byte{2, 0, 2}, []byte{}, []byte{}, []byte{3, 0, 4}, byte(1), true)
	f.Fuzz(func(t *testing.T, attributes, client, server, serverReply, reply []byte, kind byte, v11 bool) {
		code := triedCodes[int(kind)%len(triedCodes)]
		v := viewOfAttributes(code.request, attributes, v11)
		if v == nil {
			return
		}
		own := listOf(v.Packet)
		if slices.ContainsFunc(own, func(a attr) bool { return slices.Contains(noText, a.t) && !isMSCHAP(a) }) {
			return
		}
		there, here, first, last := stepsOf(client), stepsOf(server), stepsOf(serverReply), stepsOf(reply)
		answered := slices.Concat(first, last)
		e, other, d := rules.NewEditor(), rules.NewEditor(), wire.NewDigests()
		secret, serverSecret := must(wire.NewClientSecret([]byte(clientText))), must(wire.NewServerSecret([]byte(serverText)))
		passage := Passage{Kind: code.kind, Facts: &triedFacts, Secret: secret,
			Client: AttributeRules{chainOfSteps(t, there), chainOfSteps(t, last)}, Server: AttributeRules{chainOfSteps(t, here), chainOfSteps(t, first)}}

		want, ok := through(own, there)
		got, err := passage.FromClient(e, d, v)
		if ok != (err == nil) || err == nil && !sameList(listOf(got.Packet), want) {
			t.Fatalf("from the client: %v\n %v\nexpected %t\n %v", err, got, ok, want)
		}
		if err != nil {
			return
		}
		changed := *got
		changed.Packet = bytes.Clone(got.Packet)
		sent, ok := through(want, here)
		got, err = passage.ToServer(e, d, &changed)
		if ok != (err == nil) || err == nil && !sameList(listOf(got.Packet), sent) {
			t.Fatalf("to the server: %v\n %v\nexpected %t\n %v", err, got, ok, sent)
		}
		if err != nil {
			return
		}
		echoed := viewOfList(code.reply, sent, false)
		expected, ok := through(back(sent, append(there, here...), sent, own), answered)
		if lengthOf(back(sent, append(there, here...), sent, own)) > wire.MaxLength {
			ok = false
		}
		got, err = passage.Reply(e, other, d, echoed, v, &changed, new([16]byte), serverSecret)
		if ok != (err == nil) || err == nil && !sameList(listOf(got.Packet), expected) {
			t.Fatalf("the reply: %v\n %v\nexpected %t\n %v", err, got, ok, expected)
		}
		overTheWire(t, &passage, v, &changed, trip{own, sent, append(there, here...), answered, code.reply})
	})
}
