package udpback

import (
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// What waits for a server that was silent is sent once more as soon as that is heard
// again: its last transmission was at 14 s, and the next would be the end of its
// schedule. The octets are the same (RFC 2865 §2.5). A CoA port has no probes, so there
// the next request finds out.
//
// Rules: P57
func TestWhatWaitsIsSentWhenTheServerIsBack(t *testing.T) {
	for _, row := range []struct {
		name   string
		check  health.Check
		next   []radius.Code
		within time.Duration // after the server's return
	}{
		{"Status-Server", health.CheckStatusServer, []radius.Code{radius.CodeCoARequest}, 7 * time.Second}, // the longest pause between probes
		{"health none", health.CheckNone, []radius.Code{radius.CodeAccessRequest, radius.CodeAccountingRequest, radius.CodeCoARequest}, time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				s := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = row.check })
				defer s.Close()
				g := f.group(t, Failover, s)
				f.net.answering(t)
				var all []*owner
				for range 4 { // silence that makes it down
					all = append(all, f.everyKind(t, g)...)
				}
				pass(15 * time.Second)
				if got := s.end(wire.KindAccess).health.State(); got != health.Down {
					t.Fatalf("the server is %v after 15 s of silence, expected down", got)
				}
				f.net.answering(t, "a")
				for _, code := range row.next {
					f.start(t, g, newOwner(code))
				}
				pass(row.within)
				for _, o := range all {
					if !o.answered() {
						t.Errorf("a %v: %s %v after the server's return, expected an answer", o.code, o.outcome(), row.within)
					}
				}
				copies := map[string]int{}
				for _, tr := range f.net.seen("a:1812") {
					if tr.octets[0] != byte(radius.CodeStatusServer) {
						copies[string(tr.octets)]++
					}
				}
				for _, n := range copies {
					if n > DefaultCount+1 {
						t.Errorf("a request was sent %d times, expected at most once more than its schedule has", n)
					}
				}
			})
		})
	}
}
