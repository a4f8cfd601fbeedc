package rules

import (
	"testing"

	"radsec-gw/wire"
)

// A client sends the attribute that carries a fact in a form that only the server may read
// as it: each such form is removed, and what is not that attribute stays.
//
// Rules: ID2
func TestForgedFacts(t *testing.T) {
	const cisco, wimax = 9, 24757
	user := attr(1, "bob")
	vendor := &Rule{Set: assign("9:1", "{client.name}")}
	plain := &Rule{Set: assign("NAS-Identifier", "{client.name}")}
	tlv := &Rule{Set: assign("24757:1.2", "{client.name}")}
	tagged := &Rule{Set: []Assignment{{"k", "Tunnel-Private-Group-Id:1", []string{"{client.name}"}}, {"k", "Tunnel-Private-Group-Id:2", []string{"{listener.port}"}}}}
	const wroteVendor = `1=bob 26=\x00\x00\x00\t\x01\x06ap-7`
	const wroteTLV = `1=bob 26=\x00\x00` + "`" + `\xb5\x01\t\x00\x02\x06ap-7`
	for _, c := range []struct {
		why    string
		rule   *Rule
		forged []byte
		want   string
	}{
		{"among other attributes of the vendor", vendor, vsa(cisco, 2, "x", 1, "evil"), `1=bob 26=\x00\x00\x00\t\x02\x03x 26=\x00\x00\x00\t\x01\x06ap-7`},
		{"followed by octets that are no attribute", vendor, append(attr(26, "\x00\x00\x00\x09\x01\x06evil\x07\x20"), attr(11, "x")...), `1=bob 11=x 26=\x00\x00\x00\t\x01\x06ap-7`},
		{"longer than its Vendor-Specific", vendor, attr(26, "\x00\x00\x00\x09\x01\x40evil"), wroteVendor},
		{"without a length", vendor, attr(26, "\x00\x00\x00\x09\x01"), wroteVendor},
		{"as Extended-Vendor-Specific", vendor, attr(241, "\x1a\x00\x00\x00\x09\x01evil"), wroteVendor},
		{"as Extended-Vendor-Specific-4", vendor, attr(244, "\x1a\x00\x00\x00\x09\x01evil"), wroteVendor},
		{"as a long one in fragments", vendor, append(attr(245, "\x1a\x80\x00\x00"), attr(245, "\x1a\x00\x00\x09\x01evil")...), wroteVendor},
		{"of no vendor", plain, vsa(0, 32, "evil"), "1=bob 32=ap-7"},
		{"of a vendor with an extended type in it", &Rule{Set: assign("241.8", "{client.name}")}, vsa(241<<24, 8, "evil"), `1=bob 241=\bap-7`},
		{"of a vendor that is too large", vendor, vsa(1<<24|cisco, 1, "evil"), wroteVendor},
		{"in a Vendor-Specific without a vendor", vendor, attr(26, "\x00\x00\x09"), wroteVendor},
		{"empty", plain, attr(32, ""), "1=bob 32=ap-7"},
		{"in a value of two parts", tlv, append(attr(26, "\x00\x00\x60\xb5\x01\x05\x80\x02\x06"), attr(26, "\x00\x00\x60\xb5\x01\x07\x00evil")...), wroteTLV},
		{"in TLVs with a wrong tail", tlv, attr(26, "\x00\x00\x60\xb5\x01\x0a\x00\x02\x06evil\x07"), wroteTLV},
		{"without a tag", tagged, attr(81, "evil"), `1=bob 81=\x01ap-7 81=\x022083`},
		{"with tag 0", tagged, attr(81, "\x00evil"), `1=bob 81=\x01ap-7 81=\x022083`},
		{"with another tag", tagged, attr(81, "\x05evil"), `1=bob 81=\x01ap-7 81=\x022083`},
		{"of another vendor, which is not it", vendor, vsa(wimax, 1, "x"), `1=bob 26=\x00\x00` + "`" + `\xb5\x01\x03x 26=\x00\x00\x00\t\x01\x06ap-7`},
		{"of another number, which is not it", vendor, attr(241, "\x1a\x00\x00\x00\x09\x02x"), `1=bob 241=\x1a\x00\x00\x00\t\x02x 26=\x00\x00\x00\t\x01\x06ap-7`},
	} {
		v := packet(t, 1, user, c.forged)
		got, err := NewChain(compiled(t, c.rule)).Apply(NewEditor(), v, wire.KindAccess, facts, wire.Sealer{})
		if err != nil || show(got) != c.want {
			t.Errorf("the fact %s:\nexpected %s\ngot      %v, %v", c.why, c.want, show(got), err)
		}
	}
}

// A tag without a fact is as it is written: the attribute with other tags stays.
//
// Rules: AR8
func TestSetOneTag(t *testing.T) {
	r := &Rule{Set: assign("Tunnel-Private-Group-Id:1", "42")}
	expect(t, "set with a tag", r, packet(t, 2, attr(81, "\x02b"), attr(81, "\x01a"), attr(81, "c")), `81=\x02b 81=c 81=\x0142`)
}
