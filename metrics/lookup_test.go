package metrics

import (
	"fmt"
	"strings"
	"testing"
)

// Only a server given by name has look-ups, from the first on with both ends, and they
// go with its last port.
func TestLookupsAreCountedByTheirEnd(t *testing.T) {
	m, _, s := filled(t)
	if text := scrape(t, m); strings.Contains(text, "server_name_lookups_total{") {
		t.Error("a server whose name was never looked up has look-ups")
	}
	m.CountLookup("freeradius-a", true)
	m.CountLookup("freeradius-a", true)
	const found, failed = `radsec_gw_server_name_lookups_total{result="found",server="freeradius-a"} `, `radsec_gw_server_name_lookups_total{result="failed",server="freeradius-a"} `
	shows := func(when string, want ...string) {
		t.Helper()
		text := scrape(t, m)
		if n := strings.Count(text, "server_name_lookups_total{"); n != len(want) {
			t.Errorf("%s: expected %d series of look-ups, got %d", when, len(want), n)
		}
		for _, line := range want {
			if !strings.Contains(text, line+"\n") {
				t.Errorf("%s: the scrape lacks %s", when, line)
			}
		}
	}
	shows("after two that found it", found+"2", failed+"0")
	m.CountLookup("freeradius-a", false)
	shows("after one that failed", found+"2", failed+"1")

	m.Server("freeradius-a", "acct")
	s.AddOutstanding(1)
	removeServer(m, "freeradius-a")
	shows("while a port has requests in flight", found+"2", failed+"1")
	s.AddOutstanding(-1)
	removeServer(m, "freeradius-a")
	shows("when the last port is gone")
	if text := scrape(t, m); strings.Contains(text, `"freeradius-a"`) {
		t.Error("a server that is forgotten still has series")
	}
}

// A server each of whose addresses counts by itself keeps its look-ups when its own
// ports go, and loses them with its last address.
func TestLookupsOfAnExpandedServer(t *testing.T) {
	m, _, _ := filled(t)
	has := func(when string, want bool) {
		t.Helper()
		if got := strings.Contains(scrape(t, m), `radsec_gw_server_name_lookups_total{result="found",server="pool"} 1`); got != want {
			t.Errorf("%s: expected the server's look-ups to be shown: %v, got %v", when, want, got)
		}
	}
	m.Server("pool", "auth")
	m.CountLookup("pool", true)
	for _, address := range []string{"10.0.0.1", "2001:db8::1"} {
		m.Server("pool@"+address, "auth")
	}
	removeServer(m, "pool")
	has("with two addresses", true)
	removeServer(m, "pool@10.0.0.1")
	has("with one address", true)
	removeServer(m, "pool@2001:db8::1")
	has("with no address", false)
	if got := m.Servers(); len(got) != 1 || got[0].Name != "freeradius-a" {
		t.Errorf("expected only freeradius-a to be left, got %+v", got)
	}
}

// Servers beyond the limit share a label, which never decreases.
func TestLookupsBeyondTheLimitShareALabel(t *testing.T) {
	m, _, _ := filled(t)
	m.ofServers.limit = 2
	for _, name := range []string{"a", "b", "c", "d", "a", other} {
		m.CountLookup(name, true)
	}
	const series = `radsec_gw_server_name_lookups_total{result="found",server="%s"} %d`
	expect(t, m, fmt.Sprintf(series, "a", 2), fmt.Sprintf(series, "b", 1), fmt.Sprintf(series, "other", 3))
	m.Server("c", "auth")
	removeServer(m, "c")
	m.Server("a", "auth")
	removeServer(m, "a")
	m.CountLookup("d", true)
	expect(t, m, fmt.Sprintf(series, "other", 3), fmt.Sprintf(series, "d", 1))
	if got := seriesOf(scrape(t, m), `server="a"`); len(got) != 0 {
		t.Errorf("a server that is gone has %q", got)
	}
}

func TestServerOf(t *testing.T) {
	for name, want := range map[string]string{
		"a": "a", "a@10.0.0.1": "a", "a@::1": "a", "a@b@10.0.0.1": "a@b", "a@dc1": "a@dc1", "a@": "a@", "": "",
	} {
		if got := ServerOf(name); got != want {
			t.Errorf("%q belongs to %q, expected %q", name, got, want)
		}
	}
}
