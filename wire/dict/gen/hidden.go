package main

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// hiddenFile returns ../hidden_table.go: the hidden attributes as a packet meets
// them, an array for those without a vendor and a switch for those with one.
func hiddenFile(d *dictionary) []byte {
	var b bytes.Buffer
	b.WriteString(generated + "package wire\n\n")
	b.WriteString("// standardRules holds the rules of attributes without a vendor; read only.\nvar standardRules = [256]rule{\n")
	for _, a := range d.attributes {
		if a.vendor == 0 && a.hidden != "" {
			fmt.Fprintf(&b, "%d: %s,\n", a.number, a.rule())
		}
	}
	b.WriteString("}\n\n")
	writeVendorFormat(&b, d)
	writeVendorRule(&b, d)
	return b.Bytes()
}

// rule returns the rule of a hidden attribute as an expression of package wire.
func (a *attribute) rule() string {
	expr := map[string]string{"user-password": "methodUserPassword", "salted": "methodSalted", "ascend": "methodAscend", "leap": "methodSalted | ruleLEAP"}[a.hidden]
	if a.tagged {
		expr += " | ruleTagged"
	}
	if a.hidden == "user-password" && a.size != 0 {
		expr += " | ruleKeys"
	}
	return expr
}

func writeVendorFormat(b *bytes.Buffer, d *dictionary) {
	b.WriteString("// vendorFormat returns how a vendor that hides something lays out its attributes,\n// formatNone for other vendors.\nfunc vendorFormat(vendor uint32) format {\nswitch vendor {\n")
	var formats cases
	for _, v := range d.vendors {
		if slices.ContainsFunc(d.attributes, func(a attribute) bool { return a.vendor == v.number && a.hidden != "" }) {
			result := map[string]string{"1,1": "format11", "2,1": "format21", "1,1,c": "format11c"}[v.layout]
			formats.add(result, v.number, strconv.Itoa(v.number))
		}
	}
	formats.write(b)
	b.WriteString("}\nreturn formatNone\n}\n\n")
}

func writeVendorRule(b *bytes.Buffer, d *dictionary) {
	b.WriteString("// vendorRule returns the rule of a vendor's attribute, or of the TLV sub\n// inside it when sub is not 0; 0 when it is not hidden.\nfunc vendorRule(vendor uint32, number uint16, sub byte) rule {\n")
	b.WriteString("switch uint64(vendor)<<24 | uint64(number)<<8 | uint64(sub) {\n")
	var rules cases
	parents := map[string]bool{}
	for _, a := range d.attributes {
		if a.vendor == 0 || a.hidden == "" {
			continue
		}
		key := fmt.Sprintf("%d<<24 | %d<<8", a.vendor, a.number)
		if a.sub != 0 {
			if !parents[key] {
				parents[key] = true
				rules.add("ruleTLVs", a.vendor, key)
			}
			key = fmt.Sprintf("%s | %d", key, a.sub)
		}
		rules.add(a.rule(), a.vendor, key)
	}
	rules.write(b)
	b.WriteString("}\nreturn 0\n}\n")
}

// cases are the cases of a switch, one for each result, in the order in which the
// results were first added.
type cases []*oneCase

type oneCase struct {
	result string
	vendor int // of the last value
	inLine int // values in the last line
	values strings.Builder
}

// add adds a value; those of one vendor share a line while they fit.
func (c *cases) add(result string, vendor int, value string) {
	i := slices.IndexFunc(*c, func(one *oneCase) bool { return one.result == result })
	if i < 0 {
		*c = append(*c, &oneCase{result: result, vendor: vendor, inLine: 1})
		(*c)[len(*c)-1].values.WriteString(value)
		return
	}
	const most = 6
	one := (*c)[i]
	separator := ", "
	if strings.Contains(value, "<<") && vendor != one.vendor || one.inLine == most {
		separator, one.inLine = ",\n", 0
	}
	one.vendor, one.inLine = vendor, one.inLine+1
	one.values.WriteString(separator + value)
}

func (c cases) write(b *bytes.Buffer) {
	for _, one := range c {
		fmt.Fprintf(b, "case %s:\nreturn %s\n", one.values.String(), one.result)
	}
}
