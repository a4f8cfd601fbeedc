package metrics

import (
	"strings"
	"testing"
)

// Whatever is in the tables of counters is registered, is there at zero when its owner
// is known, and goes with it.
func TestEveryFamilyComesAndGoesWithItsOwner(t *testing.T) {
	m, _, _, reg := filled(t)
	m.Route("example.org")
	for _, x := range []struct {
		families *families
		owner    string // as a label
		forget   func()
	}{
		{m.ofClients, `client="campus"`, func() { m.KeepClients(func(string) bool { return false }) }},
		{m.ofServers, `server="freeradius-a"`, func() { removeServer(m, "freeradius-a") }},
		{m.ofRoutes, `route="example.org"`, func() { m.KeepRoutes(nil) }},
	} {
		series := func(f family) (n int) {
			for line := range strings.Lines(scrape(t, m, reg)) {
				if strings.HasPrefix(line, namespace+"_"+f.name+"{") && strings.Contains(line, x.owner) && strings.HasSuffix(line, " 0\n") {
					n++
				}
			}
			return n
		}
		for _, f := range x.families.list {
			want := max(1, len(f.values))
			if got := series(f); got != want || f.help == "" || (len(f.labels) == 0) != (len(f.values) == 0) {
				t.Errorf("%s of %s: got %d series at zero, expected %d, and help", f.name, x.owner, got, want)
			}
		}
		x.forget()
		for _, f := range x.families.list {
			if got := series(f); got != 0 {
				t.Errorf("%s of %s that is gone: got %d series, expected none", f.name, x.owner, got)
			}
		}
	}
}
