package routing

import (
	"errors"
	"strings"
	"testing"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// What a client may send is looked up as routes are: its realms and no others pass.
//
// Rules: P74, TR8
func TestFilter(t *testing.T) {
	f, err := NewFilter([]string{"example.org", "*.campus.example", "~^x[0-9]+$", ""}, nil, Options{})
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
	if realm, _ := f.Allows(request(t, 1, "\x01"+"bob@example.org")); string(realm) != "example.org" {
		t.Errorf("it passes by the realm %q, want example.org", realm)
	}
	var at *RuleError
	if _, err := NewFilter([]string{"a.example", "*.org"}, nil, Options{}); !errors.As(err, &at) || at.Entry != 1 {
		t.Errorf("a suffix of one label gives %v, want an error about the second realm", err)
	}
	_, err = NewFilter([]string{"a.example", "a.example"}, nil, Options{})
	if !errors.As(err, &at) || at.Entry != 1 || !strings.HasPrefix(at.Err.Error(), "the client may send ") {
		t.Errorf("a realm listed twice gives %v, want an error about the second that says what the client may send", err)
	}
}

// Accounting-On and Accounting-Off have no user, whose realm could be compared; all else
// without a realm passes only a filter that has "".
//
// Rules: P74, P143
func TestFilterOfAccountingWithoutUser(t *testing.T) {
	const status = "\x28"
	f, err := NewFilter([]string{"example.org"}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code       radius.Code
		attributes []string
		want       bool
	}{
		{4, []string{status + "\x00\x00\x00\x07"}, true},
		{4, []string{status + "\x00\x00\x00\x08"}, true},
		{4, []string{status + "\x00\x00\x00\x06"}, false},
		{4, []string{status + "\x00\x00\x00\x01"}, false},
		{4, []string{status + "\x01\x00\x00\x07"}, false},
		{4, []string{status + "\x00\x00\x00\x09"}, false},
		{4, []string{status + "\x00\x00\x01\x08"}, false},
		{4, []string{status + "\x00\x00\x00\x07", status + "\x00\x00\x00\x07"}, false},
		{4, []string{status + "\x00\x00\x00\x07", status + "\x00\x00\x00\x01"}, false},
		{4, []string{"\x01", status + "\x00\x00\x00\x07"}, false},
		{4, []string{status + "\x00\x00\x00\x07", "\x01" + "bob@other.example"}, false},
		{4, []string{status + "\x07"}, false},
		{4, nil, false},
		{4, []string{"\x01" + "bob", status + "\x00\x00\x00\x07"}, false},
		{4, []string{"\x01" + "bob@other.example", status + "\x00\x00\x00\x07"}, false},
		{1, []string{status + "\x00\x00\x00\x07"}, false},
		{43, []string{status + "\x00\x00\x00\x07"}, false},
	} {
		v := request(t, c.code, c.attributes...)
		if _, ok := f.Allows(v); ok != c.want {
			t.Errorf("a packet of code %d with %q passes: %v, want %v", c.code, c.attributes, ok, c.want)
		}
	}
}

// Operator-Names that are not realms are allowed when the client has them.
//
// Rules: P74, P87
func TestFilterOfOperators(t *testing.T) {
	f, err := NewFilter([]string{"example.org"}, []string{"wbaid:EXAMPLE:US", "e212:*"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for operator, want := range map[string]bool{"1example.org": true, "1other.example": false, "4EXAMPLE:US": true, "4example:us": true,
		"4OTHER:US": false, "226201": true, "0ABCDE": false, "9x": false} {
		for _, code := range []radius.Code{40, 43} {
			if _, ok := f.Allows(request(t, code, "\x7e"+operator)); ok != want {
				t.Errorf("code %d with the Operator-Name %q passes: %v, want %v", code, operator, ok, want)
			}
		}
	}
	if _, ok := f.Allows(request(t, 1, "\x01"+"bob@other.example", "\x7e"+"4EXAMPLE:US")); ok {
		t.Error("an Access-Request passes by its Operator-Name")
	}
	var at *RuleError
	if _, err := NewFilter([]string{"a.example"}, []string{"wbaid:x", "none:x"}, Options{}); !errors.As(err, &at) || at.List != "operators" || at.Entry != 1 {
		t.Errorf("a namespace that does not exist gives %v, want an error about the second operator", err)
	}
}

func TestFilterDoesNotAllocate(t *testing.T) {
	f, err := NewFilter([]string{"example.org"}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for says, v := range map[string]*wire.View{
		"a login":       request(t, 1, "\x01"+"bob@example.org"),
		"Accounting-On": request(t, 4, "\x28\x00\x00\x00\x07"),
	} {
		if n := testing.AllocsPerRun(100, func() { f.Allows(v) }); n != 0 {
			t.Errorf("%s: it allocates %v times", says, n)
		}
	}
}
