package dict

import "strings"

// Value is a value of an attribute of type Integer that has a name.
type Value struct {
	Number uint32
	Name   string
}

// ValueName returns the name of a value, "" when it has none.
func (a *Attribute) ValueName(number uint32) string {
	for _, v := range a.Values {
		if v.Number == number {
			return v.Name
		}
	}
	return ""
}

// ValueNumber returns the value with a name, ignoring case; false when there is none.
func (a *Attribute) ValueNumber(name string) (number uint32, ok bool) {
	for _, v := range a.Values {
		if strings.EqualFold(v.Name, name) {
			return v.Number, true
		}
	}
	return 0, false
}
