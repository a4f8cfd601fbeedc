package config

import (
	"slices"

	"radsec-gw/routing"
)

// readReverse reads the keys of a client that is sent CoA and Disconnect.
func readReverse(t *table, c *Client) {
	t.flag("reverse_coa", &c.ReverseCoA)
	readIdentifiers(t, &c.NASIdentifier)
	t.texts("operator_name", func(path, s string) {
		same := func(other string) bool { return routing.Key(s) == routing.Key(other) }
		if err := routing.CheckOperatorName(s); err != nil {
			t.r.wrong(path, "%v", err)
		} else if slices.ContainsFunc(c.OperatorName, same) {
			t.r.wrong(path, "%q is listed twice: remove one", s)
		}
		c.OperatorName = append(c.OperatorName, s)
	})
	readRuleNames(t, "rules_reverse_request", &c.RulesReverseRequest)
	readRuleNames(t, "rules_reverse_reply", &c.RulesReverseReply)
	if c.ReverseCoA || t.isNotFlag("reverse_coa") {
		return
	}
	for _, key := range []string{"nas_identifier", "operator_name", "rules_reverse_request", "rules_reverse_reply"} {
		if list, ok := t.values[key].([]any); ok && len(list) > 0 {
			t.r.wrong(joinKey(t.path, key), "goes with reverse_coa = true only")
		}
	}
}

// isNotFlag reports whether a key is there and is neither true nor false, which is a mistake
// of its own.
func (t *table) isNotFlag(key string) bool {
	_, isFlag := t.values[key].(bool)
	return t.values[key] != nil && !isFlag
}
