package rules

import (
	"errors"
	"strings"
	"testing"

	"radsec-gw/wire"
)

// A Tunnel-Password and a vendor's salted attribute are written with a tag and
// encrypted; in RADIUS/1.1 they stay in clear.
//
// Rules: AR8
func TestSalted(t *testing.T) {
	key, err := wire.NewServerSecret([]byte("server"))
	if err != nil {
		t.Fatal(err)
	}
	c := NewChain(compiled(t, &Rule{Set: []Assignment{{"k", "Tunnel-Password:3", []string{"secret"}}, {"k", "2356:19", []string{"of {client.name}"}}}}))
	var sent [16]byte
	v := packet(t, accept, attr(69, "\x03as the server sent it"))
	got, err := c.Apply(NewEditor(), v, wire.KindAccess, facts, wire.NewDigests().SealReply(&sent, key))
	if err != nil {
		t.Fatal(err)
	}
	value := got.Get(69)
	if len(value) != 1+2+16 || value[0] != 3 || value[1]&0x80 == 0 {
		t.Errorf("expected tag 3, a salt and one block, got % x", value)
	}
	lancom := got.Get(26)
	if len(lancom) != 4+2+1+2+16 || lancom[6] != 0 || lancom[7]&0x80 == 0 {
		t.Errorf("expected tag 0, a salt and one block, got % x", lancom)
	}
	if string(value[1:3]) == string(lancom[7:9]) {
		t.Error("expected two salts, got one")
	}
	clearText, err := c.Apply(NewEditor(), v, wire.KindAccess, facts, wire.Sealer{})
	if want := `69=\x03secret 26=\x00\x00\t4\x13\n\x00of ap-7`; err != nil || show(clearText) != want {
		t.Errorf("expected %s, got %s, %v", want, show(clearText), err)
	}
}

// Encrypted, at most 239 octets fit, in 15 blocks of 16: a longer value is a mistake, or fails
// the packet if a fact makes it so, also in RADIUS/1.1, because the server's copy is encrypted.
//
// Rules: AR7, AR8
func TestSaltedValueThatIsTooLong(t *testing.T) {
	key, err := wire.NewServerSecret([]byte("server"))
	if err != nil {
		t.Fatal(err)
	}
	v := packet(t, accept)
	for _, name := range []string{"Tunnel-Password", "Tunnel-Password:1", "2356:19"} {
		for n, want := range map[int]bool{239: true, 240: false} {
			text := strings.Repeat("x", n)
			if _, mistakes := Compile(&Rule{Set: assign(name, text)}); (mistakes == nil) != want {
				t.Errorf("%s with %d octets: expected accepted %t, got %v", name, n, want, mistakes)
			}
			c := NewChain(compiled(t, &Rule{Set: assign(name, text[4:]+"{client.name}")}))
			for _, seal := range []wire.Sealer{{}, wire.NewDigests().SealReply(new([16]byte), key)} {
				var wrong *ValueError
				if _, err := c.Apply(NewEditor(), v, wire.KindAccess, facts, seal); (err == nil) != want || err != nil && (!errors.As(err, &wrong) || wrong.Octets != 241 || wrong.Most != 240) {
					t.Errorf("%s with %d octets of facts: expected accepted %t, or 241 of 240 octets with the tag, got %v", name, n, want, err)
				}
			}
		}
	}
}
