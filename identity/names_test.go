package identity

import "testing"

// RFC 6614bis §3.3.1: a wildcard is the whole leftmost label and stands for
// one label; case is ignored.
//
// Rules: P105
func TestMatchName(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"ap1.campus.example", "ap1.campus.example", true},
		{"AP1.Campus.example", "ap1.cAMPUS.example", true},
		{"ap1.campus.example.", "ap1.campus.example", true},
		{"ap1.campus.example", "ap2.campus.example", false},
		{"*.campus.example", "ap1.campus.example", true},
		{"*.CAMPUS.example", "ap1.campus.EXAMPLE", true},
		{"*.campus.example", "campus.example", false},
		{"*.campus.example", ".campus.example", false},
		{"*.campus.example", "a.b.campus.example", false},
		{"*.campus.example", "ap1.evilcampus.example", false},
		{"*.campus.example", "ap1.campus.example.evil", false},
		{"ap1.campus.example", "*.campus.example", true}, // in the certificate
		{"ap1.campus.example.", "*.CAMPUS.example.", true},
		{"a.b.campus.example", "*.campus.example", false},
		{"campus.example", "*.campus.example", false},
		{".campus.example", "*.campus.example", false},
		{"ap1.other.example", "*.campus.example", false},
		{"campus.example", "*.example", false},
		{"example", "*", false},
		{"ap1.campus.example", "ap*.campus.example", false},
		{"ap1.campus.example", "*1.campus.example", false},
		{"ap1.campus.example", "ap1.*.example", false},
		{"ap1.x.campus.example", "*.*.campus.example", false},
		{"*.campus.example", "*.campus.example", true}, // in both
		{"*.campus.example", "*.b.campus.example", false},
		{"*.b.campus.example", "*.campus.example", false},
		{"*.campus.example", "ap*.campus.example", false},
		{"*.campus.example", "*", false},
		{"", "", false},
	} {
		if got := matchName(c.pattern, c.name); got != c.want {
			t.Errorf("pattern %q and name %q match: %v, want %v", c.pattern, c.name, got, c.want)
		}
	}
}

// "*" matches any number of characters; case is ignored.
func TestMatchCommonName(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"ap1", "AP1", true},
		{"ap1", "ap12", false},
		{"*", "anything", true},
		{"*", "", false},
		{"ap*", "ap", true},
		{"*.example", "ap1.example", true},
		{"a*b*c", "aXbYc", true},
		{"a*b*c", "abc", true},
		{"a*b*c", "acb", false},
		{"a*x*c", "abc", false},
		{"a*b*b*c", "abc", false},
		{"b*", "ab", false},
		{"", "", false},
		{"a*a", "a", false},
		{"Ä*", "äp", true},
	} {
		if got := matchCommonName(c.pattern, c.name); got != c.want {
			t.Errorf("pattern %q and name %q match: %v, want %v", c.pattern, c.name, got, c.want)
		}
	}
}
