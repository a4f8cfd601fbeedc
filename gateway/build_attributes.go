package gateway

import (
	"fmt"
	"slices"

	"radsec-gw/config"
	"radsec-gw/relay"
	"radsec-gw/rules"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// programs are the compiled attribute rules of a configuration, in the order of its rules.
type programs struct {
	rules []config.Rule
	list  []*rules.Program
}

// compileRules compiles the attribute rules. What it cannot compile is nil, and a mistake.
func compileRules(cfg *config.Config) (p programs, mistakes config.Mistakes) {
	p.rules = cfg.Rules
	for i := range cfg.Rules {
		program, wrong := rules.Compile(attributeRule(&cfg.Rules[i], fmt.Sprintf("rule[%d]", i)))
		for _, m := range wrong {
			mistakes = append(mistakes, cfg.MistakeAt(m.Key, m.Text))
		}
		p.list = append(p.list, program)
	}
	return p, mistakes
}

// attributeRule translates the rule at a path of the configuration.
func attributeRule(r *config.Rule, path string) *rules.Rule {
	out := &rules.Rule{Name: r.Name}
	for _, k := range kindsOf(r.Packets) {
		out.Kinds[k] = true
	}
	items := func(key string, texts []string) (list []rules.Item) {
		for i, text := range texts {
			list = append(list, rules.Item{Key: fmt.Sprintf("%s.%s[%d]", path, key, i), Text: text})
		}
		return list
	}
	out.Use, out.Remove, out.Keep = items("use", r.Use), items("remove", r.Remove), items("keep", r.Keep)
	for i, one := range r.Reject {
		out.Reject = append(out.Reject, rules.Pattern{Key: fmt.Sprintf("%s.reject[%d]", path, i), Attribute: one.Attribute, Pattern: one.Pattern})
	}
	for i, one := range r.Replace {
		out.Replace = append(out.Replace, rules.Replacement{Key: fmt.Sprintf("%s.replace[%d]", path, i), Attribute: one.Attribute, Pattern: one.Pattern, With: one.With})
	}
	out.Set, out.Default, out.Add = assignments(r.Set), assignments(r.Default), assignments(r.Add)
	return out
}

func assignments(values []config.RuleValue) (list []rules.Assignment) {
	for _, v := range values {
		list = append(list, rules.Assignment{Key: v.Key, Attribute: v.Attribute, Values: v.Values})
	}
	return list
}

// chain returns the rules of places that a packet passes one after the other; nil if there
// are none. Those of each place are in the order of the file, whatever that of their names
// (AR1).
func (p *programs) chain(places ...[]string) *rules.Chain {
	var list []*rules.Program
	for _, names := range places {
		for i := range p.rules {
			if slices.Contains(names, p.rules[i].Name) {
				list = append(list, p.list[i])
			}
		}
	}
	return rules.NewChain(list...)
}

// ofClient returns the rules of a client.
func (p *programs) ofClient(c *config.Client) relay.AttributeRules {
	return relay.AttributeRules{Request: p.chain(c.RulesRequest), Reply: p.chain(c.RulesReply)}
}

// ofRoute returns the rules of a route and its servers; nil if there are none. Requests pass
// those of the route first, replies those of the server (AR2).
func (p *programs) ofRoute(cfg *config.Config, r *config.Route) *relay.ServerRules {
	out := &relay.ServerRules{
		Route:    relay.AttributeRules{Request: p.chain(r.RulesRequest), Reply: p.chain(r.RulesReply)},
		ByServer: map[uint32]relay.AttributeRules{},
	}
	for i := range cfg.Servers {
		s := &cfg.Servers[i]
		if len(s.RulesRequest)+len(s.RulesReply) == 0 || !slices.Contains(r.Servers, s.Name) {
			continue
		}
		out.ByServer[udpback.ServerID(s.Name)] = relay.AttributeRules{
			Request: p.chain(r.RulesRequest, s.RulesRequest),
			Reply:   p.chain(s.RulesReply, r.RulesReply),
		}
	}
	if out.Route.Request == nil && out.Route.Reply == nil && len(out.ByServer) == 0 {
		return nil
	}
	return out
}

// warnings lists what is likely a mistake in the rules that are used.
func (p *programs) warnings(cfg *config.Config) (list []string) {
	uses := cfg.RuleUses()
	all := slices.Concat(uses, cfg.ReverseRuleUses())
	used := func(name string) bool {
		return slices.ContainsFunc(all, func(u config.RuleUse) bool { return slices.Contains(u.Names, name) })
	}
	for i, program := range p.list {
		if used(p.rules[i].Name) {
			for _, m := range program.Warnings() {
				list = append(list, cfg.MistakeAt(m.Key, m.Text).String())
			}
		}
	}
	list = append(list, p.halfPresets(cfg, uses)...)
	list = append(list, p.bothWays(cfg, uses)...)
	for _, use := range uses {
		if chain := p.chain(use.Names); !use.Reply && chain.ChangesUserName(wire.KindAccess) {
			list = append(list, cfg.MistakeAt(use.Key, "changes the User-Name of Access-Requests: many servers insist that it equals the identity in EAP, which is not changed (RFC 3579 §2.1); without the realm or DOMAIN\\ MS-CHAPv2 works, with another user part it does not").String())
		}
	}
	return list
}

// bothWays lists the rules that write attributes and are named for requests and for replies:
// what is meant for servers goes to clients, too.
func (p *programs) bothWays(cfg *config.Config, uses []config.RuleUse) (list []string) {
	for i := range p.rules {
		r := &p.rules[i]
		named := func(reply bool) bool {
			return slices.ContainsFunc(uses, func(u config.RuleUse) bool { return u.Reply == reply && slices.Contains(u.Names, r.Name) })
		}
		if len(r.Set)+len(r.Default)+len(r.Add) > 0 && named(false) && named(true) {
			list = append(list, cfg.MistakeAt(fmt.Sprintf("rule[%d]", i), fmt.Sprintf("rule %q is named for requests and for replies, so that servers and clients both get what it sets or adds: give that to a rule for one of them", r.Name)).String())
		}
	}
	return list
}

// halfPresets lists the places where a rule with a preset, which has steps for requests and
// for replies, is named for one of them only.
func (p *programs) halfPresets(cfg *config.Config, uses []config.RuleUse) (list []string) {
	for i := range p.rules {
		if len(p.rules[i].Use) == 0 {
			continue
		}
		name := p.rules[i].Name
		for _, use := range uses {
			other := func(u config.RuleUse) bool {
				return u.Of == use.Of && u.Index == use.Index && u.Reply != use.Reply && slices.Contains(u.Names, name)
			}
			if slices.Contains(use.Names, name) && !slices.ContainsFunc(uses, other) {
				list = append(list, cfg.MistakeAt(use.Key, fmt.Sprintf("rule %q uses a preset, which has steps for requests and for replies: name it in rules_request and in rules_reply", name)).String())
			}
		}
	}
	return list
}
