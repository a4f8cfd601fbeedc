package relay

import (
	"testing"

	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// A marker of a replica counts as the gateway's own from when it is known, and no longer than it
// is; that of another gateway never does. To look allocates nothing.
//
// Rules: GW5, AR14
func TestMarkersOfReplicas(t *testing.T) {
	var replicas Replicas
	own := NewMarker(MarkerKey{1}, []string{"a"})
	with := own.WithReplicas(&replicas)
	if with.Own() != own.Own() || own.replicas != nil {
		t.Error("the marker with replicas has another identifier, or the one without has changed")
	}
	replica, stranger := NewMarker(MarkerKey{2}, nil), NewMarker(MarkerKey{3}, nil)
	view := func(m *Marker) (v wire.View) {
		t.Helper()
		var first wire.View
		value := m.append(nil, new(wire.View), udpback.ServerID("a"))
		if err := first.Parse(assemble(1, 0, nil, []attr{{33, value}})); err != nil {
			t.Fatal(err)
		}
		value = stranger.append(nil, &first, 5) // another gateway, which it has passed afterwards
		if err := v.Parse(assemble(1, 0, nil, []attr{{33, value}})); err != nil {
			t.Fatal(err)
		}
		return v
	}
	of := map[string]wire.View{"own": view(own), "replica": view(replica), "stranger": view(stranger)}
	expect := func(m *Marker, what string, want bool) {
		t.Helper()
		v := of[what]
		if server, ok := m.looped(&v); ok != want || ok && server != "a" {
			t.Errorf("%s: looped is %v (%q), expected %v", what, ok, server, want)
		}
		if n := testing.AllocsPerRun(100, func() { m.looped(&v) }); n != 0 && want {
			t.Errorf("%s: looking allocates %v times, expected none", what, n)
		}
	}
	expect(with, "replica", false)
	replicas.Set(map[[8]byte]struct{}{replica.Own(): {}})
	expect(with, "replica", true)
	expect(with, "own", true)
	expect(with, "stranger", false)
	expect(own, "replica", false)
	replicas.Set(nil)
	expect(with, "replica", false)
}
