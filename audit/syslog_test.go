package audit

import (
	"io"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/logs"
)

// RFC 5424 §6 over UDP, a message for each tick.
func TestFTicksToSyslog(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	e := login(t, "bob@example.org", radius.CodeAccessAccept)
	if got := logged(t, func(c *Config) {
		c.Requests, c.Federation, c.Country, c.Syslog = false, "eduroam", "DE", server.LocalAddr().String()
	}, e, e); got != "" {
		t.Errorf("the log has %q, want nothing", got)
	}
	want := regexp.MustCompile(`^<134>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ radsec-gw \d+ - - F-TICKS/eduroam/1\.0#REALM=example\.org#VISCOUNTRY=DE#CSI=[0-9a-f]{16}#RESULT=OK#$`)
	server.SetReadDeadline(time.Now().Add(10 * time.Second))
	for range 2 {
		b := make([]byte, 2048)
		n, _, err := server.ReadFrom(b)
		if err != nil || !want.Match(b[:n]) {
			t.Errorf("got %q (%v), want %v", b[:n], err, want)
		}
	}
}

// udpServer is a syslog server; next returns the next message.
type udpServer struct {
	t    *testing.T
	conn net.PacketConn
}

func newUDPServer(t *testing.T) *udpServer {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &udpServer{t, conn}
}

func (u *udpServer) next() string {
	u.t.Helper()
	u.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 2048)
	n, _, err := u.conn.ReadFrom(b)
	if err != nil {
		u.t.Fatalf("no message: %v", err)
	}
	return string(b[:n])
}

// The server changes while the gateway runs, also to none and back.
func TestTheSyslogServerChanges(t *testing.T) {
	first, second := newUDPServer(t), newUDPServer(t)
	out := &safeBuffer{}
	var cfg Config
	h, end := newHub(t, out, func(c *Config) {
		c.Requests, c.Federation, c.Country, c.Syslog = false, "eduroam", "DE", first.conn.LocalAddr().String()
		cfg = *c
	})
	tick := func(realm string) { h.Ended(login(t, "bob@"+realm, radius.CodeAccessAccept)) }
	tick("one.example")
	if got := first.next(); !strings.Contains(got, "REALM=one.example#") {
		t.Errorf("got %q, expected the first tick", got)
	}
	cfg.Syslog = second.conn.LocalAddr().String()
	h.Configure(cfg)
	tick("two.example")
	if got := second.next(); !strings.Contains(got, "REALM=two.example#") {
		t.Errorf("got %q, expected the second tick", got)
	}
	cfg.Syslog = ""
	h.Configure(cfg)
	tick("three.example")
	cfg.Syslog = first.conn.LocalAddr().String()
	h.Configure(cfg)
	tick("four.example")
	if got := first.next(); !strings.Contains(got, "REALM=four.example#") {
		t.Errorf("got %q, expected the fourth tick", got)
	}
	end()
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "REALM=three.example#") {
		t.Errorf("the log has %q, expected the third tick", got)
	}
}

// A server that cannot be reached delays neither the start nor a request nor the end; lines that
// were not sent are counted, and the error is logged once.
func TestASyslogServerThatCannotBeReached(t *testing.T) {
	log := &safeBuffer{}
	h, end := newHub(t, io.Discard, func(c *Config) {
		c.Requests, c.Federation, c.Country, c.Syslog = false, "eduroam", "DE", "127.0.0.1:no-such-port"
		c.Log = slog.New(slog.NewTextHandler(log, nil))
	})
	for range 3 {
		h.Ended(login(t, "bob@example.org", radius.CodeAccessAccept))
	}
	deadline, tick := time.After(10*time.Second), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for log.String() == "" {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("nothing logs that the server cannot be reached")
		}
	}
	end()
	if n := h.syslog.out.Lost(logs.KindFTicks, logs.WriteFailed); n != 3 {
		t.Errorf("%d ticks counted as lost, expected 3", n)
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "fticks_syslog=127.0.0.1:no-such-port") {
		t.Errorf("logged %q, expected one line that names the server", got)
	}
}
