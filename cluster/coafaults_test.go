package cluster

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"layeh.com/radius"

	"radsec-gw/cluster/natstest"
)

// Without NATS everything is as without other gateways: what has its connection here is sent
// down, and all else gets a NAK with 502 at once. When NATS is back, so are the others.
//
// Rules: GW2, GW3
func TestCoAWhileNATSIsLost(t *testing.T) {
	servers := natstest.Start(t, 1)
	list := startGateways(t, servers, 2, usual)
	remote, local := list[1].connect("a", attr{nasID, "remote"}), list[0].connect("a", attr{nasID, "local"})
	s := list[0].sender()
	for range 2 {
		s.wantACK(remote, s.send(attr{nasID, "remote"}))
		waiting := s.send(attr{nasID, "remote"})
		down := remote.next()
		until(t, "that it is taken", func() bool { return len(list[0].coa.locating) == 0 })
		servers.KillAll()
		for _, g := range list {
			await(t, g.conn, false)
		}
		for range 20 {
			begin := time.Now()
			s.wantNAK(s.send(attr{nasID, "remote"}))
			if took := time.Since(begin); took >= usual.coa.step {
				t.Errorf("a NAK takes %v", took)
			}
			s.wantACK(local, s.send(attr{nasID, "local"}))
		}
		added := list[1].connect("a", attr{nasID, "connects meanwhile"})
		servers.RestartAll()
		awaitPeers(t, list)
		list[1].settle()
		s.wantACK(remote, s.send(attr{nasID, "remote"}))
		s.wantACK(added, s.send(attr{nasID, "connects meanwhile"}))
		before := list[1].value("reverse_requests_total", "duplicate_dropped")
		s.put(encode(t, waiting)) // what waited when NATS was lost
		until(t, "that it is recognized", func() bool { return list[1].value("reverse_requests_total", "duplicate_dropped") > before })
		remote.answer(down, radius.CodeDisconnectACK)
		until(t, "that it no longer waits", func() bool { return list[0].value("coa_pending_asks") == 0 })
		s.put(encode(t, waiting))
		if code, _ := s.reply(waiting); code != radius.CodeDisconnectACK || len(remote.got) > 0 {
			t.Errorf("the answer to what waited while NATS was lost is %v, and %d are sent down again", code, len(remote.got))
		}
		added.link.Close()
	}
	if got := list[0].value("coa_asks_total", "not_connected"); got != 42 {
		t.Errorf("%v are counted as not connected, expected 42", got)
	}
}

// A gateway that was never connected to NATS refuses at once.
//
// Rules: GW2, GW3
func TestCoAWithoutNATS(t *testing.T) {
	servers := natstest.Start(t, 1)
	servers.KillAll()
	g := startCoA(t, servers, usual)
	n := g.connect("a", attr{nasID, "local"})
	s := g.sender()
	s.wantNAK(s.send(attr{nasID, "remote"}))
	s.wantACK(n, s.send(attr{nasID, "local"}))
	servers.RestartAll()
	other := startCoA(t, servers, usual)
	awaitPeers(t, []*coaGateway{g, other})
	n = other.connect("a", attr{nasID, "remote"})
	s.wantACK(n, s.send(attr{nasID, "remote"}))
}

// suspend holds the server up, and waits until it no longer answers.
func suspend(t *testing.T, servers *natstest.Cluster) {
	t.Helper()
	nc := servers.Connect()
	servers.Suspend(0)
	until(t, "that NATS hangs", func() bool { return nc.FlushTimeout(50*time.Millisecond) != nil })
}

// A NATS that hangs costs a bounded time, and what it delivers afterwards is not sent down: its
// sender has got a NAK.
//
// Rules: GW2, GW3
func TestCoAWhileNATSHangs(t *testing.T) {
	servers := natstest.Start(t, 1)
	o := usual
	o.conn = defaultTimes // the hanging server is noticed after 8 s
	list := startGateways(t, servers, 2, o)
	remote, local := list[1].connect("a", attr{nasID, "remote"}, attr{sessionID, "s"}), list[0].connect("a", attr{nasID, "local"})
	s := list[0].sender()
	s.wantACK(remote, s.send(attr{nasID, "remote"}))
	suspend(t, servers)
	begin := time.Now()
	p := s.send(attr{nasID, "remote"}, attr{sessionID, "s"})
	s.wantACK(local, s.send(attr{nasID, "local"}))
	if took := time.Since(begin); took >= usual.coa.step {
		t.Errorf("a local CoA takes %v", took)
	}
	s.wantNAK(p)
	if took := time.Since(begin); took > 2*usual.coa.whole {
		t.Errorf("the NAK takes %v", took)
	}
	t.Logf("NAK after %v", time.Since(begin))
	servers.Resume(0)
	until(t, "that the late request arrives", func() bool { return list[1].value("served_total", "late") >= 1 })
	s.wantACK(remote, s.send(attr{nasID, "remote"}))
	if n := len(remote.got); n > 0 {
		t.Errorf("%d late requests are sent down", n)
	}
}

// More questions than can wait are refused at once, and all that wait have an end.
//
// Rules: GW3
func TestManyQuestionsWhileNATSHangs(t *testing.T) {
	servers := natstest.Start(t, 1)
	o := usual
	o.conn = defaultTimes
	o.coa.step, o.coa.late, o.coa.whole = 2*time.Second, time.Second, 6*time.Second // so that a slow machine sends all before the first ends
	g := startGateways(t, servers, 2, o)[0]
	suspend(t, servers)
	arrived := func() int64 { return g.coa.total.Load() + int64(g.value("coa_asks_total")) } // those that wait, and those that have ended
	s := g.sender()
	const n = maxQueued + maxLocating + 1000
	for i := range n {
		p := request(codeDisconnect, byte(i), senderSecret, attr{nasID, "remote"}, attr{proxyState, string(rune(i))})
		s.put(encode(t, p))
		if i%64 == 63 { // no faster than the socket is read
			until(t, "that they arrive", func() bool { return arrived() > int64(i-64) })
		}
	}
	begin := time.Now()
	until(t, "that all have ended", func() bool {
		return g.value("coa_pending_asks") == 0 && g.value("reverse_requests_total", "no_nas") >= maxQueued+maxLocating
	})
	t.Logf("all ended after %v: %v refused at once, %v timed out", time.Since(begin), g.value("coa_asks_total", "busy"), g.value("coa_asks_total", "timeout"))
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("they wait for %v", took)
	}
	if g.value("coa_asks_total", "busy") == 0 || len(g.coa.asks.byID) > 0 || g.coa.total.Load() != 0 {
		t.Error("none was refused, or something is left")
	}
	servers.Resume(0)
}

// Whoever may publish below the prefix, but has no secret of a sender, achieves nothing: nothing
// is sent down, and nothing is published elsewhere.
//
// Rules: GW3, GW6
func TestForgedRequests(t *testing.T) {
	servers := natstest.Start(t, 1)
	g := startGateways(t, servers, 1, usual)[0]
	n := g.connect("a", attr{nasID, "ap"}, attr{sessionID, "s"})
	forger := servers.Connect()
	elsewhere, err := forger.SubscribeSync("elsewhere.>")
	if err != nil {
		t.Fatal(err)
	}
	packet := func(secret string) []byte {
		return encode(t, request(codeDisconnect, 1, secret, attr{nasID, "ap"}, attr{sessionID, "s"}))
	}
	message := func(packet []byte) []byte {
		m := coaMessage{asker: "f0", from: addrPort("127.0.0.1", 4000), packet: packet}
		return m.encode()
	}
	good := message(packet(senderSecret))
	stranger := coaMessage{asker: "f0", from: addrPort("192.0.2.1", 4000), packet: packet(senderSecret)}
	random := randomOctets(3000)
	bad := [][]byte{nil, {}, message(packet("wrong")), good[:len(good)-1], good[:50], good[:10], append(bytes.Clone(good), make([]byte, 8000)...), random,
		append([]byte{messageAsk, 0}, random...), stranger.encode(), make([]byte, 500_000), bytes.Repeat([]byte{messageAsk}, 600)}
	subjects := []string{"test.coa.to." + g.coa.name, "test.coa.find", "test.coa.gateways", "test.coa.reply." + g.coa.name + ".1", "test.coa.reply." + g.coa.name + ".x"}
	for name := range g.server.Reachable() {
		subjects = append(subjects, g.coa.subject(name))
	}
	for _, subject := range subjects {
		for _, data := range bad {
			publish(t, forger, subject, "test.coa.reply.f0.1", data)
		}
		for _, reply := range []string{"", "elsewhere.x", "test.coa.find", "test.coa.reply.f0.>", "test.coa.reply.f0.1.2", "test.coa.reply..1", "test.coa.reply.f0." + strings.Repeat("a", 300)} {
			publish(t, forger, subject, reply, good)
		}
	}
	if err := forger.Flush(); err != nil {
		t.Fatal(err)
	}
	// The last message arrives after all others.
	answers, err := forger.SubscribeSync("test.coa.reply.f0.7")
	if err != nil {
		t.Fatal(err)
	}
	publish(t, forger, "test.coa.to."+g.coa.name, "test.coa.reply.f0.7", good)
	if _, err := answers.NextMsg(patience); err != nil {
		t.Fatal(err)
	}
	down := n.next() // the good one
	if len(n.got) > 0 {
		t.Error("more is sent down than what its sender has signed")
	}
	n.answer(down, radius.CodeDisconnectACK)
	_ = forger.Flush()
	if count, _, _ := elsewhere.Pending(); count > 0 {
		t.Error("the gateway publishes where a forger wants it to")
	}
	if g.coa.peers.count(g.coa.now(), time.Hour) > 0 {
		t.Error("a forged gateway is known")
	}
}

func randomOctets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

func publish(t *testing.T, nc *nats.Conn, subject, reply string, data []byte) {
	t.Helper()
	if err := nc.PublishMsg(&nats.Msg{Subject: subject, Reply: reply, Data: data}); err != nil {
		t.Fatal(err)
	}
}

// An answer from NATS that its sender would not believe is not sent on: the sender gets a NAK
// of the gateway that it has asked. Once a gateway has taken the request, it is passed over.
//
// Rules: GW3, GW6
func TestForgedAnswersFromNATS(t *testing.T) {
	servers := natstest.Start(t, 1)
	g := startGateways(t, servers, 1, usual)[0]
	s := g.sender()
	forger := servers.Connect()
	name := func(p *radius.Packet) []byte { return encode(t, p.Response(radius.CodeDisconnectACK)) }
	for _, x := range []struct {
		what    string
		replies func(p *radius.Packet) [][]byte
		nak     bool
	}{
		{"another secret", func(p *radius.Packet) [][]byte {
			p.Secret = []byte("wrong")
			return [][]byte{append([]byte{replyAnswer}, name(p)...)}
		}, true},
		{"an answer to another request", func(p *radius.Packet) [][]byte {
			p.Authenticator[3] ^= 1
			return [][]byte{append([]byte{replyAnswer}, name(p)...)}
		}, true},
		{"not a packet", func(*radius.Packet) [][]byte { return [][]byte{append([]byte{replyAnswer}, make([]byte, 100)...)} }, true},
		{"not here", func(*radius.Packet) [][]byte { return [][]byte{append([]byte{replyNotHere}, "f0"...)} }, true},
		{"taken, a wrong answer, then the right one", func(p *radius.Packet) [][]byte {
			return [][]byte{{replyTaken}, append([]byte{replyAnswer}, make([]byte, 100)...), append([]byte{replyNotHere}, "f0"...), append([]byte{replyAnswer}, name(p)...)}
		}, false},
		{"nonsense, then the right one", func(p *radius.Packet) [][]byte {
			return [][]byte{{}, {0xff}, {replyAnswer}, {replyTaken, 1}, make([]byte, 100_000), append([]byte{replyAnswer}, name(p)...)}
		}, false},
	} {
		t.Run(x.what, func(t *testing.T) {
			sub, err := forger.Subscribe("test.coa.name.*", func(m *nats.Msg) {
				ask, err := decodeAsk(m.Data)
				if err != nil {
					t.Error(err)
					return
				}
				p, _ := radius.Parse(ask.packet, []byte(senderSecret))
				for _, r := range x.replies(p) {
					_ = m.Respond(r)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = sub.Unsubscribe(); _ = forger.Flush() }()
			_ = forger.Flush()
			p := s.send(attr{nasID, x.what})
			if x.nak {
				s.wantNAK(p)
			} else if code, _ := s.reply(p); code != radius.CodeDisconnectACK {
				t.Errorf("the answer is %v, expected an ACK", code)
			}
		})
	}
	if got := g.value("coa_asks_total", "bad_answer"); got != 3 {
		t.Errorf("%v are counted as bad answers, expected 3", got)
	}
	if g.log.counts("does not verify under the secret") == 0 {
		t.Error("the log does not say so")
	}
}
