package rules

import (
	"errors"
	"strings"
	"testing"
)

// The first match is replaced, groups and facts stand in the replacement, and the
// attribute stays where it is.
//
// Rules: AR7
func TestReplace(t *testing.T) {
	v := packet(t, 1, attr(32, "n"), attr(1, "bob@old.example"), attr(31, "s"))
	for _, c := range []struct{ pattern, with, want string }{
		{`^(.*)@old\.example$`, "$1@new.example", "bob@new.example"},
		{`^(?P<u>.*)@.*$`, "${u}.$$.{{}}.{client.name}", "bob.$.{}.ap-7"},
		{`o`, "00", "b00b@old.example"},
		{`(x)|b`, "[$1]", "[]ob@old.example"},
		{`nothing`, "x", "bob@old.example"},
	} {
		r := &Rule{Replace: []Replacement{{"k", "User-Name", c.pattern, c.with}}}
		expect(t, c.pattern, r, v, "32=n 1="+c.want+" 31=s")
	}
}

// A result of no octets, or of more than an attribute can have, fails the packet.
//
// Rules: AR7
func TestReplacedValueOfWrongLength(t *testing.T) {
	v := packet(t, 1, attr(1, "bob"), vsa(9, 1, strings.Repeat("v", 247)))
	for _, c := range []struct {
		attribute, pattern, with string
		octets, most             int
	}{
		{"User-Name", "^.*$", "", 0, 253},
		{"User-Name", "^.*$", strings.Repeat("x", 254), 254, 253},
		{"Cisco-AVPair", "^v", "xx", 248, 247},
		{"User-Name", "^.*$", "{certificate.san_uri}", 0, 253},
	} {
		_, err := apply(t, &Rule{Replace: []Replacement{{"k", c.attribute, c.pattern, c.with}}}, v)
		var wrong *ValueError
		if !errors.As(err, &wrong) || wrong.Octets != c.octets || wrong.Most != c.most {
			t.Errorf("%s by %.9q: expected a ValueError for %d octets of %d, got %v", c.attribute, c.with, c.octets, c.most, err)
		}
	}
}

// In a tagged attribute the value after the tag is replaced.
//
// Rules: AR7
func TestReplaceTagged(t *testing.T) {
	expect(t, "Tunnel-Private-Group-Id", &Rule{Replace: []Replacement{{"k", "Tunnel-Private-Group-Id", "^1", "2"}}},
		packet(t, accept, attr(81, "\x01100"), attr(81, "100")), `81=\x01200 81=200`)
}

// One of several attributes in a Vendor-Specific is removed or replaced; an empty
// Vendor-Specific goes, and one of another layout is left alone.
//
// Rules: AR9
func TestVendorSpecific(t *testing.T) {
	v := packet(t, accept, vsa(9, 1, "a", 2, "b"), vsa(9, 1, "c"), attr(26, "\x00\x00\x00\x09\x01\x09x"), attr(18, "r"))
	broken := `26=\x00\x00\x00\t\x01\tx`
	expect(t, "one goes", &Rule{Remove: items("9:1")}, v, `26=\x00\x00\x00\t\x02\x03b 18=r`)
	expect(t, "the vendor goes", &Rule{Remove: items("9:*")}, v, `18=r`)
	expect(t, "all vendors go", &Rule{Remove: items("Vendor-Specific")}, v, `18=r`)
	expect(t, "one is kept", &Rule{Keep: items("9:2")}, v, `26=\x00\x00\x00\t\x02\x03b`)
	expect(t, "one is replaced", &Rule{Replace: []Replacement{{"k", "9:1", "^", "xy"}}}, v,
		`26=\x00\x00\x00\t\x01\x05xya\x02\x03b 26=\x00\x00\x00\t\x01\x05xyc `+broken+` 18=r`)
	expect(t, "one is set", &Rule{Set: assign("Cisco-AVPair", "z")}, v,
		`26=\x00\x00\x00\t\x02\x03b 18=r 26=\x00\x00\x00\t\x01\x03z`)
}

// Removing a vendor or keeping others leaves MS-CHAP and what proxies need.
//
// Rules: AR4
func TestNeverRemoved(t *testing.T) {
	v := packet(t, 1, attr(33, "p"), attr(24, "s"), attr(25, "c"), attr(79, "e"), attr(80, "0123456789abcdef"), attr(3, "h"), attr(60, "i"), attr(70, "0123456789abcdef"),
		vsa(311, 11, "challenge", 7, "x", 25, "response"), attr(241, "\x03\x00\x00\x10\x00"), attr(241, "\x04\x00\x00\x00\x01"), attr(241, "\x08id"))
	rest := `33=p 24=s 25=c 79=e 80=0123456789abcdef 3=h 60=i 70=0123456789abcdef 26=\x00\x00\x017\v\vchallenge\x19\nresponse 241=\x03\x00\x00\x10\x00 241=\x04\x00\x00\x00\x01`
	expect(t, "311:*", &Rule{Remove: items("311:*")}, v, rest+` 241=\bid`)
	expect(t, "keep", &Rule{Keep: items("User-Name")}, v, rest)
	expect(t, "Vendor-Specific", &Rule{Remove: items("Vendor-Specific", "241.8")}, v, rest)
}

// TLVs, extended attributes with all their fragments, tags.
//
// Rules: AR3, AR9
func TestForms(t *testing.T) {
	wimax := func(more byte, value string) []byte {
		return attr(26, "\x00\x00\x60\xb5\x01"+string([]byte{byte(3 + len(value)), more})+value)
	}
	v := packet(t, accept, wimax(0, "\x01\x03a\x02\x03b"), attr(245, "\x01\x80abc"), attr(245, "\x01\x00def"), attr(245, "\x02\x00x"), attr(64, "\x01\x00\x00\x0d"), attr(64, "\x02\x00\x00\x0d"))
	expect(t, "removed", &Rule{Remove: items("24757:1.2", "245.1", "Tunnel-Type:1")}, v,
		"26="+`\x00\x00`+"`"+`\xb5\x01\x06\x00\x01\x03a 245=\x02\x00x 64=\x02\x00\x00\r`)
	expect(t, "the last TLV takes all with it", &Rule{Remove: items("24757:1.2", "24757:1.1", "245.1", "245.2", "64")}, v, "")
	split := packet(t, accept, wimax(0x80, "\x01\x03a"), wimax(0, "\x02\x03b"))
	expect(t, "what is split goes whole", &Rule{Remove: items("24757:1.2")}, split, "")
	const parts = "26=\\x00\\x00`\\xb5\\x01\\x06\\x80\\x01\\x03a 26=\\x00\\x00`\\xb5\\x01\\x06\\x00\\x02\\x03b"
	expect(t, "what is split is not replaced", &Rule{Replace: []Replacement{{"k", "24757:1.2", "^", "x"}}}, split, parts)
	expect(t, "nor looked into by default", &Rule{Default: assign("24757:1.2", "v")}, split, parts+" 26=\\x00\\x00`\\xb5\\x01\\x06\\x00\\x02\\x03v")
	expect(t, "all parts go", &Rule{Remove: items("24757:1")}, split, "")
	expect(t, "written", &Rule{Set: []Assignment{{"k", "24757:1.2", []string{"v"}}, {"k", "241.8", []string{"n"}}, {"k", "Tunnel-Type:3", []string{"13"}}, {"k", "Tunnel-Private-Group-Id", []string{"x"}}}},
		packet(t, accept), "26="+`\x00\x00`+"`"+`\xb5\x01\x06\x00\x02\x03v 241=\bn 64=\x03\x00\x00\r 81=x`)
}

// Facts are written as text, addresses and integers.
//
// Rules: ID1
func TestFacts(t *testing.T) {
	r := &Rule{Set: []Assignment{
		{"k", "NAS-IP-Address", []string{"{client.address}"}}, {"k", "NAS-IPv6-Address", []string{"{client.address}"}},
		{"k", "NAS-Port", []string{"{connection.number}"}}, {"k", "NAS-Identifier", []string{"{certificate.common_name}/{listener.port}/{{x}}"}},
	}}
	expect(t, "facts", r, packet(t, 1, attr(4, "fake"), attr(95, "0123456789abcdef")),
		`4=\xc0\x00\x02\a 5=\x00\x00\x00\f 32=ap-7.example.org/2083/{x}`)
}

// What a client sends itself is removed even when the fact is absent.
//
// Rules: ID2
func TestForgedFact(t *testing.T) {
	expect(t, "a certificate without a URI", &Rule{Set: assign("NAS-Identifier", "{certificate.san_uri}")}, packet(t, 1, attr(32, "forged"), attr(1, "bob")), "1=bob")
}

// Default writes only when there is none, add always; an array gives several.
//
// Rules: AR1
func TestDefaultAndAdd(t *testing.T) {
	r := &Rule{Default: assign("Filter-Id", "d"), Add: assign("Reply-Message", "1", "2")}
	expect(t, "present", r, packet(t, accept, attr(11, "x"), attr(18, "y")), "11=x 18=y 18=1 18=2")
	expect(t, "absent", r, packet(t, accept), "11=d 18=1 18=2")
}
