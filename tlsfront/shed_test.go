package tlsfront

import (
	"crypto/tls"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// refusing is a Handler that answers what is shed.
type refusing struct {
	*testHandler
	calls []string
}

func (r *refusing) Packet(b []byte) error {
	r.calls = append(r.calls, fmt.Sprintf("packet %d", b[1]))
	return r.testHandler.Packet(b)
}

func (r *refusing) Flush() error { r.calls = append(r.calls, "flush"); return r.testHandler.Flush() }

func (r *refusing) Refuse(b []byte, fate metrics.Fate) {
	r.calls = append(r.calls, fmt.Sprintf("refuse %d %v", b[1], fate))
	r.testHandler.session.Send(packet(20, 52))
}

// What is shed on a connection of RADIUS/1.1 goes to the handler, which answers it and
// counts it, and is flushed; on one of RADIUS/1.0 it is dropped and counted here.
// Rules: P96, P100
func TestShedIsAnsweredIn11(t *testing.T) {
	for _, version := range []string{protocol10, protocol11} {
		synctest.Test(t, func(t *testing.T) {
			var h *refusing
			l := newPipeListener()
			f := start(t, l, func(f *front, cfg *Config) {
				cfg.RadiusVersions = []string{Radius10, Radius11}
				cfg.Clients = []*Client{{Client: identity.Client{Name: "campus"}, PacketsPerSecond: 1}}
				open := f.open
				f.open = func(s *Session) Handler {
					h = &refusing{testHandler: open(s).(*testHandler)}
					return h
				}
			})
			cfg := f.clientConfig()
			cfg.NextProtos = []string{version}
			c := tls.Client(l.connect(), cfg)
			if err := c.Handshake(); err != nil {
				t.Fatal(err)
			}
			<-f.opened
			answered := make(chan int, 1)
			go func() {
				all, _ := io.ReadAll(c)
				answered <- len(all) / 20
			}()
			for i := range 6 {
				p := packet(20, 1)
				p[1] = byte(i)
				c.Write(p)
				sleep(200 * time.Millisecond)
			}
			sleep(3 * time.Second)
			c.CloseWrite()
			sleep(time.Second)
			c.Close()
			refused := slices.DeleteFunc(slices.Clone(h.calls), func(s string) bool { return s[:2] != "re" })
			dropped := f.metric(`radsec_gw_requests_total{client="campus",fate="rate_limited",kind="access"}`)
			if version == protocol10 {
				if len(refused) != 0 || dropped == 0 {
					t.Errorf("in RADIUS/1.0 the handler refused %q and %v packets were dropped, expected all of them dropped", refused, dropped)
				}
				return
			}
			if len(refused) == 0 || dropped != 0 {
				t.Fatalf("in RADIUS/1.1 the handler refused %q and %v packets were dropped, expected all of them refused", refused, dropped)
			}
			if refused[0][len(refused[0])-len("rate_limited"):] != "rate_limited" {
				t.Errorf("it was told %q, expected the fate", refused[0])
			}
			if h.calls[len(h.calls)-1] != "flush" {
				t.Errorf("the handler was told %q, expected a flush after what was refused", h.calls)
			}
			if n := <-answered; n != len(refused) {
				t.Errorf("the client got %d answers, expected %d", n, len(refused))
			}
		})
	}
}
