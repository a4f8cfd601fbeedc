package rules

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"strings"
	"testing"

	"radsec-gw/wire"
)

// hostile returns packets for the seeds: vendors, tags, fragments, EAP, broken layouts.
func hostile(t testing.TB) [][]byte {
	wimax := "\x00\x00\x60\xb5\x01"
	return [][]byte{
		login(t).Packet[20:],
		bytes.Join([][]byte{attr(1, "bob@old"), attr(1, ""), attr(79, "e"), attr(79, "f"), attr(33, "p"), attr(18, "")}, nil),
		bytes.Join([][]byte{vsa(9, 1, "a", 7, "b", 1, ""), vsa(9, 1, "leap:session-key=0123456789"), attr(26, "\x00\x00\x00\x09\x01\x09x"), attr(26, "\x00"), vsa(9)}, nil),
		bytes.Join([][]byte{vsa(311, 11, "c", 16, "k"), attr(81, "\x01x"), attr(81, "x"), attr(81, ""), attr(241, ""), attr(241, "\x08n"), attr(241, "\x03xxxx"), attr(245, "\x01\x80a"), attr(245, "\x01\x00b")}, nil),
		bytes.Join([][]byte{attr(26, wimax+"\x0b\x00\x01\x03a\x02\x03b\x02\x02"), attr(26, wimax+"\x06\x80\x02\x03a"), attr(26, wimax+"\x06\x00\x02\x03b"), attr(26, "\x00\x00\x12\xee\x01\x2c\x04x")}, nil),
		// Those that interop/rewriting compares with radsecproxy.
		bytes.Join([][]byte{attr(1, "bob@old.example"), attr(32, "a\xff\x01b"), attr(11, "one"), attr(31, "02-00-00-00-00-01"), vsa(9, 1, "vlan=5", 2, "port", 1, "acl=7"), vsa(14122, 1, "x"), attr(24, "conversation"), attr(11, "two")}, nil),
		bytes.Join([][]byte{attr(1, "CORP\\bob"), attr(1, "bob@OLD.example"), attr(18, "hello-bob"), attr(25, "opaque"), attr(27, "\x00\x00\x0e\x10"), vsa(9, 2, "port"), attr(32, strings.Repeat("x", 200))}, nil),
		bytes.Repeat(vsa(9, 1, "aaa", 7, "b"), 200), bytes.Repeat(attr(1, "a"), 1350),
	}
}

// viewOf returns the attributes as a packet of RADIUS/1.0 or 1.1; false when they are not
// well-framed.
func viewOf(attributes []byte, code byte, v11 bool) (*wire.View, bool) {
	b := append(append([]byte{code, 7, 0, 0}, make([]byte, 16)...), attributes...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	v := new(wire.View)
	if v11 {
		return v, v.Parse11(b) == nil
	}
	return v, v.Parse(b) == nil
}

// FuzzApply compares one step on a packet with the twin.
//
// Rules: AR1, AR3, AR4, AR7, AR9
func FuzzApply(f *testing.F) {
	for i, p := range hostile(f) {
		for verb := range byte(6) {
			for name := range twinNames {
				f.Add(p, verb, byte(name), "^(.*?)(a|b)?$", "${1}x", i%2 == 0)
			}
		}
	}
	f.Fuzz(func(t *testing.T, attributes []byte, verb, name byte, pattern, with string, v11 bool) {
		v, ok := viewOf(attributes, 2, v11)
		if !ok {
			return
		}
		a := &twinNames[int(name)%len(twinNames)]
		r := &Rule{Name: "fuzz", Kinds: allKinds}
		assignment := []Assignment{{"k", a.text, []string{with}}}
		if verb %= 6; a.onlyRemoved && verb > 1 {
			return
		}
		switch verb {
		case 0:
			r.Remove = items(a.text)
		case 1:
			r.Keep = items(a.text)
		case 2:
			r.Replace = []Replacement{{"k", a.text, pattern, with}}
		case 3:
			r.Set = assignment
		case 4:
			r.Default = assignment
		case 5:
			r.Add = assignment
		}
		p, mistakes := Compile(r)
		if mistakes != nil || bytes.ContainsAny([]byte(with), "{}") && verb != 2 || bytes.Contains([]byte(with), []byte("{{")) || bytes.Contains([]byte(with), []byte("}}")) {
			return
		}
		if verb == 2 && regexp.MustCompile(`[{][a-z]+\.`).MatchString(with) || verb > 2 && len(with) > 2 && with[:2] == "0x" {
			return
		}
		want, wantErr := byTwin(v, verb, a, pattern, with)
		got, err := NewChain(p).Apply(NewEditor(), v, wire.KindAccess, facts, wire.Sealer{})
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%+v: expected error %v, got %v", r, wantErr, err)
		}
		if err == nil && (!bytes.Equal(got.Packet, want) || got.Is11() != v11) {
			t.Fatalf("%+v\non       % x\nexpected % x\ngot      % x", r, v.Packet, want, got.Packet)
		}
	})
}

// byTwin is one step by the twin.
func byTwin(v *wire.View, verb byte, a *named, pattern, with string) ([]byte, error) {
	list := tree(v.Packet)
	switch verb {
	case 0:
		list = removed(list, a)
	case 1:
		list = kept(list, []*named{a})
	case 2:
		if err := replaced(list, a, regexp.MustCompile(pattern), with); err != nil {
			return nil, err
		}
	default:
		if verb == 4 && len(instances(list, a)) > 0 {
			break
		}
		if verb == 3 {
			list = removed(list, a)
		}
		n, err := a.written(with, false)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return packed(v.Packet, list)
}

// FuzzCompile compiles any texts; what compiles applies to hostile packets without panic,
// and leaves well-framed packets.
func FuzzCompile(f *testing.F) {
	for _, s := range [][3]string{{"User-Name", "^(a)", "$1{client.name}"}, {"9:1", "x", "{{"}, {"24757:86.3", "", "x"}, {"2356:19:1", "", "secret"}, {"Tunnel-Password", "", "x"},
		{"245.1", "", "y"}, {"NAS-IP-Address", "", "{client.address}"}, {"Tunnel-Type", "", "13"}, {"Vendor-Specific", "(?i)x{2,3}", "${0}"}, {"241.8", ".", "}"}} {
		f.Add(s[0], s[1], s[2])
	}
	packets := hostile(f)
	f.Fuzz(func(t *testing.T, name, pattern, text string) {
		e, other := NewEditor(), NewEditor()
		if _, err := parseAttribute(name); err != nil {
			// The same mistake in each, after a search in the dictionary for what was meant.
			Compile(&Rule{Use: items(name), Remove: items(name)})
			return
		}
		for _, r := range []*Rule{
			{Remove: items(name)}, {Keep: items(name)}, {Use: items(name)}, {Reject: []Pattern{{"k", name, pattern}}},
			{Replace: []Replacement{{"k", name, pattern, text}}}, {Set: assign(name, text)}, {Default: assign(name, text)}, {Add: assign(name, text, text)},
		} {
			r.Kinds = allKinds
			p, mistakes := Compile(r)
			if mistakes != nil {
				continue
			}
			p.Lines()
			for _, b := range packets {
				v, ok := viewOf(b, 1, false)
				if !ok {
					t.Fatal("a seed is not well-framed")
				}
				c := NewChain(p)
				if got, err := c.Apply(e, v, wire.KindAccess, facts, wire.Sealer{}); err == nil {
					c.StripFacts(other, got, wire.KindAccess, facts)
				}
			}
		}
	})
}
