package metrics

import (
	"testing"
	"time"

	"radsec-gw/wire"
)

func TestASnapshotHoldsWhatWasCounted(t *testing.T) {
	m, c, s := filled(t)
	c.Count(wire.KindAccess, FateRelayed)
	c.Count(wire.KindCoA, FateNoRoute)
	c.Connected()
	s.Count(ServerSent, 7)
	s.Count(ServerTimeouts, 2)
	s.CountReply(ReplyAccepted)
	s.CountReply(ReplyBadResponseAuthenticator)
	s.ObserveReply(time.Second)
	s.SetState(StateSuspect)
	s.SetAddress("192.0.2.1:1812")
	m.Server("freeradius-a", "acct")
	servers := m.Servers()
	if len(servers) != 2 || servers[0].Port != "acct" || servers[1].Port != "auth" {
		t.Fatalf("servers %+v, want the ports acct and auth in order", servers)
	}
	want := ServerCounts{Name: "freeradius-a", Port: "auth", Address: "192.0.2.1:1812", State: StateSuspect, Counts: [NumServerCounters]uint64{ServerSent: 7, ServerTimeouts: 2, ServerReplies: 2}, Replies: [NumResults]uint64{ReplyAccepted: 1, ReplyBadResponseAuthenticator: 1}, Answered: 1, Bad: 1, Timed: 1, TimeSum: time.Second}
	if servers[1] != want {
		t.Errorf("counts %+v, want %+v", servers[1], want)
	}
	clients := m.Clients()
	if len(clients) != 1 || clients[0].Requests != 2 || clients[0].Fates[FateNoRoute] != 1 || clients[0].Connections != 1 {
		t.Errorf("clients %+v, want one with two requests, one of them without route, and a connection", clients)
	}
}
