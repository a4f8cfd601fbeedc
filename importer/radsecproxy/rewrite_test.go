package radsecproxy

import (
	"strings"
	"testing"

	"radsec-gw/importer"
	"radsec-gw/importer/importertest"
	"radsec-gw/rules"
)

// checkRules fails the test unless the rules of a draft have no mistakes, and all that its
// tables name are there.
func checkRules(t testing.TB, d *importer.Draft) {
	t.Helper()
	values := importertest.Decode(t, d)
	names := map[any]bool{}
	for _, table := range tablesOf(values, "rule") {
		names[table["name"]] = true
		if _, mistakes := rules.Compile(ruleOf(table)); len(mistakes) > 0 {
			t.Errorf("rule %v: expected no mistakes, got %v", table["name"], mistakes)
		}
	}
	for _, kind := range []string{"client", "server"} {
		for _, table := range tablesOf(values, kind) {
			for _, key := range []string{"rules_request", "rules_reply"} {
				list, _ := table[key].([]any)
				for _, name := range list {
					if !names[name] {
						t.Errorf("%s %v names the rule %v, which the draft does not have", kind, table["name"], name)
					}
				}
			}
		}
	}
}

func tablesOf(values map[string]any, key string) []map[string]any {
	list, _ := values[key].([]map[string]any)
	return list
}

// ruleOf reads a [[rule]].
func ruleOf(table map[string]any) *rules.Rule {
	items := func(key string) (list []rules.Item) {
		all, _ := table[key].([]any)
		for _, one := range all {
			list = append(list, rules.Item{Text: one.(string)})
		}
		return list
	}
	r := &rules.Rule{Remove: items("remove"), Keep: items("keep")}
	for _, one := range tablesOf(table, "replace") {
		r.Replace = append(r.Replace, rules.Replacement{Attribute: one["attribute"].(string), Pattern: one["pattern"].(string), With: one["with"].(string)})
	}
	for key, list := range map[string]*[]rules.Assignment{"default": &r.Default, "add": &r.Add} {
		all, _ := table[key].(map[string]any)
		for name, value := range all {
			a := rules.Assignment{Attribute: name}
			if text, ok := value.(string); ok {
				a.Values = []string{text}
			} else {
				for _, one := range value.([]any) {
					a.Values = append(a.Values, one.(string))
				}
			}
			*list = append(*list, a)
		}
	}
	return r
}

// oneRule imports a client with a rewrite block.
func oneRule(t *testing.T, options string) *importer.Draft {
	t.Helper()
	d, err := importText("tls default {\nCACertificateFile /ca.pem\n}\nrewrite r {\n"+options+"\n}\nclient c {\ntype tls\nhost c.example\nrewriteIn r\n}\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	checkRules(t, d)
	return d
}

// What has no counterpart is noted, with why, and without the value; the rest is carried over.
func TestRewriteLosses(t *testing.T) {
	for option, want := range map[string]string{
		"removeAttribute 24":                                             "removeAttribute 24: the gateway never removes it: State is between server and client",
		"removeAttribute 241":                                            "removeAttribute 241: the gateway's rules name extended attributes one by one",
		"removeAttribute Class":                                          "removeAttribute Class: expected the number of an attribute, from 1 to 255",
		"removeVendorAttribute 24757:1":                                  "removeVendorAttribute 24757:1: the attributes of this vendor have another form",
		"removeVendorAttribute 311:11":                                   "removeVendorAttribute 311:11: the gateway never removes it",
		"modifyAttribute 2:/a/Hidden/":                                   "modifyAttribute 2:…: the values of User-Password are encrypted",
		"modifyAttribute 4:/a/Hidden/":                                   "modifyAttribute 4:…: expected an attribute of text or octets",
		"modifyAttribute 79:/a/Hidden/":                                  "modifyAttribute 79:…: EAP-Message must not be touched by rules",
		`modifyAttribute 1:/(a|ab)b/Hidden\1/`:                           "modifyAttribute 1:…: its regular expression has alternatives",
		"modifyAttribute 1:/a{900}/Hidden/":                              "modifyAttribute 1:…: its regular expression is too long",
		"addAttribute 69:'%01Hidden":                                     "addAttribute 69:…: radsecproxy does not encrypt the value",
		"addAttribute 126:1Hidden":                                       "addAttribute 126:…: radsecproxy takes a value that begins with a digit for a number",
		"addAttribute 27:Hidden":                                         "addAttribute 27:…: the gateway does not write such a value of Session-Timeout",
		"addAttribute 1:'%ffHidden":                                      "addAttribute 1:…: the gateway does not write such a value of User-Name",
		"addAttribute 25:Hidden":                                         "addAttribute 25:…: the gateway never writes it: Class",
		"addAttribute 0:Hidden":                                          "addAttribute 0:…: expected the number of an attribute",
		"addVendorAttribute 0:1:Hidden":                                  "addVendorAttribute 0:1:…: expected the numbers of a vendor",
		"addVendorAttribute 9:Hidden":                                    "addVendorAttribute 9:…: expected a value",
		"supplementAttribute 81:'%01Hidden":                              "supplementAttribute 81:…: radsecproxy adds it unless there is one with any tag",
		"whitelistMode on\nwhitelistAttribute 242\nwhitelistAttribute 1": "whitelistAttribute 242: the list is carried over as a whole or not at all",
		"whitelistMode on\nwhitelistAttribute 25":                        "whitelistAttribute 25: keep of a [[rule]] must name an attribute",
	} {
		d := oneRule(t, option+"\naddAttribute 18:other")
		notes := noteTexts(d)
		if !strings.Contains(notes, "\n"+want) || strings.Contains(notes, "Hidden") {
			t.Errorf("%s: expected the note %q, got%s", option, want, notes)
		}
		if text := importertest.Text(t, d); !strings.Contains(text, `add = { Reply-Message = "other" }`) || strings.Contains(text, "\nkeep = ") {
			t.Errorf("%s: expected a rule that only adds Reply-Message, got\n%s", option, text)
		}
	}
}

// Values are written as rules have them: the octets that radsecproxy writes.
func TestRewriteValues(t *testing.T) {
	for option, want := range map[string]string{
		"addAttribute 11:guest":                              `add = { Filter-Id = "guest" }`,
		"addAttribute 11:'007":                               `add = { Filter-Id = "007" }`,
		"addAttribute 27:007":                                `add = { Session-Timeout = "7" }`,
		"addAttribute 18:'{hello}":                           `add = { Reply-Message = "{{hello}}" }`,
		"addAttribute 36:'%41%ff%42":                         `add = { Login-LAT-Group = "0x41ff42" }`,
		"addAttribute 36:'0x41":                              `add = { Login-LAT-Group = "0x30783431" }`,
		"addAttribute 8:'%c0%00%02%01":                       `add = { Framed-IP-Address = "192.0.2.1" }`,
		"addAttribute 64:13":                                 `add = { Tunnel-Type = "13" }`,
		"addAttribute 64:'%01%00%00%0d":                      `add = { "Tunnel-Type:1" = "13" }`,
		"addAttribute 81:'%017":                              `add = { "Tunnel-Private-Group-Id:1" = "7" }`,
		"addAttribute 81:'7":                                 `add = { Tunnel-Private-Group-Id = "7" }`,
		"addAttribute 11:b\naddAttribute 11:a":               `add = { Filter-Id = ["b", "a"] }`,
		"supplementAttribute 11:b\nsupplementAttribute 11:a": `default = { Filter-Id = "b" }`,
		"addVendorAttribute 311:9:7":                         `add = { MS-RAS-Vendor = "7" }`,
		"addVendorAttribute 9999:3:7":                        `add = { "9999:3" = "0x00000007" }`,
	} {
		text := importertest.Text(t, oneRule(t, option))
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("%s: expected %s, got\n%s", option, want, text)
		}
	}
}
