package rules

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"radsec-gw/wire"
)

// tried is one step of a rule, for Compile and for the twin.
type tried struct{ verb, name, value byte }

// The verbs of tried, in the order in which a rule takes them.
const (
	tryReject = iota
	tryRemove
	tryKeep
	tryReplace
	trySet
	tryDefault
	tryAdd
	nextRule // begins a rule
)

// triedFacts are those of FuzzChain: some are absent, one is long.
var triedFacts = &Facts{Client: "ap-7", Certificate: CertificateFacts{Subject: strings.Repeat("s", 236)}}

// triedValues are values of attributes, and what they stand for; "" is a fact that is absent.
var triedValues = []struct{ text, means string }{
	{"x", "x"}, {"{client.name}", "ap-7"}, {"of {client.name}", "of ap-7"}, {"{certificate.san_uri}", ""},
	{"{client.name}{certificate.san_uri}", ""}, {"{{{certificate.subject}}}x", "{" + strings.Repeat("s", 236) + "}x"},
	{"{certificate.subject}{certificate.subject}", strings.Repeat("s", 472)}, {"{certificate.subject}ssss", strings.Repeat("s", 240)},
}

// triedPatterns are those of reject, and what replace puts in their place, for regexp.Expand;
// text is the same as the rule says it. Each makes all values longer, or none, so that a packet
// that becomes too long is so after the last, too.
var triedPatterns = []struct{ pattern, text, with string }{
	{"@old$", "@new.example", "@new.example"}, {"^(.*)@.*$", "$1", "$1"}, {"b", "", ""}, {"$", "-{client.name}", "-ap-7"},
	{"^(.)(.*)$", "$2$1", "$2$1"}, {"(?i)^(a|(B))", "${1}$$$2{{}}", "${1}$$$2{}"}, {"x|y", "{certificate.san_uri}", ""}, {"^.", "{certificate.subject}$0", strings.Repeat("s", 236) + "$0"},
}

// rulesOf reads a program of at most three rules with six steps each. What Compile does not
// accept is left out.
func rulesOf(program []byte) (list [][]tried) {
	list = [][]tried{nil}
	for ; len(program) >= 3; program = program[3:] {
		s := tried{program[0] % 8, program[1] % byte(len(twinNames)), program[2] % 8}
		a, last := &twinNames[s.name], len(list)-1
		switch {
		case s.verb == nextRule && len(list) < 3:
			list = append(list, nil)
		case s.verb == nextRule || len(list[last]) == 6,
			a.onlyRemoved && s.verb != tryRemove && s.verb != tryKeep,
			a.salted && (s.verb == tryReject || s.verb == tryReplace),
			a.vendor != 0 && a.sub != 0 && s.verb == tryKeep:
		default:
			list[last] = append(list[last], s)
		}
	}
	return list
}

// ruleOf returns the rule with these steps.
func ruleOf(steps []tried) *Rule {
	r := &Rule{Name: "fuzz", Kinds: allKinds}
	for _, s := range steps {
		name, p := twinNames[s.name].text, triedPatterns[s.value]
		assignment := Assignment{"k", name, []string{triedValues[s.value].text}}
		switch s.verb {
		case tryReject:
			r.Reject = append(r.Reject, Pattern{"k", name, p.pattern})
		case tryRemove:
			r.Remove = append(r.Remove, Item{"k", name})
		case tryKeep:
			r.Keep = append(r.Keep, Item{"k", name})
		case tryReplace:
			r.Replace = append(r.Replace, Replacement{"k", name, p.pattern, p.text})
		case trySet:
			r.Set = append(r.Set, assignment)
		case tryDefault:
			r.Default = append(r.Default, assignment)
		case tryAdd:
			r.Add = append(r.Add, assignment)
		}
	}
	return r
}

var errTwinRejects = errors.New("a value is refused")

// apply is one step by the twin; keep has all names of its rule.
func (s tried) apply(p []byte, keep []*named, encrypted bool) ([]byte, error) {
	a, list := &twinNames[s.name], tree(p)
	re := triedPatterns[s.value]
	switch s.verb {
	case tryReject:
		if p[0] == 1 && slices.ContainsFunc(instances(list, a), regexp.MustCompile(re.pattern).Match) {
			return nil, errTwinRejects
		}
	case tryRemove:
		list = removed(list, a)
	case tryKeep:
		list = kept(list, keep)
	case tryReplace:
		absent := strings.Contains(re.text, "san_uri")
		err := replacedOr(list, a, regexp.MustCompile(re.pattern), re.with, absent)
		if err != nil {
			return nil, err
		}
	default:
		if s.verb == tryDefault && len(instances(list, a)) > 0 {
			break
		}
		if s.verb == trySet {
			list = removed(list, a)
		}
		if value := triedValues[s.value].means; value != "" {
			n, err := a.written(value, encrypted)
			if err != nil {
				return nil, err
			}
			list = append(list, n)
		}
	}
	return packed(p, list)
}

// replacedOr is replaced, which fails for each match if a fact is absent.
func replacedOr(list []*node, a *named, re *regexp.Regexp, with string, absent bool) error {
	if absent {
		with = strings.Repeat("absent", 50)
	}
	return replaced(list, a, re, with)
}

// chainByTwin is all rules by the twin.
func chainByTwin(p []byte, rules [][]tried, encrypted bool) (_ []byte, err error) {
	for _, steps := range rules {
		steps = slices.Clone(steps)
		slices.SortStableFunc(steps, func(a, b tried) int { return int(a.verb) - int(b.verb) })
		var keep []*named
		for _, s := range steps {
			if s.verb == tryKeep {
				keep = append(keep, &twinNames[s.name])
			}
		}
		first := slices.IndexFunc(steps, func(s tried) bool { return s.verb == trySet })
		for i, s := range steps {
			if i == first {
				p = withoutTags(p, steps[i:])
			}
			if p, err = s.apply(p, keep, encrypted); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// withoutTags removes, with every tag, what set will give a tag and a fact.
func withoutTags(p []byte, steps []tried) []byte {
	for _, s := range steps {
		if a := twinNames[s.name]; s.verb == trySet && a.hasTag && strings.Contains(triedValues[s.value].text, "{") {
			a.hasTag = false
			p, _ = packed(p, removed(tree(p), &a))
		}
	}
	return p
}

// kindOf names the kind of an error, of the twin or not.
func kindOf(err error) string {
	var value *ValueError
	var reject *RejectError
	switch {
	case err == nil:
		return "none"
	case errors.Is(err, errTwinRejects), errors.As(err, &reject):
		return "rejected"
	case errors.Is(err, errTwin), errors.As(err, &value):
		return "wrong value"
	case errors.Is(err, wire.ErrTooLong):
		return "too long"
	}
	return err.Error()
}

// sameButSalted reports whether got is the twin's packet, with its salted values encrypted
// with this secret and authenticator, as RFC 2868 §3.5 says.
func sameButSalted(got, want []byte, secret string, vector []byte) bool {
	if len(got) != len(want) || !bytes.Equal(got[:20], want[:20]) {
		return false
	}
	for at := 20; at < len(want); at += int(want[at+1]) {
		g, w := got[at:at+int(want[at+1])], want[at:at+int(want[at+1])]
		head := 2 + 1 // the tag
		if w[0] == 26 {
			head = 2 + 4 + 2 + 1
		}
		switch {
		case bytes.Equal(g, w):
		case len(w) < head+2 || w[head] != 0 || w[head+1] != 0 || !bytes.Equal(g[:head], w[:head]) || g[head]&0x80 == 0:
			return false
		default:
			previous := append(bytes.Clone(vector), g[head:head+2]...)
			for off := head + 2; off < len(w); off += 16 {
				stream := md5.Sum(append([]byte(secret), previous...))
				for i, x := range stream {
					if g[off+i]^x != w[off+i] {
						return false
					}
				}
				previous = g[off : off+16]
			}
		}
	}
	return true
}

// FuzzChain compares whole chains of rules with the twin, for requests and replies, of both
// versions of RADIUS.
//
// Rules: AR1, AR3, AR4, AR7, AR8, AR9, ID2, ID3
func FuzzChain(f *testing.F) {
	for _, p := range append(hostile(f), bytes.Join([][]byte{attr(69, "\x03\x80\x010123456789abcdef"), vsa(2356, 19, "\x00\x80\x010123456789abcdef", 20, "x"), attr(1, "bob@old"), attr(79, "e")}, nil)) {
		for name := range byte(len(twinNames)) {
			for value := range byte(8) {
				f.Add(p, []byte{tryRemove, name, 0, tryAdd, 0, 0, trySet, name, value, nextRule, 0, 0, tryReplace, name, value, tryDefault, name + 1, value}, name%2 == 0, value%2 == 0)
				f.Add(p, []byte{tryAdd, name, 1, trySet, name, 2, tryReplace, name, 3}, name%2 == 1, value%2 == 0)
				f.Add(p, []byte{tryReject, name, value, tryKeep, name, 0, tryKeep, 0, 0, tryAdd, name, value, nextRule, 0, 0, trySet, name, value + 1}, value%2 == 0, name%2 == 0)
			}
		}
	}
	d := wire.NewDigests()
	client, err := wire.NewClientSecret([]byte("of the client"))
	server, err2 := wire.NewServerSecret([]byte("of the server"))
	if err = errors.Join(err, err2); err != nil {
		f.Fatal(err)
	}
	e, sent := NewEditor(), [16]byte{3: 7}
	f.Fuzz(func(t *testing.T, attributes, program []byte, reply, v11 bool) {
		code, secret := byte(1), "of the client"
		if reply {
			code, secret, v11 = 2, "of the server", false
		}
		v, ok := viewOf(attributes, code, v11)
		if !ok || len(v.Packet) > wire.MaxLength {
			return
		}
		seal := d.SealRequest(v, client)
		vector := v.Packet[4:20]
		if reply {
			seal, vector = d.SealReply(&sent, server), sent[:]
		}
		var programs []*Program
		list := rulesOf(program)
		for _, steps := range list {
			programs = append(programs, compiled(t, ruleOf(steps)))
		}
		before := bytes.Clone(v.Packet)
		want, wantErr := chainByTwin(v.Packet, list, !v11)
		got, err := NewChain(programs...).Apply(e, v, wire.KindAccess, triedFacts, seal)
		switch {
		case !bytes.Equal(before, v.Packet):
			t.Fatal("the packet given to Apply was changed")
		case kindOf(err) != kindOf(wantErr):
			t.Fatalf("%v on % x:\nexpected error %v, got %v", list, v.Packet, wantErr, err)
		case err == nil && (!sameButSalted(got.Packet, want, secret, vector) || got.Is11() != v11 || binary.BigEndian.Uint16(got.Packet[2:]) != uint16(len(got.Packet))):
			t.Fatalf("%v\non       % x\nexpected % x\ngot      % x", list, v.Packet, want, got.Packet)
		}
	})
}
