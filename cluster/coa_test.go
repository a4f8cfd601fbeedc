package cluster

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/cluster/natstest"
)

// A CoA that reaches a gateway without the NAS's connection is sent down by the one that has it:
// by each of the NAS's names, by a session alone, by what the configuration says of its client,
// and by the address that it was sent to. Duplicates get the same answer, by whatever gateway.
//
// Rules: GW3
func TestCoAThroughAnotherGateway(t *testing.T) {
	list := startGateways(t, natstest.Start(t, 1), 3, usual)
	n := list[1].connect("a", attr{nasID, "ap-1"}, attr{nasAddress, "\xc0\x00\x02\x01"}, attr{called, "02-AA:wlan"}, attr{sessionID, "s-1"})
	other := list[2].connect("b", attr{nasID, "ap-2"}, attr{sessionID, "s-2"})
	s := list[0].sender()
	for _, x := range []struct {
		name  string
		to    *nas
		attrs []attr
	}{
		{"NAS-Identifier", n, []attr{{nasID, "ap-1"}}},
		{"NAS-IP-Address", n, []attr{{nasAddress, "\xc0\x00\x02\x01"}}},
		{"Called-Station-Id", n, []attr{{called, "02-AA:wlan"}}},
		{"Operator-NAS-Identifier", n, []attr{{241, "\x08ap-1"}}},
		{"an unknown name, then a known one", n, []attr{{nasID, "x"}, {nasAddress, "\xc0\x00\x02\x01"}}},
		{"a session only", n, []attr{{sessionID, "s-1"}, {proxyState, "p"}}},
		{"a session and a name that nobody knows", n, []attr{{sessionID, "s-1"}, {nasID, "x"}}},
		{"Operator-Name", other, []attr{{operatorName, "1example.org"}}},
		{"another NAS", other, []attr{{nasID, "ap-2"}, {sessionID, "s-2"}}},
	} {
		t.Run(x.name, func(t *testing.T) { s.wantACK(x.to, s.send(x.attrs...)) })
	}
	p := s.send(attr{nasID, "ap-1"})
	down := n.next()
	s.put(encode(t, p))
	n.answer(down, radius.CodeDisconnectACK)
	first := s.octets(patience)
	s.put(encode(t, p))
	if again := s.octets(patience); first == nil || !bytes.Equal(again, first) {
		t.Errorf("the duplicate gets % x, expected % x", again, first)
	}
	if len(n.got)+len(other.got) > 0 {
		t.Error("something is sent down twice")
	}
	until(t, "that ten are counted as relayed", func() bool { return list[0].value("coa_asks_total", "relayed") == 10 })
	if got := list[0].value("reverse_requests_total", "relayed"); got != 10 {
		t.Errorf("%v have the fate relayed, expected 10", got)
	}
}

// A CoA to the address that a client has for its source goes to the gateway with this client.
//
// Rules: GW3, ID6
func TestCoABySourceThroughAnotherGateway(t *testing.T) {
	list := startGateways(t, natstest.Start(t, 1), 2, usual)
	n := list[1].connect("b")
	g := list[0]
	conn := g.sender()
	g.listen = addrPort("127.0.0.77", g.listen.Port())
	s := g.sender()
	s.wantACK(n, s.send(attr{sessionID, "any"}))
	conn.wantNAK(conn.send(attr{sessionID, "any"}))
}

// If no gateway has the connection, the sender gets a NAK with 502, soon.
//
// Rules: GW3
func TestCoAForNobody(t *testing.T) {
	servers := natstest.Start(t, 1)
	for n := 1; n <= 3; n++ {
		t.Run(fmt.Sprint(n, " gateways"), func(t *testing.T) {
			list := startGateways(t, servers, n, usual)
			s := list[0].sender()
			begin := time.Now()
			s.wantNAK(s.send(attr{nasID, "unknown"}, attr{sessionID, "unknown"}))
			if took := time.Since(begin); took >= usual.coa.step {
				t.Errorf("it takes %v", took)
			}
			if got := list[0].value("coa_asks_total", "nobody"); got != 1 {
				t.Errorf("%v are counted as nobody's, expected 1", got)
			}
			for _, g := range list {
				g.stop()
			}
		})
	}
}

// A NAS that moves to another gateway is found there, though the first still says that it has
// its name. One that is at two gateways is sent a request once.
//
// Rules: GW3
func TestNASThatMoves(t *testing.T) {
	list := startGateways(t, natstest.Start(t, 1), 3, usual)
	s := list[0].sender()
	names := []attr{{nasID, "ap"}, {sessionID, "s"}}
	at := make([]*nas, 3)
	for round := range 2 {
		for i := range list {
			at[i] = list[i].connect("a", names...)
			for j := range list { // what was there before has closed, and its names stay subscribed to
				if j != i && at[j] != nil {
					at[j].link.Close()
				}
			}
			for range 4 {
				s.wantACK(at[i], s.send(names...))
			}
		}
		if round == 1 {
			break
		}
	}
	at[1] = list[1].connect("a", names...) // and at 2
	for range 50 {
		p := s.send(names[0])
		var down []byte
		var to *nas
		select {
		case down = <-at[1].got:
			to = at[1]
		case down = <-at[2].got:
			to = at[2]
		case <-time.After(patience):
			t.Fatal("nobody is sent the request")
		}
		to.answer(down, radius.CodeDisconnectACK)
		s.reply(p)
	}
	if len(at[1].got)+len(at[2].got) > 0 {
		t.Error("a request is sent down twice")
	}
}

// A user who has moved from an access point here to one at another gateway is disconnected there,
// if the request names it; without the name where his session was seen. While NATS is lost the
// name is passed over, as without other gateways.
//
// Rules: GW3, RC8
func TestUserWhoRoams(t *testing.T) {
	servers := natstest.Start(t, 1)
	list := startGateways(t, servers, 2, usual)
	session := attr{sessionID, "s"}
	old := list[0].connect("a", attr{nasID, "ap-1"}, session)
	now := list[1].connect("a", attr{nasID, "ap-2"}, session)
	s := list[0].sender()
	s.wantACK(now, s.send(attr{nasID, "ap-2"}, session))
	s.wantACK(old, s.send(attr{nasID, "unknown"}, session))
	s.wantACK(old, s.send(session))
	s.wantACK(old, s.send(attr{nasID, "ap-1"}, session))
	servers.KillAll()
	await(t, list[0].conn, false)
	s.wantACK(old, s.send(attr{nasID, "ap-2"}, session))
}

// The names of a NAS whose connection has closed are unsubscribed from after a time.
//
// Rules: GW3
func TestNamesAreForgotten(t *testing.T) {
	o := usual
	o.coa.names = 20 * time.Millisecond
	g := startGateways(t, natstest.Start(t, 1), 1, o)[0]
	n := g.connect("a", attr{nasID, "ap"})
	g.connect("a", attr{nasID, "ap-2"})
	if got := g.value("coa_names"); got != 3 {
		t.Errorf("%v names, expected 3", got)
	}
	n.link.Close()
	until(t, "that one is forgotten", func() bool { return g.value("coa_names") == 2 })
	g.connect("a", attr{nasID, "ap"})
	if got := g.value("coa_names"); got != 3 {
		t.Errorf("%v names when it is back, expected 3", got)
	}
	g.stopCoA()
	if got := g.value("coa_names"); got != 0 {
		t.Errorf("%v names at the end, expected none", got)
	}
}

// A NAS of another gateway that does not answer leaves the sender without an answer, and one
// whose connection is lost has the request sent again when the sender repeats it.
//
// Rules: GW3, RC6, RC7
func TestSilentNASOfAnotherGateway(t *testing.T) {
	o := usual
	o.timeout = 300 * time.Millisecond
	list := startGateways(t, natstest.Start(t, 1), 2, o)
	n := list[1].connect("a", attr{nasID, "ap"})
	s := list[0].sender()
	p := s.send(attr{nasID, "ap"})
	n.next()
	until(t, "that it is given up", func() bool { return list[0].value("reverse_requests_total", "nas_silent") == 1 })
	s.put(encode(t, p))
	until(t, "that the duplicate is dropped", func() bool { return list[0].value("reverse_requests_total", "duplicate_dropped") == 1 })
	p = s.send(attr{nasID, "ap"})
	n.next()
	n.link.Close()
	until(t, "that it is lost", func() bool { return list[0].value("reverse_requests_total", "client_gone") == 1 })
	next := list[1].connect("a", attr{nasID, "ap"})
	s.put(encode(t, p))
	s.wantACK(next, p)
	until(t, "that two are counted as unanswered", func() bool { return list[0].value("coa_asks_total", "unanswered") == 2 })
}

// A NAS of another gateway may take as long as one of this gateway: only that a gateway takes the
// request must be fast.
//
// Rules: GW3, RC7
func TestSlowNASOfAnotherGateway(t *testing.T) {
	o := usual
	o.coa.step, o.coa.whole, o.coa.late = 100*time.Millisecond, 300*time.Millisecond, 90*time.Millisecond
	list := startGateways(t, natstest.Start(t, 1), 2, o)
	n := list[1].connect("a", attr{nasID, "ap"})
	s := list[0].sender()
	p := s.send(attr{nasID, "ap"})
	down := n.next()
	if b := s.octets(o.coa.whole + o.coa.step); b != nil {
		t.Errorf("the sender gets % x before the NAS has answered", b)
	}
	n.answer(down, radius.CodeDisconnectACK)
	if code, _ := s.reply(p); code != radius.CodeDisconnectACK {
		t.Errorf("the answer is %v, expected an ACK", code)
	}
}

// A gateway that hangs, or whose machine has failed, still has its names: another that has the
// NAS is found without waiting for each of them.
//
// Rules: GW3
func TestGatewayThatHangs(t *testing.T) {
	servers := natstest.Start(t, 1)
	list := startGateways(t, servers, 2, usual)
	hanging := servers.Connect()
	if _, err := hanging.QueueSubscribeSync("test.coa.name.*", queueGroup); err != nil {
		t.Fatal(err)
	}
	_ = hanging.Flush()
	n := list[1].connect("a", attr{sessionID, "s"})
	s := list[0].sender()
	begin := time.Now()
	s.wantACK(n, s.send(attr{sessionID, "s"}, attr{nasID, "x"}, attr{241, "\x08y"}, attr{nasAddress, "\xc0\x00\x02\x09"}, attr{called, "z"}))
	if took := time.Since(begin); took > 2*usual.coa.step {
		t.Errorf("it takes %v", took)
	}
	begin = time.Now()
	s.wantNAK(s.send(attr{nasID, "x"}, attr{called, "z"}))
	if took := time.Since(begin); took > 2*usual.coa.step {
		t.Errorf("the NAK takes %v", took)
	}
	if list[0].value("coa_asks_total", "timeout") != 1 {
		t.Error("it is not counted as a timeout")
	}
}

// A gateway that stops abandons what it has asked, and what another asks it is not here.
//
// Rules: GW3, RC18
func TestStopWhileAsking(t *testing.T) {
	list := startGateways(t, natstest.Start(t, 1), 3, usual)
	n := list[1].connect("a", attr{nasID, "ap"})
	s, third := list[0].sender(), list[2].sender()
	s.send(attr{nasID, "ap"})
	n.next()
	p := third.send(attr{nasID, "ap"})
	down := n.next()
	until(t, "that both wait", func() bool {
		return list[0].value("coa_pending_asks") == 1 && list[1].value("served_total", "taken") == 2
	})
	list[0].stopCoA()
	if list[0].value("coa_asks_total", "stopped") != 1 || list[0].value("reverse_requests_total", "shutdown") != 1 || list[0].value("coa_pending_asks") != 0 {
		t.Error("what was asked is not abandoned")
	}
	s.wantNAK(s.send(attr{nasID, "ap"}))
	list[1].server.Drain()
	n.answer(down, radius.CodeDisconnectACK)
	if code, _ := third.reply(p); code != radius.CodeDisconnectACK {
		t.Errorf("the answer of a gateway that drains is %v", code)
	}
	third.wantNAK(third.send(attr{nasID, "ap"}))
	list[1].stopCoA()
	third.wantNAK(third.send(attr{nasID, "ap"}))
	if len(n.got) > 0 {
		t.Error("it is sent down")
	}
}
