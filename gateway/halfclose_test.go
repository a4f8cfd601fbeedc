package gateway

import (
	"crypto/tls"
	"net"
	"testing"

	"layeh.com/radius"

	"radsec-gw/gateway/gatewaytest"
)

// A client that shuts down its side after its last request gets the answer, whichever
// way it does so, and then the end of the connection.
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
			asked, goOn := make(chan bool, 16), make(chan bool)
			slow := gatewaytest.Serve(t, func(w radius.ResponseWriter, r *radius.Request) {
				asked <- true
				<-goOn
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
			g.connect("access").Close() // takes longer than the end takes to arrive
			close(goOn)
			a := client.read()
			if a == nil {
				t.Fatal("the connection ends without the answer")
			}
			client.believe(q, a, 2)
			if client.read() != nil {
				t.Error("something follows the answer")
			}
			g.awaitLog("reason=peer_closed")
		})
	}
}
