package gateway

import (
	"crypto/tls"
	"net"
	"testing"

	"layeh.com/radius"

	"radsec-gw/gateway/gatewaytest"
)

// A client that closes its side of the connection after its last request, by close_notify or
// by FIN, gets the answer and then the end of the connection.
//
// Rules: P59
func TestAnswerToAHalfClosedConnection(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*tls.Conn) error
	}{
		{"close_notify", (*tls.Conn).CloseWrite},
		{"FIN", func(c *tls.Conn) error { return c.NetConn().(*net.TCPConn).CloseWrite() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked, release := make(chan bool, 16), make(chan bool)
			slow := gatewaytest.Serve(t, func(w radius.ResponseWriter, r *radius.Request) {
				asked <- true
				<-release
				gatewaytest.Accept(w, r)
			})
			g := startGateway(t, [3]int{slow, slow, slow})
			client := g.connect("plain")
			q := rawRequest(1, 7, emptyMAC, nameOf("bob@example.org"))
			client.write(q)
			<-asked
			if err := c.end(client.Conn); err != nil {
				t.Fatal(err)
			}
			g.connect("access").Close() // takes longer than the end of the client's side takes to arrive
			close(release)
			a := client.read()
			if a == nil {
				t.Fatal("expected the answer, the connection is closed")
			}
			client.believe(q, a, 2)
			if client.read() != nil {
				t.Error("expected the end of the connection after the answer, got a packet")
			}
			g.awaitLog("reason=peer_closed")
		})
	}
}
