package dtlsfront_test

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/dtlsfront"
	"radsec-gw/metrics"
)

// A client that restarts on the same port is let in again at once, also at its limit: the session
// that it has forgotten ends for it. From another port it is refused.
// Rules: DT6, DT12
func TestRestartAtTheClientsLimit(t *testing.T) {
	f := startClients(t, func(c *dtlsfront.FrontConfig) { c.Clients[0].MaxConnections = 1 })
	at := f.socket()
	ask(t, f.dial(at), packet(1, 40))
	for range 3 {
		at.Close()
		var err error
		if at, err = net.ListenPacket("udp4", at.LocalAddr().String()); err != nil {
			t.Fatal(err)
		}
		ask(t, f.dial(at), packet(1, 40))
		f.expectClosed(metrics.ClosedLocally)
	}
	expectEnd(t, f.dial(nil))
}

// At max_outstanding the answer to a CoA, a Status-Server, and a request that is sent again are
// taken: none makes anything outstanding. Another request is not.
// Rules: DT12
func TestWhatIsTakenAtMaxOutstanding(t *testing.T) {
	f := startClients(t, func(c *dtlsfront.FrontConfig) { c.MaxOutstanding = 1 })
	f.waiting.Store(1)
	client := f.dial(nil)
	for code, name := range map[byte]string{12: "Status-Server", 41: "Disconnect-ACK", 42: "Disconnect-NAK", 44: "CoA-ACK", 45: "CoA-NAK"} {
		p := packet(code, 40)
		p[0] = code
		client.Write(p)
		select {
		case got := <-f.received:
			if got[0] != code {
				t.Errorf("the Handler gets a packet of code %d, expected %s", got[0], name)
			}
		case <-time.After(patience):
			t.Fatalf("%s is dropped", name)
		}
	}
	f.repeated.Store(7)
	for _, id := range []byte{6, 7} {
		client.Write(packet(id, 40))
	}
	if got := <-f.received; got[1] != 7 {
		t.Errorf("the Handler gets request %d, expected 7, which it has already", got[1])
	}
}

// A client that finds the listener full is logged and counted, with the limit's name.
// Rules: DT12
func TestFullListenerIsLogged(t *testing.T) {
	lines := new(process.Output)
	f := startClients(t, func(c *dtlsfront.FrontConfig) {
		c.MaxSessions = 1
		c.Log = slog.New(slog.NewTextHandler(lines, nil))
	})
	ask(t, f.dial(nil), packet(1, 40))
	n := f.newcomer(t, f.socket())
	n.send(n.from)
	n.receive() // the cookie
	n.send(n.from)
	eventually(t, "the refusal is logged", func() bool {
		return lines.Count("RADIUS/DTLS session refused", "result=too_many", "max_connections") > 0
	})
}
