package rules

import "radsec-gw/wire"

// Rule is one [[rule]] as it is configured. The Key of what it lists is the place in the
// configuration that a mistake is reported at.
type Rule struct {
	Name    string
	Kinds   [wire.NumKinds]bool // of the requests that it is for, and of the replies to them
	Use     []Item              // names of presets
	Reject  []Pattern           // requests with such a value are refused; replies are not
	Remove  []Item
	Keep    []Item // not empty: what is not listed is removed
	Replace []Replacement
	Set     []Assignment
	Default []Assignment
	Add     []Assignment
}

// Item is the name of an attribute, or of a preset.
type Item struct{ Key, Text string }

// Pattern is an attribute and a regular expression in RE2 syntax, which is looked for
// anywhere in its values.
type Pattern struct{ Key, Attribute, Pattern string }

// Replacement is a Pattern, and what its first match in each value is replaced by: text
// with $1, ${name} and $$ as in regexp.Expand, and facts in braces.
type Replacement struct{ Key, Attribute, Pattern, With string }

// Assignment is an attribute and the values that it gets: text with facts in braces.
type Assignment struct {
	Key, Attribute string
	Values         []string
}

// Mistake is what is wrong with a rule, or may be not what is meant, and where.
type Mistake struct{ Key, Text string }
