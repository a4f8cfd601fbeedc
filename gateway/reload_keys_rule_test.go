package gateway

import "strings"

// ofRules observes the attribute rules of the only client.
func ofRules(g *Gateway) any { return g.clients[0].Config().Attributes }

// ruleChanges has the keys of [[rule]].
func ruleChanges() map[string]keyChange {
	all := map[string]keyChange{
		"Rules.Name":    {`name = "r"`, "name = \"r\"\n[[rule]]\nname = \"q\"", func(g *Gateway) any { return len(g.current.Load().rules.list) }},
		"Rules.Packets": {"", "remove = [\"Filter-Id\"]\npackets = [\"access\"]", ofRules},
		"Rules.Use":     {"", `use = ["eduroam-in"]`, ofRules},
		"Rules.Remove":  {"", `remove = ["Filter-Id"]`, ofRules},
		"Rules.Keep":    {"", `keep = ["User-Name"]`, ofRules},
	}
	for key, fields := range map[string][]string{"Reject": {"Attribute", "Pattern"}, "Replace": {"Attribute", "Pattern", "With"}} {
		for _, field := range fields {
			line := `replace = [{ attribute = "User-Name", pattern = "a", with = "b" }]`
			if key == "Reject" {
				line = `reject = [{ attribute = "User-Name", pattern = "a" }]`
			}
			all["Rules."+key+"."+field] = keyChange{"", line, ofRules}
		}
	}
	for _, key := range []string{"Set", "Default", "Add"} {
		for _, field := range []string{"Key", "Attribute", "Values"} {
			all["Rules."+key+"."+field] = keyChange{"", strings.ToLower(key) + ` = { NAS-Identifier = "a" }`, ofRules}
		}
	}
	return all
}
