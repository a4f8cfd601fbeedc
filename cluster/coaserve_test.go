package cluster

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"radsec-gw/cluster/natstest"
)

// What gateways tell each other of CoA is counted where it is sent and where it arrives; what comes
// back from NATS to the gateway that has sent it is not something that it has learned.
//
// Rules: GW3
func TestCoAMessagesAreCounted(t *testing.T) {
	servers := natstest.Start(t, 1)
	alone := startGateways(t, servers, 1, usual)[0]
	until(t, "that it says that it is there", func() bool { return alone.value("cluster_sent_total", "coa") > 1 })
	_ = alone.conn.NATS().FlushTimeout(patience)
	until(t, "that this has come back", func() bool { return len(alone.coa.beats) == 0 })
	if got := alone.value("cluster_received_total", "coa"); got != 0 {
		t.Errorf("a gateway without others has received %v, expected nothing", got)
	}
	alone.stop()
	list := startGateways(t, servers, 2, usual)
	n := list[1].connect("a", attr{nasID, "ap"})
	s := list[0].sender()
	count := func(g *coaGateway, name string) float64 { return g.value("cluster_"+name+"_total", "coa") }
	asker, other := count(list[0], "received"), count(list[1], "sent")
	const rounds = 100 // many more than the messages that a gateway is there
	for range rounds {
		s.wantACK(n, s.send(attr{nasID, "ap"}))
	}
	for what, got := range map[string]float64{
		"sent by the asker": count(list[0], "sent"), "received by the other": count(list[1], "received"),
		"sent by the other": count(list[1], "sent") - other, "received by the asker": count(list[0], "received") - asker,
	} {
		if got < rounds { // an answer that comes at once is sent alone, without that the request is taken
			t.Errorf("%s: %v, expected %d at least", what, got, rounds)
		}
	}
	for _, g := range list {
		if dropped, invalid := count(g, "dropped"), count(g, "invalid"); dropped+invalid != 0 {
			t.Errorf("%v were dropped and %v invalid, expected none", dropped, invalid)
		}
	}
}

// Messages of another form, and requests whose reply would go elsewhere, are counted, each as
// invalid, and requests also as refused; a line of the log says so, without what they have.
//
// Rules: GW6
func TestInvalidCoAMessages(t *testing.T) {
	servers := natstest.Start(t, 1)
	g := startGateways(t, servers, 1, usual)[0]
	g.connect("a", attr{nasID, "ap"})
	forger := servers.Connect()
	packet := encode(t, request(codeDisconnect, 1, "wrong", attr{nasID, "ap"}))
	good := coaMessage{asker: "f0", from: addrPort("127.0.0.1", 4000), packet: packet}
	to, replies := "test.coa.to."+g.coa.name, "test.coa.reply."+g.coa.name
	list := []nats.Msg{
		{Subject: to, Reply: "test.coa.reply.f0.1", Data: []byte("tiger")},
		{Subject: to, Reply: "elsewhere.tiger", Data: good.encode()},
		{Subject: "test.coa.find", Reply: "test.coa.reply.f0.1", Data: []byte("tiger")},
		{Subject: "test.coa.find", Reply: "elsewhere.tiger", Data: good.encode()},
		{Subject: replies + ".1", Data: []byte("tiger")},
		{Subject: replies + ".x", Data: []byte{replyTaken}},
		{Subject: "test.coa.gateways", Data: []byte("tiger")},
	}
	for _, m := range list {
		publish(t, forger, m.Subject, m.Reply, m.Data)
	}
	_ = forger.Flush()
	until(t, "that all are counted", func() bool { return g.value("cluster_invalid_total", "coa") == float64(len(list)) })
	until(t, "that four are counted as refused", func() bool { return g.value("served_total", "refused") == 4 })
	if text := g.log.String(); strings.Count(text, "ignored a message from NATS") != 1 || strings.Contains(text, "tiger") {
		t.Errorf("expected one line that says so, and nothing of the messages, got\n%s", text)
	}
	publish(t, forger, to, "test.coa.reply.f0.1", good.encode()) // only its secret is wrong
	_ = forger.Flush()
	until(t, "that it is counted as refused", func() bool { return g.value("served_total", "refused") == 5 })
	if got := g.value("cluster_invalid_total", "coa"); got != float64(len(list)) {
		t.Errorf("%v are counted as invalid, expected %d", got, len(list))
	}
}
