package routing

import (
	"errors"
	"testing"

	"layeh.com/radius"
)

// What a client may send is looked up as routes are: its realms and no others pass.
//
// Rules: P74, TR8
func TestFilter(t *testing.T) {
	f, err := NewFilter([]string{"example.org", "*.campus.example", "~^x[0-9]+$", ""}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code       radius.Code
		attributes []string
		want       bool
	}{
		{1, []string{"\x01" + "bob@example.org"}, true},
		{1, []string{"\x01" + "bob@EXAMPLE.org"}, true},
		{1, []string{"\x01" + "bob@a.campus.example"}, true},
		{1, []string{"\x01" + "bob@campus.example"}, false},
		{1, []string{"\x01" + "bob@x7"}, true},
		{1, []string{"\x01" + "bob"}, true},
		{1, []string{"\x01" + "bob@other.example"}, false},
		{1, []string{"\x01" + "bob@example.org@other.example"}, false},
		{4, []string{"\x01" + "bob@example.org"}, true},
		{4, []string{"\x01" + "bob@other.example"}, false},
		{43, []string{"\x01" + "bob@other.example", "\x7e" + "1example.org"}, true},
		{43, []string{"\x01" + "bob@example.org", "\x7e" + "1other.example"}, false},
	} {
		v := request(t, c.code, c.attributes...)
		if realm, ok := f.Allows(v); ok != c.want {
			t.Errorf("a packet of code %d with %q passes: %v (realm %q), want %v", c.code, c.attributes, ok, realm, c.want)
		}
	}
	var none *Filter
	if _, ok := none.Allows(request(t, 1, "\x01"+"bob@other.example")); !ok {
		t.Error("without a filter something does not pass")
	}
	v := request(t, 1, "\x01"+"bob@example.org")
	if n := testing.AllocsPerRun(100, func() { f.Allows(v) }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
	var at *RuleError
	if _, err := NewFilter([]string{"a.example", "*.org"}, Options{}); !errors.As(err, &at) || at.Entry != 1 {
		t.Errorf("a suffix of one label gives %v, want an error about the second realm", err)
	}
}
