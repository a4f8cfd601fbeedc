package tlsfront

import (
	"net"
	"testing"

	"radsec-gw/metrics"
)

// A session says why it ends as soon as Send reports false, whoever ended it.
func TestSessionSaysWhyItEnds(t *testing.T) {
	for _, c := range []struct {
		says string
		end  func(f *front, c net.Conn)
		want []metrics.Reason
	}{
		{"the gateway stops", func(f *front, _ net.Conn) { f.stop() }, []metrics.Reason{metrics.ClosedShutdown}},
		{"the client resets", func(_ *front, c net.Conn) { c.(*net.TCPConn).SetLinger(0); c.Close() }, []metrics.Reason{metrics.ClosedBroken, metrics.ClosedByPeer}},
		// The kernel tells of a reset once, the reader or the writer; the other sees the end.
		{"the client closes", func(_ *front, c net.Conn) { c.Close() }, []metrics.Reason{metrics.ClosedByPeer, metrics.ClosedBroken}},
	} {
		t.Run(c.says, func(t *testing.T) {
			f := startTCP(t, nil)
			conn, p := f.dial()
			go c.end(f, conn.NetConn())
			for p.session.Send(packet(20, 1)) {
				p.session.Flush()
			}
			got := p.session.Ended()
			await(t, p.closed, "the session to end")
			ok := false
			for _, want := range c.want {
				ok = ok || got == want
			}
			if !ok || p.session.Ended() != got {
				t.Errorf("when Send reports false the reason is %v, and %v when it is closed; want one of %v", got, p.session.Ended(), c.want)
			}
			f.awaitMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="`+got.String()+`"}`, 1)
		})
	}
}
