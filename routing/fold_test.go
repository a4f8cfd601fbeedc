package routing

import "testing"

// Two entries are the same as realms are, patterns only when they are written alike.
// Rules: P137
func TestKey(t *testing.T) {
	for _, c := range []struct {
		one, other string
		same       bool
	}{
		{"Example.org", "example.ORG", true}, {"*.Example.org", "*.example.org", true}, {"\u00fc", "u\u0308", true},
		{"\u00dc", "\u00fc", false}, {"~A", "~a", false}, {"~A", "~A", true}, {"", "*", false},
	} {
		if got := Key(c.one) == Key(c.other); got != c.same {
			t.Errorf("%q and %q: expected them to be the same: %t, got %t", c.one, c.other, c.same, got)
		}
	}
}
