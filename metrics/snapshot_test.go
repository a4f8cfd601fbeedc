package metrics

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"radsec-gw/wire"
)

func TestASnapshotHoldsWhatWasCounted(t *testing.T) {
	m, c, s, _ := filled(t)
	c.Count(wire.KindAccess, FateRelayed)
	c.Count(wire.KindCoA, FateNoRoute)
	c.Connected()
	s.Sent(7)
	s.Timeout(2)
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
	want := ServerCounts{Name: "freeradius-a", Port: "auth", Address: "192.0.2.1:1812", State: StateSuspect, Sent: 7, Timeouts: 2, Answered: 1, Bad: 1, Timed: 1, TimeSum: time.Second}
	if servers[1] != want {
		t.Errorf("counts %+v, want %+v", servers[1], want)
	}
	clients := m.Clients()
	if len(clients) != 1 || clients[0].Requests != 2 || clients[0].Fates[FateNoRoute] != 1 || clients[0].Connections != 1 {
		t.Errorf("clients %+v, want one with two requests, one of them without route, and a connection", clients)
	}
}

// The gauge shows the first end among a client's connections, and goes with the last of them.
func TestTheSoonestCertificateOfAClientShows(t *testing.T) {
	m, _, _, reg := filled(t)
	at := func(seconds int64, client string) *Connection {
		c := &Connection{Client: client, NotAfter: time.Unix(seconds, 0), Remote: netip.MustParseAddrPort("192.0.2.1:1")}
		m.Opened(c)
		return c
	}
	first, second := at(2000, "campus"), at(3000, "campus")
	m.Opened(&Connection{Client: "none"})
	at(1000, "other")
	var order []string
	for _, c := range m.Connections() {
		order = append(order, c.Client)
	}
	if got := strings.Join(order, " "); got != "other campus campus none" {
		t.Errorf("connections in the order %s, want the soonest end first, those without at the end", got)
	}
	const name = "radsec_gw_tls_client_certificate_expiry_timestamp_seconds"
	if text := scrape(t, m, reg); !strings.Contains(text, name+`{client="campus"} 2000`) || strings.Contains(text, name+`{client="none"}`) {
		t.Error("the soonest end of campus is not 2000, or a client without certificate has a series")
	}
	m.Ended(first)
	if text := scrape(t, m, reg); !strings.Contains(text, name+`{client="campus"} 3000`) {
		t.Error("after the first connection's end the soonest is not 3000")
	}
	m.Ended(second)
	if text := scrape(t, m, reg); strings.Contains(text, name+`{client="campus"}`) {
		t.Error("without a connection the series is still there")
	}
}
