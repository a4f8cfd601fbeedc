package config

import (
	"maps"
	"slices"
	"strconv"
)

// Rule is one [[rule]]: how attributes are changed on the way between a client and a server.
// Clients, routes and servers name it in rules_request and rules_reply, clients also in
// rules_reverse_request and rules_reverse_reply.
type Rule struct {
	// The name by which clients, routes and servers refer to it. Unique.
	// Required.
	Name string

	// The kinds of requests it is for, and of replies to such requests: "access",
	// "accounting", "coa", "disconnect". Accounting of a session should be changed in the same
	// way as its login.
	// Default: ["access", "accounting", "coa", "disconnect"]
	Packets []string // at least one, no doubles

	// Presets, which come before the steps below, in this order: "eduroam-in",
	// "eduroam-out", "openroaming". `radsec-gw check -presets` prints what each of them does,
	// attribute by attribute, and where that is published.
	//
	// The steps of a rule are always taken in the order of the keys here: reject, remove,
	// keep, replace, set, default, add. Rules follow each other in the order of the file. An
	// attribute is given by its name ("User-Name", "Cisco-AVPair"), its number ("88"), its
	// vendor and number ("9:1"), with a TLV ("24757:1.2"), an extended type ("241.8"), or all
	// of a vendor ("9:*", for remove and keep). ":1" after the name of a tagged attribute is
	// the tag ("Tunnel-Type:1"). Proxy-State, Message-Authenticator, EAP-Message, State,
	// Class and the values of CHAP and MS-CHAP cannot be changed.
	// Default: []
	Use []string

	// Requests that are refused: those with a value of the attribute in which the pattern
	// (RE2, as long as one of replace) matches. An Access-Request gets an Access-Reject, CoA
	// and Disconnect a NAK, accounting no answer; in RADIUS/1.1 login and accounting get a
	// Protocol-Error. They are counted under the fate rule_rejected.
	// Example: [{ attribute = "User-Name", pattern = '[[:space:]]' }]
	// Default: []
	Reject []RulePattern

	// Attributes that are removed.
	// Default: []
	Remove []string

	// If it is not empty, all attributes but these, and those that cannot be changed, are
	// removed.
	// Default: []
	Keep []string

	// Values that are changed: the part of the value in which the pattern (RE2) matches first
	// becomes the text of with, where $1 or ${name} is what a group of the pattern has
	// matched, $$ a dollar, and {client.name} a fact as in set. A result of no bytes, or of
	// more than an attribute can hold, fails the request, which is counted under the fate
	// rule_failed. Patterns match exactly as written: "(?i)" in front ignores case. They have
	// at most 210 instructions, which is about a list of ten realms, and 9 groups.
	// Where User-Name is changed, the client gets its own back in replies, unless the server
	// has sent another.
	// Example: [{ attribute = "User-Name", pattern = '@old\.example$', with = "@new.example" }]
	// Default: []
	Replace []RuleReplacement

	// Attributes that get a value, whatever the packet had: text, a number, the name of a
	// value, an address, 0x and hexadecimal digits where they are not text, or an array of
	// these. In braces a fact of the connection: {client.name}, {client.address},
	// {client.port}, {listener.address}, {listener.port}, {certificate.common_name},
	// {certificate.subject}, {certificate.issuer},
	// {certificate.serial}, {certificate.fingerprint}, {certificate.san_dns}, … (san_ip, san_uri,
	// san_email, san_nairealm: the first of each kind), {connection.number},
	// {connection.tls_version}, {connection.radius_version}; "{{" is a brace. If the
	// certificate does not have the fact, the attribute is only removed. Replies lose the
	// facts that their requests were given. They are written at the end of the packet.
	// Example: { NAS-Identifier = "{certificate.san_dns}" }
	// Default: {}
	Set []RuleValue

	// Attributes that get a value if the packet has none, in the forms of set. A client can
	// send the attribute itself: use set for what the server trusts.
	// Default: {}
	Default []RuleValue

	// Attributes that are added to those that the packet has, in the forms of set. A client
	// can send them itself: remove them first if the server trusts them.
	// Default: {}
	Add []RuleValue
}

// RulePattern is one element of Rule.Reject.
type RulePattern struct{ Attribute, Pattern string }

// RuleReplacement is one element of Rule.Replace.
type RuleReplacement struct{ Attribute, Pattern, With string }

// RuleValue is one attribute of Rule.Set, Rule.Default and Rule.Add, with its values.
type RuleValue struct {
	Key       string // of the attribute in the file, for mistakes
	Attribute string
	Values    []string // at least one
}

func defaultRule() Rule {
	return Rule{Packets: []string{PacketAccess, PacketAccounting, PacketCoA, PacketDisconnect}}
}

// readRule reads one [[rule]]. What attributes, patterns and values mean is checked later.
func readRule(t *table) Rule {
	r := defaultRule()
	readName(t, &r.Name)
	t.choices("packets", &r.Packets, PacketAccess, PacketAccounting, PacketCoA, PacketDisconnect)
	t.texts("use", func(_, s string) { r.Use = append(r.Use, s) })
	for _, one := range t.tables("reject") {
		var p RulePattern
		one.requireText("attribute", &p.Attribute, "the attribute whose value is looked at")
		one.requireText("pattern", &p.Pattern, "a regular expression (RE2)")
		one.done()
		r.Reject = append(r.Reject, p)
	}
	t.texts("remove", func(_, s string) { r.Remove = append(r.Remove, s) })
	t.texts("keep", func(_, s string) { r.Keep = append(r.Keep, s) })
	for _, one := range t.tables("replace") {
		var p RuleReplacement
		one.requireText("attribute", &p.Attribute, "the attribute whose value is changed")
		one.requireText("pattern", &p.Pattern, "a regular expression (RE2)")
		one.requireText("with", &p.With, "what the part that matches becomes")
		one.done()
		r.Replace = append(r.Replace, p)
	}
	r.Set = readRuleValues(t, "set")
	r.Default = readRuleValues(t, "default")
	r.Add = readRuleValues(t, "add")
	t.done()
	return r
}

// requireText reads a string that must be there.
func (t *table) requireText(key string, to *string, expected string) {
	t.require(key, expected)
	t.text(key, to)
}

// readRuleValues reads a table of attributes and their values, sorted by name.
func readRuleValues(t *table, key string) (list []RuleValue) {
	v, path, ok := t.value(key)
	if !ok {
		return nil
	}
	values, ok := v.(map[string]any)
	if !ok {
		t.r.wrong(path, `expected a table such as { NAS-Identifier = "campus" }, got %s`, got(v))
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		one := RuleValue{Key: joinKey(path, name), Attribute: name}
		all, isArray := values[name].([]any)
		if !isArray {
			all = []any{values[name]}
		}
		for _, v := range all {
			text, ok := ruleValue(v)
			if !ok {
				t.r.wrong(one.Key, "expected a string, a number or an array of these, got %s", got(v))
				continue
			}
			one.Values = append(one.Values, text)
		}
		if len(all) == 0 {
			t.r.wrong(one.Key, "expected at least one value, got an empty array")
		}
		list = append(list, one)
	}
	return list
}

// ruleValue returns a value as text.
func ruleValue(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	}
	return "", false
}

// readRuleNames reads the names of rules.
func readRuleNames(t *table, key string, to *[]string) {
	t.texts(key, func(path, s string) {
		if slices.Contains(*to, s) {
			t.r.wrong(path, "%q is listed twice: remove one", s)
		}
		*to = append(*to, s)
	})
}

// checkRuleNames notes names for which there is no rule.
func checkRuleNames(r *reader, c *Config) {
	var names []string
	for i := range c.Rules {
		names = append(names, c.Rules[i].Name)
	}
	for _, use := range c.allRuleUses() {
		for j, name := range use.Names {
			if !slices.Contains(names, name) {
				r.wrong(joinIndex(use.Key, j), "expected the name of a [[rule]], got %q%s", name, suggest(name, names))
			}
		}
	}
}

// RuleUse is an array of names of rules, such as a rules_request.
type RuleUse struct {
	Key   string // of the array, such as "client[0].rules_request"
	Of    string // "client", "route" or "server"
	Index int    // of the table
	Reply bool
	Names []string
}

// RuleUses lists every rules_request and rules_reply that is not empty.
func (c *Config) RuleUses() (list []RuleUse) {
	add := func(of string, i int, request, reply []string) {
		list = appendUses(list, of, i, "rules_", request, reply)
	}
	for i := range c.Clients {
		add("client", i, c.Clients[i].RulesRequest, c.Clients[i].RulesReply)
	}
	for i := range c.Servers {
		add("server", i, c.Servers[i].RulesRequest, c.Servers[i].RulesReply)
	}
	for i := range c.Routes {
		add("route", i, c.Routes[i].RulesRequest, c.Routes[i].RulesReply)
	}
	return list
}

// ReverseRuleUses lists every rules_reverse_request and rules_reverse_reply that is not
// empty. Their requests go to the client, and their replies come from there.
func (c *Config) ReverseRuleUses() (list []RuleUse) {
	for i := range c.Clients {
		list = appendUses(list, "client", i, "rules_reverse_", c.Clients[i].RulesReverseRequest, c.Clients[i].RulesReverseReply)
	}
	return list
}

// appendUses appends those of the two arrays of a table that are not empty.
func appendUses(list []RuleUse, of string, i int, prefix string, request, reply []string) []RuleUse {
	at := joinIndex(of, i)
	if len(request) > 0 {
		list = append(list, RuleUse{joinKey(at, prefix+"request"), of, i, false, request})
	}
	if len(reply) > 0 {
		list = append(list, RuleUse{joinKey(at, prefix+"reply"), of, i, true, reply})
	}
	return list
}

// allRuleUses lists every array of names of rules that is not empty.
func (c *Config) allRuleUses() []RuleUse {
	return append(c.RuleUses(), c.ReverseRuleUses()...)
}

// warnRules warns of rules that nothing uses, and of lists in another order than the file.
func (c *Config) warnRules(warn warner) {
	used := map[string]bool{}
	at := map[string]int{}
	for i := range c.Rules {
		at[c.Rules[i].Name] = i
	}
	for _, use := range c.allRuleUses() {
		for j, name := range use.Names {
			used[name] = true
			if j > 0 && at[name] < at[use.Names[j-1]] {
				warn(joinIndex(use.Key, j), "rule %q is above rule %q in the file, so it is applied first, whatever the order here", name, use.Names[j-1])
			}
		}
	}
	for i := range c.Rules {
		if !used[c.Rules[i].Name] {
			warn(joinIndex("rule", i), "rule %q has no effect: no client, route or server has it among its rules", c.Rules[i].Name)
		}
	}
}
