package radsecproxy

import (
	"radsec-gw/importer"
)

// rewriteAttribute translates RewriteAttribute of a client, which is about User-Name
// whatever attribute it names.
func rewriteAttribute(b *block, it item) *attributeRule {
	r := &attributeRule{from: "RewriteAttribute of client " + b.name, at: it.Place}
	r.modify(it, false)
	return r
}

// rulesOfClient writes which rules change the packets of a client. Where it names no rewrite
// block for its requests, defaultClient or default is for them.
func (c *conversion) rulesOfClient(t *importer.Table, b *block) {
	request := c.rewriteIn(t, b, "defaultClient")
	if it, ok := b.last("rewriteAttribute"); ok {
		r := c.userNames[b]
		if r == nil {
			r = rewriteAttribute(b, it)
			c.userNames[b] = r
			c.userNameOrder = append(c.userNameOrder, b)
			c.nameRule(r, b.name+" User-Name")
		}
		request = appendName(request, r)
	}
	setRules(t, request, c.rewriteOut(t, b))
}

// rulesOfServer writes which rules change the packets of a server. Where it names no rewrite
// block for its replies, defaultServer or default is for them.
func (c *conversion) rulesOfServer(t *importer.Table, b *block) {
	reply := c.rewriteIn(t, b, "defaultServer")
	setRules(t, c.rewriteOut(t, b), reply)
}

func setRules(t *importer.Table, request, reply []string) {
	if len(request) > 0 {
		t.Set("rules_request", request)
	}
	if len(reply) > 0 {
		t.Set("rules_reply", reply)
	}
}

// rewriteIn returns the rules for what comes from a client or a server.
func (c *conversion) rewriteIn(t *importer.Table, b *block, otherwise string) []string {
	it, given := b.last("rewriteIn")
	if alias, ok := b.last("rewrite"); ok && !given {
		it, given = alias, true
	}
	if given {
		return c.rewriteNamed(t, it)
	}
	for _, name := range []string{otherwise, "default"} {
		if r := c.ruleOf(name); r != nil {
			return appendName(nil, r)
		}
	}
	return nil
}

// rewriteOut returns the rules for what is sent to a client or a server.
func (c *conversion) rewriteOut(t *importer.Table, b *block) []string {
	if it, given := b.last("rewriteOut"); given {
		return c.rewriteNamed(t, it)
	}
	return nil
}

func (c *conversion) rewriteNamed(t *importer.Table, it item) []string {
	r := c.ruleOf(it.value)
	if r == nil {
		t.Note(it.Place, "%s %s: expected the name of a rewrite block that has options", it.name, it.value)
		return nil
	}
	return appendName(nil, r)
}

// appendName appends the name of a rule that has steps.
func appendName(names []string, r *attributeRule) []string {
	if r.empty() {
		return names
	}
	return append(names, r.Name)
}

// ruleOf returns the rule of the rewrite block with a name; nil if there is none, or it has
// no effect.
func (c *conversion) ruleOf(name string) *attributeRule {
	for _, b := range c.rewrites {
		if b.name != name {
			continue
		}
		r := c.rewriteRules[b]
		if r == nil {
			r = rewriteRule(b)
			c.nameRule(r, b.name)
			c.rewriteRules[b] = r
		}
		if r.empty() && len(r.lost) == 0 {
			return nil
		}
		return r
	}
	return nil
}

// nameRule names a rule, if it has steps.
func (c *conversion) nameRule(r *attributeRule, name string) {
	if !r.empty() {
		r.Name = c.names.Unique("rule", name)
	}
}

// rules writes the rules that are used: those of rewrite blocks, then, as radsecproxy
// applies them, those for User-Name.
func (c *conversion) rules() {
	for _, b := range c.rewrites {
		if r := c.rewriteRules[b]; r != nil {
			c.writeRule(r)
			continue
		}
		c.draft.Note(b.Place, "rewrite %s: no client and no server that is carried over uses it (%s)", b.name, b.optionNames())
	}
	for _, b := range c.userNameOrder {
		c.writeRule(c.userNames[b])
	}
}
