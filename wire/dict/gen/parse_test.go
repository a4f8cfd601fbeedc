package main

import (
	"strings"
	"testing"
)

// A mistake in the file is reported with its line.
func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"\n1 User-Name":                          "2: expected number, name and type",
		"x User-Name text":                       `1: strconv.Atoi: parsing "x"`,
		"1.x User-Name text":                     `1: strconv.Atoi: parsing "x"`,
		"1 User-Name string":                     `1: unknown type "string"`,
		"1 User-Name octets[x]":                  `1: strconv.Atoi: parsing "x"`,
		"2 User-Password text hidden=rot13":      `1: unknown property "hidden=rot13"`,
		"2 User-Password text secrets":           `1: unknown property "secrets"`,
		"vendor 9":                               "1: expected a vendor's number and name",
		"vendor x Cisco":                         `1: strconv.Atoi: parsing "x"`,
		"vendor 9 Cisco layout=3,1":              `1: unknown layout "layout=3,1"`,
		"= 1 Login-User":                         "1: expected the number and name of a value",
		"6 Service-Type integer\n= Login-User":   "2: expected the number and name of a value",
		"6 Service-Type integer\n= x Login-User": `2: strconv.Atoi: parsing "x"`,
	} {
		if _, err := parse(text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: expected %s, got %v", text, want, err)
		}
	}
}
