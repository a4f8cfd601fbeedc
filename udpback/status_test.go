package udpback

import (
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/metrics"
)

// The status of a server has one entry for each port, in wall-clock time.
func TestServerStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		began := time.Now()
		s := f.server(t, "a", func(c *ServerConfig) { c.CoAPort = 0; c.MaxSockets = 2 })
		defer s.Close()
		time.Sleep(time.Hour)
		list := s.Status()
		if len(list) != 2 || list[0].Port != metrics.PortAuth || list[1].Port != metrics.PortAcct {
			t.Fatalf("got %+v, expected the ports auth and acct", list)
		}
		for _, p := range list {
			if p.Server != "a" || p.State != metrics.StateUp || !p.Since.Equal(began) || p.Capacity != 512 || p.Outstanding != 0 || !p.LastAnswer.IsZero() || p.Address == "" {
				t.Errorf("port %s: %+v, expected it to be up since %v", p.Port, p, began)
			}
		}
	})
}
