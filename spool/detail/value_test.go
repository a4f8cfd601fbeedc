package detail

import (
	"encoding/hex"
	"testing"

	"radsec-gw/wire/dict"
)

// Values of every type, as FreeRADIUS writes them, and others that it reads.
func TestParseValue(t *testing.T) {
	for _, c := range []struct {
		number     uint16
		text, want string
	}{
		{1, `"bob"`, "626f62"},
		{1, `bob`, "626f62"},
		{1, `0x61`, "30783631"},
		{6, `Framed-User`, "00000002"},
		{6, `login-user`, "00000001"},
		{6, `HP-User`, "000000ff"},
		{6, `4294967295`, "ffffffff"},
		{8, `192.0.2.1`, "c0000201"},
		{25, `0x0A1b`, "0a1b"},
		{25, `0x`, ""},
		{25, `"a\001"`, "6101"},
		{55, `"Nov  8 2026 07:12:53 UTC"`, "6af020f5"},
		{55, `1794121973`, "6af020f5"},
		{55, `"1794121973"`, "6af020f5"},
		{95, `2001:db8::1`, "20010db8000000000000000000000001"},
		{97, `2001:db8::/33`, "002120010db800"},
		{97, `::/0`, "0000"},
		{96, `0:0:fe:1`, "0000000000fe0001"},
		{155, `10.0.0.0/8`, "00080a000000"},
	} {
		a := dict.Lookup(0, c.number, 0)
		got, err := parseValue(a, c.text, zone{})
		if hex.EncodeToString(got) != c.want || err != nil {
			t.Errorf("%s = %s: expected %s, got %x, %v", a.Name, c.text, c.want, got, err)
		}
	}
}

// What is not a value of the type is an error.
func TestParseValueErrors(t *testing.T) {
	for _, c := range []struct {
		number uint16
		text   string
	}{
		{1, `"bob`}, {6, `Nobody`}, {6, ``}, {6, `-1`}, {6, `4294967296`}, {8, `192.0.2`}, {8, `::1`}, {25, `0x0`}, {25, `bob`},
		{55, `"Nov 8"`}, {55, `"Nov  8 2026 07:12:53 CET"`}, {55, `"Nov  8 1926 07:12:53 UTC"`}, {55, `"x`}, {55, ``},
		{95, `192.0.2.1`}, {97, `2001:db8::`}, {97, `10.0.0.0/8`}, {96, `0:0:0`}, {96, `0:0:0:12345`}, {155, `2001:db8::/32`},
	} {
		a := dict.Lookup(0, c.number, 0)
		if got, err := parseValue(a, c.text, zone{}); err == nil {
			t.Errorf("%s = %s: expected an error, got %x", a.Name, c.text, got)
		}
	}
}
