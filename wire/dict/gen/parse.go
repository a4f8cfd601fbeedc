package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// dictionary is what dictionary.txt says, in order of numbers.
type dictionary struct {
	vendors    []vendor
	attributes []attribute
}

type vendor struct {
	number int
	name   string
	layout string // as in the file
}

type attribute struct {
	vendor, number, sub int // sub 0: the attribute itself
	name                string
	kind                string // TYPE without its size
	size                int    // 0: any
	hidden              string // METHOD; "": not hidden
	tagged              bool
	secret, public      bool
	values              []value
}

type value struct {
	number int
	name   string
}

// parse reads the text of dictionary.txt. An error begins with the number of its line.
func parse(text string) (*dictionary, error) {
	d := &dictionary{}
	current := 0 // vendor
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		var err error
		switch {
		case len(fields) == 0:
		case fields[0] == "vendor":
			current, err = d.addVendor(fields[1:])
		case fields[0] == "=":
			err = d.addValue(fields[1:])
		default:
			err = d.addAttribute(current, fields)
		}
		if err != nil {
			return nil, fmt.Errorf("%d: %w", i+1, err)
		}
	}
	slices.SortStableFunc(d.attributes, func(a, b attribute) int {
		return cmp.Or(cmp.Compare(a.vendor, b.vendor), cmp.Compare(a.number, b.number), cmp.Compare(a.sub, b.sub))
	})
	return d, nil
}

// addVendor reads "NUMBER NAME [layout=…]".
func (d *dictionary) addVendor(fields []string) (number int, err error) {
	if len(fields) < 2 || len(fields) > 3 {
		return 0, fmt.Errorf("expected a vendor's number and name, and perhaps its layout, got %q", fields)
	}
	v := vendor{name: fields[1], layout: "1,1"}
	if v.number, err = strconv.Atoi(fields[0]); err != nil {
		return 0, err
	}
	if len(fields) == 3 {
		v.layout = strings.TrimPrefix(fields[2], "layout=")
		if v.layout != "2,1" && v.layout != "1,1,c" {
			return 0, fmt.Errorf("unknown layout %q", fields[2])
		}
	}
	d.vendors = append(d.vendors, v)
	return v.number, nil
}

// addValue reads "NUMBER NAME" of the attribute before.
func (d *dictionary) addValue(fields []string) error {
	if len(fields) != 2 || len(d.attributes) == 0 {
		return fmt.Errorf("expected the number and name of a value after its attribute, got %q", fields)
	}
	number, err := strconv.Atoi(fields[0])
	if err != nil {
		return err
	}
	a := &d.attributes[len(d.attributes)-1]
	a.values = append(a.values, value{number, fields[1]})
	return nil
}

// addAttribute reads "NUMBER[.NUMBER] NAME TYPE" and properties.
func (d *dictionary) addAttribute(vendor int, fields []string) error {
	if len(fields) < 3 {
		return fmt.Errorf("expected number, name and type, got %q", fields)
	}
	a := attribute{vendor: vendor, name: fields[1]}
	var err error
	number, sub, nested := strings.Cut(fields[0], ".")
	if a.number, err = strconv.Atoi(number); err != nil {
		return err
	}
	if nested {
		if a.sub, err = strconv.Atoi(sub); err != nil {
			return err
		}
	}
	kind, size, sized := strings.Cut(strings.TrimSuffix(fields[2], "]"), "[")
	if sized {
		if a.size, err = strconv.Atoi(size); err != nil {
			return err
		}
	}
	if a.kind = kind; goTypes[kind] == "" {
		return fmt.Errorf("unknown type %q", kind)
	}
	for _, property := range fields[3:] {
		method, hidden := strings.CutPrefix(property, "hidden=")
		switch {
		case hidden && goMethods[method] != "":
			a.hidden = method
		case property == "tagged":
			a.tagged = true
		case property == "secret":
			a.secret = true
		case property == "public":
			a.public = true
		default:
			return fmt.Errorf("unknown property %q", property)
		}
	}
	d.attributes = append(d.attributes, a)
	return nil
}
