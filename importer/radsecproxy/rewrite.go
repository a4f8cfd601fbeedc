package radsecproxy

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"radsec-gw/importer"
	"radsec-gw/rules"
)

// attributeRule is a [[rule]] that is made of a rewrite block, or of RewriteAttribute.
type attributeRule struct {
	rules.Rule        // without a name: nothing of it can be carried over
	from       string // what it was, for a comment
	at         importer.Place
	lost       []importer.Note
}

// empty reports whether the rule has no steps.
func (r *attributeRule) empty() bool {
	return len(r.Remove)+len(r.Keep)+len(r.Replace)+len(r.Default)+len(r.Add) == 0
}

// lose notes that an option is not carried over. What attributes are set to may be secret,
// so it is omitted.
func (r *attributeRule) lose(it item, why error) {
	r.lost = append(r.lost, importer.Note{Place: it.Place, Text: it.name + " " + shownRewrite(&it) + ": " + why.Error()})
}

// rewriteRule translates a rewrite block.
func rewriteRule(b *block) *attributeRule {
	r := &attributeRule{from: "rewrite " + b.name, at: b.Place}
	if b.on("whitelistMode", false) {
		r.whitelist(b)
	} else {
		r.removals(b)
	}
	for _, ofVendor := range []bool{false, true} {
		for _, it := range b.all(optionOf("modify", ofVendor)) {
			r.modify(it, ofVendor)
		}
	}
	for _, verb := range []string{"supplement", "add"} {
		for _, ofVendor := range []bool{false, true} {
			for _, it := range b.all(optionOf(verb, ofVendor)) {
				r.write(it, verb, ofVendor)
			}
		}
	}
	return r
}

// optionOf returns the name of an option of a rewrite block.
func optionOf(verb string, ofVendor bool) string {
	if ofVendor {
		return verb + "VendorAttribute"
	}
	return verb + "Attribute"
}

// filtered reads an element of a list of attributes to remove or to keep. A whole vendor is
// a number alone.
func filtered(it item, ofVendor bool) (name string, n number, err error) {
	if ofVendor && !strings.Contains(it.value, ":") {
		wide, err := strconv.ParseUint(it.value, 10, 32)
		if err != nil || wide == 0 {
			return "", n, errors.New("expected the number of a vendor")
		}
		return it.value + ":*", n, nil
	}
	if n, err = numberOf(it.value, ofVendor); err != nil {
		return "", n, err
	}
	return n.name(), n, nil
}

// removals translates the attributes to remove.
func (r *attributeRule) removals(b *block) {
	for _, ofVendor := range []bool{false, true} {
		for _, it := range b.all(optionOf("remove", ofVendor)) {
			name, n, err := filtered(it, ofVendor)
			why := rules.Protected(n.vendor, n.of)
			switch {
			case err != nil:
				r.lose(it, err)
			case why != "":
				r.lose(it, errors.New("the gateway never removes it: "+why))
			default:
				r.Remove = append(r.Remove, rules.Item{Text: name})
			}
		}
	}
}

// whitelist translates the attributes to keep. It is carried over as a whole or not at all:
// without one of them more would be removed. What no rule may touch is kept anyway.
func (r *attributeRule) whitelist(b *block) {
	var keep []rules.Item
	var all []item
	failed := false
	for _, ofVendor := range []bool{false, true} {
		for _, it := range b.all(optionOf("whitelist", ofVendor)) {
			all = append(all, it)
			name, n, err := filtered(it, ofVendor)
			if err != nil {
				r.lose(it, err)
				failed = true
			} else if rules.Protected(n.vendor, n.of) == "" {
				keep = append(keep, rules.Item{Text: name})
			}
		}
	}
	switch {
	case failed:
		r.lose(all[0], errors.New("the list is carried over as a whole or not at all. Until it is, nothing is removed"))
	case len(all) > 0 && len(keep) == 0:
		r.lose(all[0], errors.New("keep of a [[rule]] must name an attribute that the gateway could remove"))
	default:
		r.Keep = keep
	}
}

// modify translates an expression and a text that replaces the value.
func (r *attributeRule) modify(it item, ofVendor bool) {
	attribute, option, found := strings.Cut(it.value, ":/")
	if !found {
		r.lose(it, errors.New("expected ATTRIBUTE:/EXPRESSION/TEXT/"))
		return
	}
	n := number{of: 1}
	if ofVendor || !strings.EqualFold(attribute, "User-Name") {
		var err error
		if n, err = numberOf(attribute, ofVendor); err != nil {
			r.lose(it, err)
			return
		}
	}
	if _, mistakes := rules.Compile(&rules.Rule{Reject: []rules.Pattern{{Attribute: n.name(), Pattern: "a"}}}); len(mistakes) > 0 {
		r.lose(it, errors.New(mistakes[0].Text))
		return
	}
	pattern, with, err := replacementOf(option)
	one := rules.Replacement{Attribute: n.name(), Pattern: pattern, With: with}
	if err == nil {
		if _, mistakes := rules.Compile(&rules.Rule{Replace: []rules.Replacement{one}}); len(mistakes) > 0 {
			err = errors.New("its regular expression is too long, or its attribute cannot be changed")
		}
	}
	if err != nil {
		r.lose(it, err)
		return
	}
	r.Replace = append(r.Replace, one)
}

// write translates an attribute that is added, always or if there is none.
func (r *attributeRule) write(it item, verb string, ofVendor bool) {
	colons := 1
	if ofVendor {
		colons = 2
	}
	parts := strings.SplitN(it.value, ":", colons+1)
	if len(parts) <= colons {
		r.lose(it, errors.New("expected a value after the number of the attribute"))
		return
	}
	n, err := numberOf(strings.Join(parts[:colons], ":"), ofVendor)
	var octets []byte
	if err == nil {
		octets, err = octetsOf(parts[colons])
	}
	if why := rules.Protected(n.vendor, n.of); err == nil && why != "" {
		err = errors.New("the gateway never writes it: " + why)
	}
	var a rules.Assignment
	if err == nil {
		a, err = assignmentOf(n, octets)
	}
	if verb == "supplement" && err == nil && a.Attribute != n.name() {
		err = errors.New("radsecproxy adds it unless there is one with any tag; default of a [[rule]] is for one tag")
	}
	if err != nil {
		r.lose(it, err)
		return
	}
	list := &r.Add
	if verb == "supplement" {
		list = &r.Default
	}
	i := slices.IndexFunc(*list, func(other rules.Assignment) bool { return other.Attribute == a.Attribute })
	switch {
	case i < 0:
		*list = append(*list, a)
	case verb == "add":
		(*list)[i].Values = append((*list)[i].Values, a.Values...)
	} // a second one is not missing any more
}

// writeRule writes a [[rule]], if it has steps, and what was not carried over. radsecproxy
// changes Access and Accounting only.
func (c *conversion) writeRule(r *attributeRule) {
	t := c.draft.Head()
	if !r.empty() {
		t = c.draft.Add("[[rule]]")
		t.Comment("%s, %s", r.at, r.from)
		t.Set("name", r.Name)
		t.Set("packets", []string{"access", "accounting"})
		for _, list := range []struct {
			key   string
			items []rules.Item
		}{{"remove", r.Remove}, {"keep", r.Keep}} {
			if len(list.items) > 0 {
				t.Set(list.key, texts(list.items))
			}
		}
		var replace []importer.Inline
		for _, one := range r.Replace {
			replace = append(replace, importer.Inline{{Key: "attribute", Value: one.Attribute}, {Key: "pattern", Value: one.Pattern}, {Key: "with", Value: one.With}})
		}
		if len(replace) > 0 {
			t.Set("replace", replace)
		}
		setAssignments(t, "default", r.Default)
		setAssignments(t, "add", r.Add)
	}
	for _, n := range r.lost {
		text := n.Text
		if r.empty() {
			text = r.from + ": " + text
		}
		t.Note(n.Place, "%s", text)
	}
}

func texts(items []rules.Item) (list []string) {
	for _, item := range items {
		list = append(list, item.Text)
	}
	return list
}

func setAssignments(t *importer.Table, key string, list []rules.Assignment) {
	var all importer.Inline
	for _, a := range list {
		pair := importer.Pair{Key: a.Attribute, Value: a.Values[0]}
		if len(a.Values) > 1 {
			pair.Value = a.Values
		}
		all = append(all, pair)
	}
	slices.SortFunc(all, func(a, b importer.Pair) int { return cmp.Compare(a.Key, b.Key) })
	if len(all) > 0 {
		t.Set(key, all)
	}
}
