package status

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A view has what it asks for and nothing else.
func TestViews(t *testing.T) {
	s := &Snapshot{
		Servers: []Server{{Name: "a", Port: "auth", Configured: "a"}, {Name: "a@10.0.0.1", Port: "auth", Address: "10.0.0.1:1812", Configured: "a"},
			{Name: "b", Port: "auth", Configured: "b"}},
		Routes:      []Route{{Number: 1, Realms: []string{"Example.org"}, Servers: []string{"a"}}, {Number: 2, Realms: []string{"x"}, Servers: []string{"b"}}},
		Clients:     []Client{{Name: "campus"}, {Name: "other"}},
		Connections: []Connection{{Client: "campus", Remote: "192.0.2.1:5"}, {Client: "other"}},
		NASes:       []NAS{{Name: "ap-1", Client: "campus", Connection: "192.0.2.1:5"}, {Name: "ap-2", Client: "other", Connection: "closed"}},
		SpoolRoutes: []SpoolRoute{{Route: "example.org", State: "paused"}, {State: "empty"}},
		Files:       []File{{Path: "gw.toml"}},
		Events:      []Event{{Message: "m", Fields: []Field{{"server", "a"}}, Server: Names{"a", "a"}}, {Message: "n", Fields: []Field{{"client", "campus"}}}},
		Problems:    []Problem{{Subject: "a auth", Server: Names{"a", "a"}}, {Subject: "b auth", Server: Names{"b", "b"}}, {Subject: "campus", Client: "campus"}},
	}
	for _, row := range []struct {
		view View
		want string
	}{
		{View{}, "problems 3 servers 3 routes 2 clients 2 connections 2 nases 2 spool_routes 2 files 1 events 2"},
		{View{Server: "a"}, "problems 1 servers 2 routes 1 events 1"},
		{View{Client: "campus"}, "problems 1 clients 1 connections 1 nases 1 events 1"},
		{View{Text: "example"}, "routes 1 spool_routes 1"},
		{View{Text: "192.0.2"}, "connections 1 nases 1"},
		{View{Text: "AP-2"}, "nases 1"},
		{View{List: "nases", From: 1}, "nases 1"},
		{View{Text: "PAUSED"}, "spool_routes 1"},
		{View{List: "spool_routes", From: 1}, "spool_routes 1"},
		{View{List: "routes"}, "routes 2"},
		{View{List: "routes", From: 1}, "routes 1"},
	} {
		if got := lengthsOf(s.Cut(row.view, Limits{Each: 60, List: 250})); got != row.want {
			t.Errorf("%+v: got %s, expected %s", row.view, got, row.want)
		}
	}
}

// lengthsOf returns the names of the lists that a snapshot has elements of, and how many.
func lengthsOf(s *Snapshot) string {
	out := reflect.ValueOf(*s)
	var list []string
	for i := range out.NumField() {
		if f := out.Field(i); f.Kind() == reflect.Slice && f.Len() > 0 {
			list = append(list, fmt.Sprint(out.Type().Field(i).Tag.Get("json"), " ", f.Len()))
		}
	}
	return strings.Join(list, " ")
}

// A view of a server has what is about it: under its configured name that of all its addresses,
// under the name of an address that alone. Names that begin alike are those of other servers.
func TestViewsOfServers(t *testing.T) {
	s := &Snapshot{Time: now}
	for _, n := range []Names{{"a", "a"}, {"a@192.0.2.1", "a"}, {"a@192.0.2.2", "a"}, {"radius", "radius"}, {"radius@site", "radius@site"}, {"radius 2", "radius 2"}} {
		s.Servers = append(s.Servers, Server{Name: n.Name, Configured: n.Configured, Port: "auth", State: "down"})
		s.Events = append(s.Events, Event{Message: n.Name, Fields: []Field{{"server", n.Name}}, Server: n})
	}
	for _, name := range []string{"a", "radius", "radius@site", "radius 2"} {
		s.Routes = append(s.Routes, Route{Realms: []string{name}, Servers: []string{name}})
	}
	s.Clients = []Client{{Name: "radius"}}
	s.FindProblems()
	for view, want := range map[string][]string{"a": {"a", "a@192.0.2.1", "a@192.0.2.2"}, "a@192.0.2.2": {"a@192.0.2.2"}, "radius": {"radius"},
		"radius@site": {"radius@site"}, "radius 2": {"radius 2"}, "radi": nil} {
		out := s.Cut(View{Server: view}, Limits{Each: 60, List: 250})
		var servers, problems, events, routes []string
		for i := range out.Servers {
			servers = append(servers, out.Servers[i].Name)
		}
		for i := range out.Problems {
			problems = append(problems, strings.TrimSuffix(out.Problems[i].Subject, " auth"))
		}
		for i := range out.Events {
			events = append(events, out.Events[i].Message)
		}
		for i := range out.Routes {
			routes = append(routes, out.Routes[i].Servers...)
		}
		if !slices.Equal(servers, want) || !slices.Equal(problems, want) || !slices.Equal(events, want) {
			t.Errorf("?server=%s: got the servers %q, problems %q and events %q; expected those of %q", view, servers, problems, events, want)
		}
		if configured, _, _ := strings.Cut(view, "@192"); len(want) > 0 && !slices.Equal(routes, []string{configured}) || len(want) == 0 && len(routes) > 0 {
			t.Errorf("?server=%s: got the routes of %q, expected that of %q", view, routes, configured)
		}
	}
}

// A narrowed view has empty lists where the documentation says lists, never null.
func TestViewsHaveNoNull(t *testing.T) {
	s := &Snapshot{ReverseCoA: &ReverseCoA{Listening: []string{}}, Spool: new(Spool), Cluster: new(Cluster)} // null if they are not configured
	for _, view := range []View{{Server: "a"}, {Client: "c"}, {List: "events"}, {Text: "x"}} {
		text, err := json.Marshal(s.Cut(view, Limits{Each: 60, List: 250}))
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]any
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
		for name, v := range all {
			if v == nil {
				t.Errorf("%+v: %s is null", view, name)
			}
		}
		if view.Text == "" && strings.Count(string(text), `"requests_per_second":[],"reply_seconds":[]`) != 2 {
			t.Errorf("%+v: got %s, expected empty lists in history", view, text)
		}
	}
}
