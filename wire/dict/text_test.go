package dict

import (
	"encoding/hex"
	"strings"
	"testing"
)

// valuesAndTexts are values and what people write for them.
var valuesAndTexts = []struct{ name, value, text, parsed string }{
	{"User-Name", "626f62", `"bob"`, "bob"},
	{"User-Name", "", `""`, ""},
	{"User-Name", "30783431", `"0x41"`, "0x41"},
	{"NAS-Port", "00000011", "17", "0x11"},
	{"NAS-Port", "ffffffff", "4294967295", "4294967295"},
	{"Service-Type", "00000002", "2 (Framed-User)", "framed-user"},
	{"MIP6-Feature-Vector", "0000000100000000", "4294967296", "4294967296"},
	{"MIP6-Feature-Vector", "ffffffffffffffff", "18446744073709551615", "0xffffffffffffffff"},
	{"Event-Timestamp", "00000001", "1970-01-01T00:00:01Z", "1970-01-01T01:00:01+01:00"},
	{"Event-Timestamp", "ffffffff", "2106-02-07T06:28:15Z", "4294967295"},
	{"NAS-IP-Address", "c0000201", "192.0.2.1", "192.0.2.1"},
	{"NAS-IPv6-Address", "20010db8000000000000000000000001", "2001:db8::1", "2001:db8::1"},
}

func TestTextAndParse(t *testing.T) {
	for _, row := range valuesAndTexts {
		a := ByName(row.name)
		value, err := hex.DecodeString(row.value)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := a.Text(value); got != row.text || !ok {
			t.Errorf("%s %s: expected %s, got %s, %t", row.name, row.value, row.text, got, ok)
		}
		if got, err := a.Parse(row.parsed); string(got) != string(value) || err != nil {
			t.Errorf("%s %q: expected %s, got %x, %v", row.name, row.parsed, row.value, got, err)
		}
	}
}

// Prefixes are shown, and written as octets.
func TestTextOfPrefixes(t *testing.T) {
	a := ByName("Framed-IPv6-Prefix")
	for value, want := range map[string]string{"\x00\x20\x20\x01\x0d\xb8": "2001:db8::/32", "\x00\x00": "::/0"} {
		if got, ok := a.Text([]byte(value)); got != want || !ok {
			t.Errorf("% x: expected %s, got %s, %t", value, want, got, ok)
		}
	}
	if got, ok := a.Text(append([]byte{0, 128}, make([]byte, 16)...)); got != "::/128" || !ok {
		t.Errorf("a whole address: expected ::/128, got %s, %t", got, ok)
	}
}

// A prefix of IPv4 has all its octets.
func TestTextOfIPv4Prefixes(t *testing.T) {
	a := ByName("PMIP6-Home-IPv4-HoA")
	if got, ok := a.Text([]byte{0, 24, 192, 0, 2, 0}); got != "192.0.2.0/24" || !ok {
		t.Errorf("expected 192.0.2.0/24, got %s, %t", got, ok)
	}
	for _, value := range [][]byte{{0, 24, 192, 0, 2}, {0, 33, 192, 0, 2, 0}} {
		if got, ok := a.Text(value); ok {
			t.Errorf("% x: expected no text, got %s", value, got)
		}
	}
}

// A value that cannot be of its type has no text, and octets have none.
func TestNoText(t *testing.T) {
	for _, row := range []struct {
		name  string
		value []byte
	}{
		{"User-Name", []byte{0xff}}, {"NAS-Port", make([]byte, 3)}, {"NAS-Port", make([]byte, 5)},
		{"MIP6-Feature-Vector", make([]byte, 4)}, {"Event-Timestamp", make([]byte, 8)}, {"NAS-IP-Address", []byte{1}},
		{"Framed-IPv6-Prefix", []byte{0}}, {"Framed-IPv6-Prefix", make([]byte, 19)}, {"Framed-IPv6-Prefix", []byte{0, 129}},
		{"State", []byte("abc")}, {"EAP-Message", []byte("abc")}, {"Vendor-Specific", make([]byte, 4)},
	} {
		if got, ok := ByName(row.name).Text(row.value); ok {
			t.Errorf("%s % x: expected no text, got %s", row.name, row.value, got)
		}
	}
}

func TestParseOctets(t *testing.T) {
	a := ByName("State")
	for text, want := range map[string]string{"0x0a0b": "\x0a\x0b", "0x": "", "abc": "abc", "": ""} {
		if got, err := a.Parse(text); string(got) != want || err != nil {
			t.Errorf("%q: expected % x, got % x, %v", text, want, got, err)
		}
	}
}

// What cannot be a value is refused with what was expected.
func TestParseErrors(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"NAS-Port", "4294967296", "expected a number up to 4294967295"},
		{"NAS-Port", "-1", "expected a number up to 4294967295"},
		{"Service-Type", "Nobody", "one of the names in the dictionary"},
		{"MIP6-Feature-Vector", "x", "expected a number up to 18446744073709551615"},
		{"Event-Timestamp", "yesterday", "expected seconds since 1970"},
		{"Event-Timestamp", "4294967296", "expected seconds since 1970"},
		{"Event-Timestamp", "2106-02-07T06:28:16Z", "expected seconds since 1970"},
		{"Event-Timestamp", "1969-12-31T23:59:59Z", "expected seconds since 1970"},
		{"NAS-IP-Address", "::1", "expected an IPv4 address"},
		{"NAS-IP-Address", "gateway", "expected an IPv4 address"},
		{"NAS-IPv6-Address", "192.0.2.1", "expected an IPv6 address"},
		{"NAS-IPv6-Address", "fe80::1%eth0", "expected an IPv6 address"},
		{"State", "0xabc", "expected pairs of hexadecimal digits after 0x"},
		{"State", "0xzz", "expected pairs of hexadecimal digits after 0x"},
	} {
		if got, err := ByName(row.name).Parse(row.text); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s %q: expected the error %q, got % x, %v", row.name, row.text, row.want, got, err)
		}
	}
}
