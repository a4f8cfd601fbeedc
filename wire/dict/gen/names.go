package main

import (
	"bytes"
	"fmt"
)

// goTypes holds the constants of package dict for the types of the file; read only.
var goTypes = map[string]string{
	"text": "Text", "octets": "Octets", "integer": "Integer", "integer64": "Integer64", "time": "Time",
	"ipv4addr": "IPv4Addr", "ipv6addr": "IPv6Addr", "ipv4prefix": "IPv4Prefix", "ipv6prefix": "IPv6Prefix",
	"ifid": "IfID", "concat": "Concat", "vsa": "VSA", "extended": "Extended", "long-extended": "LongExtended", "evs": "EVS",
}

// goMethods is the same for the methods; read only.
var goMethods = map[string]string{"user-password": "UserPassword", "salted": "Salted", "ascend": "Ascend", "leap": "LEAP"}

const generated = "// Code generated from dictionary.txt by wire/dict/gen; DO NOT EDIT.\n\n"

// namesFile returns table.go.
func namesFile(d *dictionary) []byte {
	var b bytes.Buffer
	b.WriteString(generated + "package dict\n\n")
	b.WriteString("// vendors is sorted by number; read only.\nvar vendors = [...]Vendor{\n")
	for _, v := range d.vendors {
		layout := map[string]string{"1,1": "Layout11", "2,1": "Layout21", "1,1,c": "Layout11c"}[v.layout]
		fmt.Fprintf(&b, "{%d, %q, %s},\n", v.number, v.name, layout)
	}
	b.WriteString("}\n\n// attributes is sorted by vendor, number and sub; read only.\nvar attributes = [...]Attribute{\n")
	for i := range d.attributes {
		b.WriteString(d.attributes[i].literal())
	}
	b.WriteString("}\n")
	return b.Bytes()
}

// literal returns the attribute as an element of a composite literal.
func (a *attribute) literal() string {
	var b bytes.Buffer
	b.WriteByte('{')
	if a.vendor != 0 {
		fmt.Fprintf(&b, "Vendor: %d, ", a.vendor)
	}
	fmt.Fprintf(&b, "Number: %d, ", a.number)
	if a.sub != 0 {
		fmt.Fprintf(&b, "Sub: %d, ", a.sub)
	}
	fmt.Fprintf(&b, "Name: %q, Type: %s", a.name, goTypes[a.kind])
	if a.size != 0 {
		fmt.Fprintf(&b, ", Size: %d", a.size)
	}
	if a.hidden != "" {
		fmt.Fprintf(&b, ", Hidden: %s", goMethods[a.hidden])
	}
	if a.tagged {
		b.WriteString(", Tagged: true")
	}
	if a.secret || a.hidden != "" || a.vendor != 0 && !a.public {
		b.WriteString(", Secret: true")
	}
	if len(a.values) > 0 {
		b.WriteString(", Values: []Value{\n")
		for _, v := range a.values {
			fmt.Fprintf(&b, "{%d, %q},\n", v.number, v.name)
		}
		b.WriteByte('}')
	}
	b.WriteString("},\n")
	return b.String()
}
