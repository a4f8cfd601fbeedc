package tlsfront

import (
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/identity"
)

// A connection that sends Status-Server and closes is a health check, and leaves no line above
// debug. One that sends a request, fails, or lasts, is logged.
//
// Fault O10.
func TestHealthChecksLeaveNoLine(t *testing.T) {
	status := packet(20, 1)
	status[0] = byte(codeStatusServer)
	for _, c := range []struct {
		name  string
		sends []byte
		lasts time.Duration
		level string
	}{
		{"a health check", status, 0, "level=DEBUG"},
		{"nothing at all", nil, 0, "level=DEBUG"},
		{"a request", packet(20, 1), 0, "level=INFO"},
		{"one that lasts", status, 2 * tick, "level=INFO"},
		{"a packet that is too short", make([]byte, 20), 0, "level=INFO"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, l := startPipe(t, func(cfg *Config) { cfg.Clients = clientsOf(identity.Client{Name: "campus"}) })
				conn, _ := f.dialPipe(l)
				conn.Write(c.sends)
				pass(c.lasts)
				conn.Close()
				pass(time.Second)
				f.stop()
				f.wantLine("RadSec connection accepted", c.level, "client=campus")
				if c.level == "level=DEBUG" {
					f.wantLine("RadSec connection closed", c.level)
				}
				if n := len(f.log.lines("RadSec connection accepted")); n != 1 {
					t.Errorf("%d lines say that it was accepted, expected 1", n)
				}
			})
		})
	}
}
