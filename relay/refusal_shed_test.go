package relay

import (
	"bytes"
	"testing"
	"testing/synctest"

	"radsec-gw/metrics"
)

// refuse passes a packet to Refuse, as tlsfront does when a limit is exceeded.
func refuse(fate metrics.Fate) func(b *bed, conn *Connection, q []byte) {
	return func(b *bed, conn *Connection, q []byte) {
		b.packets++
		conn.Refuse(bytes.Clone(q), fate)
		if err := conn.Flush(); err != nil {
			b.t.Errorf("the connection must be closed: %v", err)
		}
	}
}

// A packet that is shed is checked like any other: a duplicate of one in flight is dropped,
// another packet with a Token in use closes the connection, so does a malformed packet, and
// Status-Server gets no answer.
// Rules: P5, P6, P80, P124
func TestRefuseChecksThePacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open11()
		q := makeRequest11(1, 7, nemo)
		b.put(conn, q) // still in the burst
		refuse(metrics.FateRateLimited)(b, conn, q)
		refuse(metrics.FateRateLimited)(b, conn, makeRequest11(12, 8))
		refuse(metrics.FateRateLimited)(b, conn, makeRequest11(2, 9))
		none(t, "the client got", p.got())
		b.wantFates("access/duplicate_dropped=1 other/unexpected_reply=1 status/rate_limited=1")
		b.packets++
		conn.Refuse(makeRequest11(1, 7, user("nora@example.org")), metrics.FateRateLimited)
		if conn.Flush() == nil {
			t.Error("another packet with a Token in use does not end the connection")
		}
		none(t, "the client got", p.got())

		conn, _ = b.open11()
		broken := makeRequest11(1, 4, nemo)
		broken[21] = 1
		b.packets++
		conn.Refuse(broken, metrics.FateRateLimited)
		if conn.Flush() == nil {
			t.Error("an attribute of length 1 does not end the connection")
		}
	})
}
