package rules

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// allKinds is a rule's for all requests.
var allKinds = [wire.NumKinds]bool{wire.KindAccess: true, wire.KindAccounting: true, wire.KindCoA: true, wire.KindDisconnect: true}

// facts are those of a connection in these tests.
var facts = &Facts{
	Client: "ap-7", Peer: netip.MustParseAddrPort("192.0.2.7:40001"), Local: netip.MustParseAddrPort("[2001:db8::1]:2083"),
	Certificate: CertificateFacts{Fingerprint: "ab:cd", CommonName: "ap-7.example.org", SANDNS: "ap-7.example.org", SANIP: netip.MustParseAddr("192.0.2.7")},
	TLSVersion:  "TLS 1.3", RADIUSVersion: "1.0", Connection: 12,
}

// attr returns an attribute in a packet.
func attr(typ byte, value string) []byte {
	return append([]byte{typ, byte(2 + len(value))}, value...)
}

// vsa returns a Vendor-Specific with attributes of the recommended layout, given as
// number and value in turn.
func vsa(vendor uint32, inside ...any) []byte {
	b := []byte{26, 0}
	b = binary.BigEndian.AppendUint32(b, vendor)
	for i := 0; i < len(inside); i += 2 {
		b = append(b, attr(byte(inside[i].(int)), inside[i+1].(string))...)
	}
	b[1] = byte(len(b))
	return b
}

// packet returns a packet with these attributes.
func packet(t testing.TB, code radius.Code, attributes ...[]byte) *wire.View {
	t.Helper()
	b := make([]byte, 20)
	b[0], b[1] = byte(code), 9
	copy(b[4:], "authenticator 16")
	b = append(b, bytes.Join(attributes, nil)...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	v := new(wire.View)
	if err := v.Parse(b); err != nil {
		t.Fatalf("expected a well-framed packet, got %v", err)
	}
	return v
}

// show writes attributes as type=value, a space between them.
func show(v *wire.View) string {
	var list []string
	for typ, value := range v.All() {
		list = append(list, fmt.Sprintf("%d=%s", typ, strings.Trim(fmt.Sprintf("%q", value), `"`)))
	}
	return strings.Join(list, " ")
}

// compiled returns the program of a rule without mistakes.
func compiled(t testing.TB, r *Rule) *Program {
	t.Helper()
	if r.Kinds == [wire.NumKinds]bool{} {
		r.Kinds = allKinds
	}
	if r.Name == "" {
		r.Name = "test"
	}
	p, mistakes := Compile(r)
	if len(mistakes) > 0 {
		t.Fatalf("expected a rule without mistakes, got %v", mistakes)
	}
	return p
}

// apply applies a rule to a packet.
func apply(t testing.TB, r *Rule, v *wire.View) (*wire.View, error) {
	t.Helper()
	before := bytes.Clone(v.Packet)
	got, err := NewChain(compiled(t, r)).Apply(NewEditor(), v, wire.KindAccess, facts, wire.Sealer{})
	if !bytes.Equal(before, v.Packet) {
		t.Error("the packet given to Apply was changed")
	}
	return got, err
}

// expect applies a rule to a packet and compares the attributes.
func expect(t *testing.T, why string, r *Rule, v *wire.View, want string) {
	t.Helper()
	got, err := apply(t, r, v)
	if err != nil {
		t.Errorf("%s: expected %s, got %v", why, want, err)
		return
	}
	if s := show(got); s != want {
		t.Errorf("%s:\nexpected %s\ngot      %s", why, want, s)
	}
	if got.Code() != v.Code() || got.Identifier() != v.Identifier() || *got.Authenticator() != *v.Authenticator() {
		t.Errorf("%s: expected the header unchanged", why)
	}
}

func items(names ...string) (list []Item) {
	for _, name := range names {
		list = append(list, Item{"key", name})
	}
	return list
}

func assign(name string, values ...string) []Assignment {
	return []Assignment{{"key", name, values}}
}
