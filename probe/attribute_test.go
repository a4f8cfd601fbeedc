package probe

import (
	"strings"
	"testing"

	"layeh.com/radius"
)

func TestParseAttribute(t *testing.T) {
	for _, c := range []struct {
		in   string
		typ  radius.Type
		want string // octets, or part of the error when typ is 0
	}{
		{"Calling-Station-Id=02-00", 31, "02-00"},
		{"calling-station-id=a=b", 31, "a=b"},
		{"NAS-Port=258", 5, "\x00\x00\x01\x02"},
		{"NAS-Port-Type=Wireless-802.11", 61, "\x00\x00\x00\x13"},
		{"Framed-IP-Address=192.0.2.1", 8, "\xc0\x00\x02\x01"},
		{"NAS-IPv6-Address=::1", 95, strings.Repeat("\x00", 15) + "\x01"},
		{"Event-Timestamp=1", 55, "\x00\x00\x00\x01"},
		{"Event-Timestamp=1970-01-01T00:00:02Z", 55, "\x00\x00\x00\x02"},
		{"Class=0x0aFF", 25, "\x0a\xff"},
		{"26=0x0102", 26, "\x01\x02"},
		{"Class", 0, "Name=value"},
		{"No-Such=1", 0, "type as a number"},
		{"0=0x", 0, "type as a number"},
		{"256=0x", 0, "type as a number"},
		{"User-Password=x", 0, "type as a number"},
		{"NAS-Port=many", 0, "a number"},
		{"Framed-IP-Address=::1", 0, "an IPv4 address"},
		{"NAS-IPv6-Address=192.0.2.1", 0, "an IPv6 address"},
		{"Class=0x1", 0, "hexadecimal"},
		{"Reply-Message=" + strings.Repeat("x", 254), 0, "253"},
	} {
		typ, value, err := parseAttribute(c.in)
		if c.typ == 0 {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q: error %v, want one that says %q", c.in, err, c.want)
			}
		} else if err != nil || typ != c.typ || string(value) != c.want {
			t.Errorf("%q: type %d, value %q, error %v; want %d, %q", c.in, typ, value, err, c.typ, c.want)
		}
	}
}

// The value of an attribute that cannot be sent by name may be a password: no error has it.
func TestAttributeErrorsHaveNoSecret(t *testing.T) {
	for _, in := range []string{"Tunnel-Password=tiger", "User-Password=tiger", "No-Such=tiger", "MS-CHAP-Challenge=tiger"} {
		if _, _, err := parseAttribute(in); err == nil || strings.Contains(err.Error(), "tiger") {
			t.Errorf("%q: the error is %v, expected one without the value", in, err)
		}
	}
}
