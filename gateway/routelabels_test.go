package gateway

import (
	"reflect"
	"testing"

	"radsec-gw/config"
)

// The label of a route has its realms, and is unique: it is not empty, not that of another
// route, and not that of requests without a route.
func TestRouteLabels(t *testing.T) {
	route := func(realms ...string) config.Route { return config.Route{Realms: realms} }
	for _, x := range []struct {
		says   string
		routes []config.Route
		want   []string
	}{
		{"realms", []config.Route{route("example.org", "*.example.org"), route("*")}, []string{"example.org *.example.org", "*"}},
		{"no realm", []config.Route{route(""), route("*", "")}, []string{"(none)", "* (none)"}},
		{"a realm called other", []config.Route{route("x"), route("other")}, []string{"x", "other #2"}},
		{"the same realms for other packets", []config.Route{route("x"), route("y"), route("x")}, []string{"x", "y", "x #3"}},
		{"a name that is somebody's number", []config.Route{route("x #3"), route("x"), route("x"), route("(none)"), route("")},
			[]string{"x #3", "x", "x #3 #3", "(none)", "(none) #5"}},
		{"too many", make([]config.Route, maxRouteLabels+1), nil},
	} {
		if got := routeLabels(x.routes); !reflect.DeepEqual(got, x.want) {
			t.Errorf("with %s the labels should be %q, but they are %q", x.says, x.want, got)
		}
	}
}
