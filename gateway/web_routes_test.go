package gateway

import (
	"slices"
	"testing"

	"radsec-gw/config"
)

// Accounting that is answered here does not count for readiness: neither the kind of a
// route that has others, nor a route that takes nothing else. The status shows both.
// Rules: AR12
func TestAnsweredAccountingDoesNotCountForReadiness(t *testing.T) {
	both, alone := []string{config.PacketAccess, config.PacketAccounting}, []string{config.PacketAccounting}
	cfg := &config.Config{Routes: []config.Route{
		{Realms: []string{"a"}, Packets: both, Servers: []string{"s"}, Ready: true, Accounting: config.AccountingAnswer},
		{Realms: []string{"b"}, Packets: alone, Servers: []string{"s"}, Ready: true, Accounting: config.AccountingAnswer},
		{Realms: []string{"c"}, Packets: both, Servers: []string{"s"}, Ready: true, Accounting: config.AccountingRelay},
	}}
	list := webRoutes(cfg)
	if len(list) != 2 || !slices.Equal(list[0].Packets, []string{config.PacketAccess}) || !slices.Equal(list[1].Packets, both) {
		t.Errorf("expected the routes a, of access alone, and c, of both kinds, got %+v", list)
	}
	down := map[portKey]portState{{"s", "auth"}: {usable: true, up: true}, {"s", "acct"}: {}}
	for i, want := range []string{routeServed, routeServed, routeUnserved} {
		out := routeOf(i, &cfg.Routes[i], down)
		if out.State != want || out.Accounting != cfg.Routes[i].Accounting || !slices.Equal(out.Packets, cfg.Routes[i].Packets) {
			t.Errorf("route %d with acct down: expected %s with its kinds and accounting, got %+v", i+1, want, out)
		}
	}
}
