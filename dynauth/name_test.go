package dynauth

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"layeh.com/radius"
)

// A name is the same in all gateways of a cluster, of whatever version.
//
// Rules: GW3
func TestNamesNeverChange(t *testing.T) {
	for name, want := range map[Name]string{
		nameOf(nameSpaces[kindNASIdentifier], []byte("ap-17")):           "d16d374bcbf35df610ac4d30724adab7",
		nameOf(nameSpaces[kindAddress], []byte{192, 0, 2, 1}):            "27fce9c5a9a6b281cd88ec9c68abdc5e",
		nameOf(nameSpaces[kindCalled], []byte("02-00-5E-00-53-01:wlan")): "53fad84363ee2352a79f4962adae97d6",
		NewClient("access-points", &ClientConfig{}).shared:               "ed2b5d93cca330e9a0c554fce4d1f3f4",
	} {
		if name.String() != want {
			t.Errorf("the name is %v, expected %s", name, want)
		}
	}
}

func sorted(list ...Name) []Name {
	slices.SortFunc(list, func(a, b Name) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(list)
}

// reachable returns the names that can be reached here.
func (b *bed) reachable() []Name { return sorted(slices.Collect(b.s.Reachable())...) }

// The other gateways are told at once which NASes and clients have a connection here, and those
// that have none are not reachable.
//
// Rules: GW3
func TestReachable(t *testing.T) {
	b, f := withOthers(t)
	id := func(s string) Name { return nameOf(nameSpaces[kindNASIdentifier], []byte(s)) }
	want := func(what string, got []Name, want ...Name) {
		t.Helper()
		if !slices.Equal(got, sorted(want...)) {
			t.Errorf("%s: %v, expected %v", what, got, sorted(want...))
		}
	}
	clientA, ap := b.clients["a"].shared, id("ap")
	address := nameOf(nameSpaces[kindAddress], []byte{192, 0, 2, 7})
	called := nameOf(nameSpaces[kindCalled], []byte("c"))
	l := b.open("a")
	want("a client", f.here(), clientA)
	l.login(nasID("ap"), nasIP("192.0.2.7"), attr{30, "c"})
	want("a NAS", f.here(), ap, address, called)
	nas := l.login(nasID("ap"), nasIP("192.0.2.7"), attr{30, "c"})
	l.Renamed(nas, view(t, must(packet(radius.CodeAccessRequest, 1, "radsec", nasID("renamed")).Encode())), b.s.now())
	want("its name after rules", f.here(), id("renamed"))
	want("reachable", b.reachable(), clientA, ap, address, called, id("renamed"))
	second := b.open("a")
	second.login(nasID("ap"), nasIP("192.0.2.7"), attr{30, "c"})
	want("a second connection", f.here())
	second.Close()
	l.Close()
	want("reachable without a connection", b.reachable())
	b.open("a").login(nasID("ap"), nasIP("192.0.2.7"))
	want("a NAS that comes back", f.here(), clientA, ap, address, called, id("renamed"))

	b.open("c").login(nasID("ap-c"))
	want("a client without the flag", f.here())
	b.open("b").login(nasID("ap"))
	want("another client with the name of a NAS", f.here(), b.clients["b"].shared)
	b.change("b", func(c *ClientConfig) { c.Identifiers = []string{"of-b"} })
	b.open("a").login(nasID("of-b"))
	want("a client with a configured name of another", f.here())
	want("reachable", b.reachable(), clientA, b.clients["b"].shared, ap, address, called, id("renamed"))
}

// The names of one NAS are bounded, and many Called-Station-Ids do not displace the others.
//
// Rules: GW3
func TestNamesOfANASAreBounded(t *testing.T) {
	b, f := withOthers(t)
	l := b.open("a")
	f.here()
	for i := range 100 {
		l.login(nasID("controller"), attr{30, fmt.Sprint("ap-", i)})
	}
	if n := len(f.here()); n != maxCalled {
		t.Errorf("%d names are told, expected %d", n, maxCalled)
	}
	nas := l.login(nasID("controller"))
	for i := range 100 {
		l.Renamed(nas, view(t, must(packet(radius.CodeAccessRequest, 1, "radsec", nasID(fmt.Sprint("n-", i))).Encode())), b.s.now())
	}
	if n := len(b.reachable()) - 1; n != maxNames {
		t.Errorf("%d names are reachable, expected %d", n, maxNames)
	}
}
