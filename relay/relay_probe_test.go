package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/udpback"
	"radsec-gw/udpback/health"
)

// Probes use the sockets of requests, and their Identifiers: a Status-Server has one that no
// request in flight on its socket has. Each probe is a new packet without anything from a
// client's request.
// Rules: P28, P78, P81
func TestProbesShareTheSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, server: udpback.ServerConfig{
			Health: health.Config{Check: health.CheckStatusServer}}})
		conn, p := b.open()
		for i := range 200 {
			b.put(conn, makeRequest(1, byte(i), i, nemo))
		}
		conn.Flush()
		pass(25 * time.Second) // the schedule of all of them still runs
		none(t, "the client got", p.got())
		type place struct {
			from *fakeConn
			id   byte
		}
		requests, probes := map[place]bool{}, map[string]bool{}
		seen := b.net.seen()
		for _, d := range seen {
			if d.octets[0] == 1 {
				requests[place{d.from, d.octets[1]}] = true
			}
		}
		for _, d := range seen {
			if d.octets[0] != 12 || d.address != "a:1812" {
				continue
			}
			if requests[place{d.from, d.octets[1]}] {
				t.Errorf("a probe has Identifier %d, which a request in flight on its socket has", d.octets[1])
			}
			if authenticator := string(d.octets[4:20]); probes[authenticator] {
				t.Error("a probe was resent, expected a new one with a Request Authenticator of its own")
			} else {
				probes[authenticator] = true
			}
			checkMAC(t, "the server", d.octets, d.octets[4:20], serverText)
			if len(values(d.octets, 1))+len(values(d.octets, 2)) != 0 {
				t.Error("a probe has a user's name or password")
			}
		}
		if len(requests) < 200 || len(probes) < 2 { // more: the silent port got new sockets
			t.Errorf("%d requests and %d probes, expected 200 or more and two or more", len(requests), len(probes))
		}
		b.wantFates("")
	})
}
