package status

import (
	"slices"
	"testing"
)

// The problem of a route that is not served names its servers and their states, for each port that is not served.
func TestUnservedRoutesNameTheStatesOfTheirServers(t *testing.T) {
	s := &Snapshot{Time: now,
		Servers: []Server{
			{Name: "a", Configured: "a", Port: "auth", State: "maintenance"}, {Name: "a", Configured: "a", Port: "acct", State: "maintenance"},
			{Name: "b@10.0.0.1", Configured: "b", Port: "auth", State: "maintenance"}, {Name: "b@10.0.0.2", Configured: "b", Port: "auth", State: "down", Mismatched: 3},
			{Name: "b@10.0.0.1", Configured: "b", Port: "acct", State: "down", Answered: 1, Unsigned: 3}},
		Routes: []Route{{Realms: []string{"example.org"}, State: "unserved", Unserved: []string{"auth", "acct"}, Servers: []string{"a", "b"}},
			{Realms: []string{"example.com"}, State: "unserved", Unserved: []string{"auth"}, Servers: []string{"a", "a", "a", "a", "a", "a", "a"}},
			{Realms: []string{"example.net"}, State: "degraded", Servers: []string{"b"}}},
	}
	s.FindProblems()
	texts := func(s *Snapshot) (list []string) {
		for _, p := range s.Problems {
			if p.Kind == "route_unserved" {
				list = append(list, p.Subject+": "+p.Text)
			}
		}
		return list
	}
	want := []string{
		"example.org: no server is up for auth (a: maintenance, b: down, and no reply of it has verified); no server is up for acct (a: maintenance, b: down)",
		"example.com: no server is up for auth (a: maintenance, a: maintenance, a: maintenance, a: maintenance, a: maintenance, and 2 more)",
	}
	if got := texts(s); !slices.Equal(got, want) {
		t.Errorf("got %q, expected %q", got, want)
	}
	for view, want := range map[string][]string{"a": want, "b": want[:1], "b@10.0.0.2": want[:1], "c": nil} {
		if got := texts(s.Cut(View{Server: view}, Limits{Each: 60, List: 250})); !slices.Equal(got, want) {
			t.Errorf("?server=%s: got %q, expected %q", view, got, want)
		}
	}
}
