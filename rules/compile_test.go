package rules

import (
	"strings"
	"testing"
)

// Naming an attribute that no rule may touch is a mistake, in every step.
//
// Rules: AR4
func TestProtected(t *testing.T) {
	for _, name := range []string{"Proxy-State", "Message-Authenticator", "EAP-Message", "State", "Class", "CHAP-Password", "CHAP-Challenge", "ARAP-Password",
		"MS-CHAP-Response", "MS-CHAP2-Response", "MS-CHAP-Challenge", "MS-CHAP2-Success", "241.3", "241.4", "33", "79",
		// RFC 2548 §2.1 to §2.3, §2.5: all of MS-CHAP, its password changes, and of ARAP.
		"311:1", "311:2", "311:3", "311:4", "311:5", "311:6", "311:10", "311:11", "311:19", "311:20", "311:25", "311:26", "311:27"} {
		for step, r := range map[string]*Rule{
			"remove": {Remove: items(name)}, "keep": {Keep: items(name)}, "set": {Set: assign(name, "x")},
			"add": {Add: assign(name, "x")}, "default": {Default: assign(name, "x")},
			"replace": {Replace: []Replacement{{"key", name, "x", "y"}}}, "reject": {Reject: []Pattern{{"key", name, "x"}}},
		} {
			if _, mistakes := Compile(r); len(mistakes) != 1 || !strings.Contains(mistakes[0].Text, "must not be touched") {
				t.Errorf("%s %s: expected one mistake, got %v", step, name, mistakes)
			}
		}
	}
}

// Microsoft's keys and what else is not of MS-CHAP can be removed.
//
// Rules: AR4
func TestNotProtected(t *testing.T) {
	for _, name := range []string{"311:7", "311:8", "311:9", "311:12", "311:13", "311:16", "311:17", "311:18", "311:28", "9:3", "9:24", "241.8", "242.3"} {
		if _, mistakes := Compile(&Rule{Remove: items(name)}); len(mistakes) != 0 {
			t.Errorf("remove %s: expected no mistake, got %v", name, mistakes)
		}
	}
}

// Mistakes say what was expected.
//
// Rules: AR3, AR4, ID1
func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		rule Rule
		want string
	}{
		{Rule{Remove: items("Usr-Name")}, `is "User-Name" meant`},
		{Rule{Remove: items("9:300")}, "expected a number such as"},
		{Rule{Remove: items("0:1")}, "expected a number such as"},
		{Rule{Remove: items("241")}, "extended type"},
		{Rule{Remove: items("User-Name:1")}, "has no tag"},
		{Rule{Remove: items("Tunnel-Type:32")}, "tag from 0 to 31"},
		{Rule{Set: assign("Vendor-Specific", "x")}, "expected one attribute"},
		{Rule{Set: assign("9:*", "x")}, "expected one attribute"},
		{Rule{Set: assign("MS-MPPE-Send-Key", "x")}, "can only be removed"},
		{Rule{Set: assign("User-Password", "x")}, "can only be removed"},
		{Rule{Set: assign("Session-Timeout", "soon")}, `names in the dictionary, got "soon"`},
		{Rule{Set: assign("NAS-IP-Address", "::1")}, `expected an IPv4 address, got "::1"`},
		{Rule{Set: assign("Tunnel-Medium-Type", "16777216")}, "16777215"},
		{Rule{Set: assign("User-Name", "")}, "1 to 253 octets"},
		{Rule{Set: assign("User-Name")}, "expected one or more values"},
		{Rule{Set: assign("User-Name", "{nobody}")}, `or {{ for a brace, got "{nobody}"`},
		{Rule{Set: assign("User-Name", "{client.nam}")}, `got "{client.nam}"; is {client.name} meant?`},
		{Rule{Set: assign("User-Name", "x{client.name")}, `got "{client.name"; is {client.name} meant?`},
		{Rule{Set: assign("User-Name", "}")}, "}}"},
		{Rule{Set: assign("NAS-IP-Address", "{client.name}")}, "an address alone"},
		{Rule{Set: assign("NAS-Port", "1{client.port}")}, "a number alone"},
		{Rule{Replace: []Replacement{{"key", "User-Password", "x", "y"}}}, "encrypted"},
		{Rule{Replace: []Replacement{{"key", "Session-Timeout", "x", "y"}}}, "text or octets"},
		{Rule{Replace: []Replacement{{"key", "User-Name", "(", "y"}}}, "RE2"},
		{Rule{Replace: []Replacement{{"key", "User-Name", "x", "$1"}}}, "expected a group"},
		{Rule{Replace: []Replacement{{"key", "User-Name", "(x)", "$01"}}}, "expected a group"},
		{Rule{Replace: []Replacement{{"key", "User-Name", "(x)", "${+1}"}}}, "expected a group"},
		{Rule{Replace: []Replacement{{"key", "User-Name", "(x)", "$1é"}}}, "expected a group"},
		{Rule{Replace: []Replacement{{"key", "User-Name", "x{500}", "y"}}}, "instructions"},
		{Rule{Set: assign("Tunnel-Private-Group-Id", "\x01seven")}, "read as a tag"},
		{Rule{Set: assign("Cisco-AVPair", "LEAP:session-key=x")}, "LEAP"},
		{Rule{Keep: items("24757:1.2")}, "keep the attribute"},
		{Rule{Use: items("edurome")}, "expected one of the presets"},
	} {
		_, mistakes := Compile(&c.rule)
		if len(mistakes) != 1 || !strings.Contains(mistakes[0].Text, c.want) || !strings.HasPrefix(mistakes[0].Key, "key") {
			t.Errorf("expected one mistake with %q, got %v", c.want, mistakes)
		}
	}
}

// What is probably not meant is a warning.
//
// Rules: ID2, AR4
func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		rule Rule
		want string
	}{
		{Rule{Add: assign("Filter-Id", "{client.name}")}, "forge"},
		{Rule{Default: assign("Filter-Id", "{client.name}")}, "forge"},
		{Rule{Replace: []Replacement{{"k", "Filter-Id", "^x$", "{client.name}"}}}, "forge"},
		{Rule{Set: assign("Filter-Id", "{client.name}")}, ""},
		{Rule{Replace: []Replacement{{"k", "User-Name", "@.*$", "@{client.name}"}}}, ""},
		{Rule{Remove: items("MS-MPPE-Send-Key")}, "MPPE"},
		{Rule{Remove: items("311:*")}, "MPPE"},
		{Rule{Keep: items("User-Password", "311:*")}, "without User-Name"},
		{Rule{Keep: items("User-Name", "311:*")}, "without User-Password"},
		{Rule{Keep: items("User-Name", "User-Password")}, "MPPE"},
	} {
		p := compiled(t, &c.rule)
		if c.want == "" && len(p.Warnings()) != 0 || c.want != "" && (len(p.Warnings()) != 1 || !strings.Contains(p.Warnings()[0].Text, c.want)) {
			t.Errorf("expected a warning with %q, got %v", c.want, p.Warnings())
		}
	}
}
