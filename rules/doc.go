// Package rules changes the attributes of packets by rule: octets and values in, octets
// and a decision out. It knows no sockets, clocks, logs or configuration files.
//
// A Rule is compiled to a Program, programs are joined to a Chain, and Chain.Apply
// changes a packet in an Editor. Each rule has one order: presets, reject, remove, keep,
// replace, set, default, add.
//
// The files in the order in which to read them:
//
//	rule.go       a rule as it is configured
//	facts.go      what is known about the connection
//	attribute.go  the attributes that a rule can name
//	protected.go  those that it cannot
//	compile.go    a rule to its steps, or its mistakes
//	value.go      the values that attributes are given
//	template.go   text with facts and groups in it
//	match.go      regular expressions without allocation
//	chain.go      Apply, StripFacts, ReplaceUserName
//	step.go       what one step does
//	filter.go     removing and keeping
//	cursor.go     finding the instances of an attribute, and changing one
//	layout.go     how vendors lay out their attributes
//	edit.go       the packet being changed
//	presets.go    the rules that come with the gateway
//	errors.go     why a packet fails
package rules
