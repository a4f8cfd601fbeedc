package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"radsec-gw/wire/dict"
)

// compiler collects the steps and mistakes of one rule.
type compiler struct {
	rule     string
	program  *Program
	mistakes []Mistake
}

// Compile returns the program of a rule, for requests and replies alike, or every
// mistake in it.
//
// Rule: AR1.
func Compile(r *Rule) (*Program, []Mistake) {
	c := &compiler{rule: r.Name, program: &Program{kinds: r.Kinds}}
	for _, use := range r.Use {
		if preset := presetNamed(use.Text); preset != nil {
			c.preset(use.Key, preset)
		} else {
			c.mistake(use.Key, fmt.Errorf("expected one of the presets %s, got %q", strings.Join(presetNames(), ", "), use.Text))
		}
	}
	c.steps(r, both)
	if len(c.mistakes) > 0 {
		return nil, c.mistakes
	}
	return c.program, nil
}

// steps compiles the steps of a rule in their order.
func (c *compiler) steps(r *Rule, d direction) {
	for _, p := range r.Reject {
		c.reject(p, requests)
	}
	c.filter("remove", r.Remove, d)
	c.filter("keep", r.Keep, d)
	for _, p := range r.Replace {
		c.replace(p, d)
	}
	for _, a := range r.Set {
		c.removeTags(a, d)
	}
	for _, of := range []struct {
		verb string
		list []Assignment
	}{{"set", r.Set}, {"default", r.Default}, {"add", r.Add}} {
		for _, a := range of.list {
			c.assign(of.verb, a, d)
		}
	}
}

func (c *compiler) mistake(key string, err error) {
	c.mistakes = append(c.mistakes, Mistake{key, err.Error()})
}

func (c *compiler) warn(key, text string) {
	c.program.warnings = append(c.program.warnings, Mistake{key, text})
}

// add adds a step, and notes whether it may change User-Name in requests.
func (c *compiler) add(s *step) {
	s.rule = c.rule
	switch s.direction {
	case requests:
		s.line += " (requests)"
	case replies:
		s.line += " (replies)"
	case accessRequests:
		s.line += " (Access-Requests)"
	case accessAccepts:
		s.line += " (Access-Accepts)"
	}
	c.program.steps = append(c.program.steps, s)
	if s.isForReplies() || s.action == actReject {
		return
	}
	if s.filter != nil {
		c.program.userName = c.program.userName || s.filter.fates[typeUserName] != stays
	} else if s.attribute.vendor == 0 && s.attribute.typ == typeUserName {
		c.program.userName = true
	}
}

// attribute reads the name of an attribute that no step is forbidden to touch; nil after
// a mistake.
//
// Rule: AR4.
func (c *compiler) attribute(key, text string) *attribute {
	a, err := parseAttribute(text)
	if err == nil {
		if why := protected(a.vendor, a.number, a.sub); why != "" {
			err = fmt.Errorf("%s must not be touched by rules: %s; remove it from the rule", a.entry.Name, why)
		}
	}
	if err == nil && a.vendor == 0 && isExtended(a.typ) && a.sub == 0 {
		err = fmt.Errorf("expected an extended type such as \"241.8\", got %q", text)
	}
	if err != nil {
		c.mistake(key, err)
		return nil
	}
	return a
}

// filter compiles remove or keep. TLVs are removed one by one.
func (c *compiler) filter(verb string, list []Item, d direction) {
	var items []*attribute
	var names []string
	for _, item := range list {
		a := c.attribute(item.Key, item.Text)
		switch {
		case a == nil:
		case a.vendor != 0 && a.sub != 0 && verb == "keep":
			c.mistake(item.Key, fmt.Errorf("%s is a TLV; keep the attribute that holds it, %d:%d", item.Text, a.vendor, a.number))
		case a.vendor != 0 && a.sub != 0:
			c.removeTLV(a, d)
		default:
			items, names = append(items, a), append(names, a.name)
			if verb == "remove" && (isKey(a.vendor, a.number) || a.vendor == vendorMicrosoft && a.allNumbers || a.allVendors) {
				c.warn(item.Key, fmt.Sprintf("%s removes MPPE keys from Access-Accepts: users of Wi-Fi with EAP could not connect", item.Text))
			}
		}
	}
	if len(items) == 0 {
		return
	}
	f := newFilter(verb == "keep", items)
	c.add(&step{action: actFilter, direction: d, filter: f, line: verb + " " + strings.Join(names, ", ")})
	if !f.keep {
		return
	}
	if f.fates[typeUserName] != stays {
		c.warn(list[0].Key, "keep without User-Name removes the user's name from requests")
	}
	if f.fates[typeUserPassword] != stays {
		c.warn(list[0].Key, "keep without User-Password removes passwords from requests")
	}
	for _, key := range []uint16{16, 17} {
		if f.fateInside(vendorMicrosoft, key, nil) != stays {
			c.warn(list[0].Key, "keep without MS-MPPE-Send-Key and MS-MPPE-Recv-Key removes MPPE keys from Access-Accepts: users of Wi-Fi with EAP could not connect")
			break
		}
	}
}

// removeTLV compiles the removal of a TLV.
func (c *compiler) removeTLV(a *attribute, d direction) {
	c.add(&step{action: actTLV, direction: d, attribute: a, holder: holderOf(a), filter: newFilter(false, []*attribute{a}), line: "remove " + a.name})
}

// removeTags has what set will give a tag and a fact removed with every tag, and without
// one: not every server looks at the tag. It precedes all that set writes, so that a rule
// may set the attribute with several tags.
//
// Rule: ID2.
func (c *compiler) removeTags(r Assignment, d direction) {
	a, err := parseAttribute(r.Attribute)
	if err != nil || !a.hasTag || !slices.ContainsFunc(r.Values, isTextWithFact) {
		return
	}
	c.add(&step{action: actFilter, direction: d, filter: newFilter(false, []*attribute{withEachTag(a)}), line: "remove " + a.entry.Name + " with every tag"})
}

// matched compiles an attribute and a pattern for its values.
func (c *compiler) matched(key, name, text string) (*attribute, *pattern) {
	a := c.attribute(key+".attribute", name)
	p, err := compilePattern(text)
	if err != nil && a != nil {
		err = a.withoutValues(err)
	}
	if err != nil {
		c.mistake(key+".pattern", err)
	}
	if a == nil {
		return nil, nil
	}
	switch {
	case a.allVendors || a.allNumbers || a.vendor == 0 && a.typ >= typeLongExtended5 && isExtended(a.typ):
		err = fmt.Errorf("expected one attribute that is not split into fragments, got %q", name)
	case a.entry.Hidden != dict.Clear && a.entry.Hidden != dict.LEAP:
		err = fmt.Errorf("the values of %s are encrypted, and cannot be compared with a pattern", a.entry.Name)
	case a.entry.Type != dict.Text && a.entry.Type != dict.Octets:
		err = fmt.Errorf("expected an attribute of text or octets, got %s", a.entry.Name)
	case err != nil:
		return nil, nil
	default:
		return a, p
	}
	c.mistake(key+".attribute", err)
	return nil, nil
}

func (c *compiler) reject(r Pattern, d direction) {
	if a, p := c.matched(r.Key, r.Attribute, r.Pattern); a != nil {
		c.add(&step{action: actReject, direction: d, attribute: a, pattern: p, line: fmt.Sprintf("reject %s ~ %s", a.name, a.shown(r.Pattern))})
	}
}

// replace compiles a replacement. That of a User-Name may well have a fact, such as a realm.
//
// Rule: ID2.
func (c *compiler) replace(r Replacement, d direction) {
	a, p := c.matched(r.Key, r.Attribute, r.Pattern)
	if a == nil {
		return
	}
	with, err := parseTemplate(r.With, p)
	if err != nil {
		c.mistake(r.Key+".with", a.withoutValues(err))
		return
	}
	if a.entry.Size != 0 {
		c.mistake(r.Key+".attribute", fmt.Errorf("the values of %s all have %d octets", a.entry.Name, a.entry.Size))
		return
	}
	if hasFact(with) && d == both && (a.vendor != 0 || a.typ != typeUserName) {
		c.warn(r.Key+".with", fmt.Sprintf("a client can send %s with a value that the pattern does not match, and so forge the fact; give it under set", a.name))
	}
	c.add(&step{action: actReplace, direction: d, attribute: a, pattern: p, with: with, line: fmt.Sprintf("replace %s ~ %s by %s", a.name, a.shown(r.Pattern), a.shown(r.With))})
}

// assign compiles set, default or add.
//
// Rule: ID2.
func (c *compiler) assign(verb string, r Assignment, d direction) {
	a := c.attribute(r.Key, r.Attribute)
	if a == nil {
		return
	}
	if err := assignable(a); err != nil {
		c.mistake(r.Key, err)
		return
	}
	if len(r.Values) == 0 {
		c.mistake(r.Key, errors.New("expected one or more values, got none; to remove an attribute list it under remove"))
		return
	}
	s := &step{action: actAppend, direction: d, attribute: a, line: fmt.Sprintf("%s %s = %s", verb, a.name, a.shownValues(r.Values))}
	for _, text := range r.Values {
		v, err := parseValue(a, text)
		if err != nil {
			c.mistake(r.Key, a.withoutValues(err))
			return
		}
		s.values = append(s.values, v)
	}
	facts := slices.ContainsFunc(s.values, (*value).usesFact)
	if facts && verb != "set" && d == both {
		c.warn(r.Key, fmt.Sprintf("a client can send %s itself, and so forge the fact; give it under set", a.name))
	}
	switch verb {
	case "set":
		if a.sub != 0 && a.vendor != 0 {
			c.removeTLV(a, d)
		} else {
			c.add(&step{action: actFilter, direction: d, filter: newFilter(false, []*attribute{a}), line: "remove " + a.name})
		}
	case "default":
		s.action = actDefault
	}
	c.add(s)
}

// assignable returns why a rule cannot write an attribute, or nil.
func assignable(a *attribute) error {
	switch t := a.entry.Type; {
	case a.allVendors, a.allNumbers:
		return fmt.Errorf("expected one attribute, got %q", a.name)
	case isKey(a.vendor, a.number):
		return fmt.Errorf("%s is a key that server and user have agreed on; it can only be removed", a.entry.Name)
	case t == dict.Concat, t == dict.EVS, t == dict.VSA, t == dict.Extended, t == dict.LongExtended:
		return fmt.Errorf("values of %s cannot be written by rules; it can only be removed or kept", a.entry.Name)
	case a.entry.Hidden == dict.UserPassword, a.entry.Hidden == dict.Ascend:
		return fmt.Errorf("%s is a password of the user or a key; it can only be removed", a.entry.Name)
	case a.vendor != 0 && a.sub == 0 && dict.HasTLVs(a.vendor, a.number):
		return fmt.Errorf("%s holds TLVs; name one, such as \"%d:%d.1\"", a.name, a.vendor, a.number)
	}
	return nil
}
