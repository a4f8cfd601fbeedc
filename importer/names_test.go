package importer_test

import (
	"strings"
	"testing"

	"radsec-gw/importer"
)

// A name that is wanted again gets a number, the next one each time, and none that another
// table has.
func TestNamesAreUnique(t *testing.T) {
	var names importer.Names
	for i, x := range []struct{ kind, name, want string }{
		{"client", "aps", "aps"}, {"client", "aps", "aps-2"}, {"client", "aps", "aps-3"}, {"server", "aps", "aps"},
		{"client", "aps-4", "aps-4"}, {"client", "aps", "aps-5"}, {"client", "aps-2", "aps-2-2"}, {"client", " aps ", "aps-6"},
		{"client", "", "unnamed"}, {"client", "\x00", "?"}, {"client", "\x01", "?-2"},
	} {
		if got := names.Unique(x.kind, x.name); got != x.want {
			t.Errorf("%d: %s %q: got %q, expected %q", i, x.kind, x.name, got, x.want)
		}
	}
}

// However often and however long a name is, it has at most the 100 bytes that the
// configuration allows.
func TestNamesAreBounded(t *testing.T) {
	var names importer.Names
	taken := map[string]bool{}
	long := strings.Repeat("é", 80)
	for i := range 20_000 {
		name := names.Unique("client", long)
		if len(name) > 100 || taken[name] {
			t.Fatalf("the name of client %d has %d bytes, taken before: %v", i, len(name), taken[name])
		}
		taken[name] = true
	}
}
