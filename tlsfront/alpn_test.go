package tlsfront

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"time"
)

// versionsFront starts a server with these versions of RADIUS.
func versionsFront(t *testing.T, versions ...string) *front {
	return startTCP(t, func(_ *front, cfg *Config) { cfg.RadiusVersions = versions })
}

// negotiated returns what a client that offers these versions gets: "1.0" or "1.1", on
// both sides; "alert" for no_application_protocol; "closed" if the server closes after
// the handshake; "old" if it requires another version of TLS.
func (f *front) negotiated(cfg *tls.Config, offers ...string) string {
	f.t.Helper()
	for _, v := range offers {
		cfg.NextProtos = append(cfg.NextProtos, "radius/"+v)
	}
	c, err := tls.Dial("tcp", f.addr, cfg)
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "no application protocol"): // alert 120
		return "alert"
	case strings.Contains(err.Error(), "protocol version not supported"): // alert 70
		return "old"
	default:
		f.t.Fatalf("the client sees %v", err)
	}
	defer c.Close()
	mine := c.ConnectionState().NegotiatedProtocol
	first := make(chan []byte, 1)
	go func() {
		c.SetReadDeadline(time.Now().Add(patience))
		all, err := io.ReadAll(c)
		if err == nil { // close_notify, and not our own
			first <- all
		}
	}()
	select {
	case p := <-f.opened:
		// A client that offers 1.1 only, and is not told of it, must close.
		if len(offers) == 1 && offers[0] == Radius11 && mine == "" && !p.session.Version11() {
			c.Close()
			await(f.t, p.closed, "the session to end when the client closes")
			return "client closes"
		}
		if p.session.Version11() != (mine == protocol11) {
			f.t.Errorf("the client has %q, the server says that 1.1 is %v", mine, p.session.Version11())
		}
		c.Close()
		await(f.t, p.closed, "the session to end")
		if mine == protocol11 {
			return Radius11
		}
		return Radius10
	case all := <-first:
		if len(all) < 20 || all[0] != 52 || int(binary.BigEndian.Uint16(all[2:])) != len(all) || string(all[4:20]) != string(make([]byte, 16)) ||
			string(all[20:26]) != "\x65\x06\x00\x00\x01\x96" {
			f.t.Errorf("the client got % x, want a Protocol-Error with Token zero and Error-Cause 406", all)
		}
		return "closed"
	case <-time.After(patience):
		f.t.Fatal("waited in vain for the server")
		return ""
	}
}

// RFC 9765 §3.3.2: every cell of the table, with TLS 1.3 and without.
//
// Rules: P120, P102
func TestVersionsAreNegotiated(t *testing.T) {
	clients := [][]string{nil, {"1.0"}, {"1.0", "1.1"}, {"1.1"}}
	for _, row := range []struct {
		server []string
		tls13  [4]string // by clients
		tls12  [4]string
	}{
		{nil, [4]string{"1.0", "1.0", "1.0", "client closes"}, [4]string{"1.0", "1.0", "1.0", "client closes"}},
		{[]string{"1.0"}, [4]string{"1.0", "1.0", "1.0", "alert"}, [4]string{"1.0", "1.0", "1.0", "alert"}},
		{[]string{"1.0", "1.1"}, [4]string{"1.0", "1.0", "1.1", "1.1"}, [4]string{"1.0", "1.0", "1.0", "alert"}},
		{[]string{"1.1"}, [4]string{"closed", "alert", "1.1", "1.1"}, [4]string{"old", "old", "old", "old"}},
	} {
		t.Run("server "+strings.Join(row.server, "+"), func(t *testing.T) {
			f := versionsFront(t, row.server...)
			for i, offers := range clients {
				if got := f.negotiated(f.clientConfig(), offers...); got != row.tls13[i] {
					t.Errorf("TLS 1.3, client %v: %s, want %s", offers, got, row.tls13[i])
				}
				cfg := f.clientConfig()
				cfg.MaxVersion = tls.VersionTLS12
				if got := f.negotiated(cfg, offers...); got != row.tls12[i] {
					t.Errorf("TLS 1.2, client %v: %s, want %s", offers, got, row.tls12[i])
				}
			}
		})
	}
}

// The order in which a client offers protocols does not matter, nor do protocols other
// than RADIUS.
//
// Rules: P120
func TestVersionsInAnyOrder(t *testing.T) {
	f := versionsFront(t, Radius10, Radius11)
	cfg := f.clientConfig()
	cfg.NextProtos = []string{"h2"}
	if got := f.negotiated(cfg, "1.1", "1.0"); got != "1.1" {
		t.Errorf("got %s, want 1.1", got)
	}
	cfg = f.clientConfig()
	cfg.NextProtos = []string{"h2"}
	if got := f.negotiated(cfg); got != "alert" {
		t.Errorf("a client of HTTP/2 gets %s, want the alert", got)
	}
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="radius_version"}`, 1)
	f.wantLine("RadSec connection refused", "result=radius_version", "radius_versions")
	f.wantLine("RadSec connection accepted", "radius=radius/1.1")
}

// A client refused for its version of RADIUS is logged with the reason.
//
// Rules: P120
func TestClientWithoutALPNIsLogged(t *testing.T) {
	f := versionsFront(t, Radius11)
	if got := f.negotiated(f.clientConfig()); got != "closed" {
		t.Errorf("got %s, want closed", got)
	}
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="radius_version"}`, 1)
	f.wantLine("RadSec connection refused", "does not offer RADIUS/1.1 by ALPN")
}

// RFC 9765 §3.5: a session of RADIUS/1.1 is resumed with RADIUS/1.1 or not at all; one
// of RADIUS/1.0 may be resumed with either. Both also with configured ticket keys.
//
// Rules: P110, P121
func TestResumptionKeepsTheVersion(t *testing.T) {
	for _, keys := range [][][32]byte{nil, {{1}}} {
		f := startTCP(t, func(_ *front, cfg *Config) { cfg.RadiusVersions, cfg.TicketKeys = []string{Radius10, Radius11}, keys })
		modern, old := f.resuming(tls.VersionTLS13), f.resuming(tls.VersionTLS13)
		modern.NextProtos, old.NextProtos = []string{protocol11}, []string{protocol10}
		f.exchange(modern)
		if _, p, resumed := f.exchange(modern); !resumed || !p.session.Version11() {
			t.Errorf("1.1 is resumed: %v, with 1.1: %v; want both", resumed, p.session.Version11())
		}
		for _, offers := range [][]string{{protocol10}, nil} {
			modern.NextProtos = []string{protocol11}
			f.exchange(modern) // a ticket that was refused is forgotten
			modern.NextProtos = offers
			c, err := tls.Dial("tcp", f.addr, modern)
			if err == nil {
				c.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "no application protocol") {
				t.Errorf("a session of 1.1 resumed with %v: the client sees %v, want the alert", offers, err)
			}
		}
		f.awaitMetric(`radsec_gw_tls_handshakes_total{result="radius_version"}`, 2)
		f.exchange(old)
		old.NextProtos = []string{protocol11}
		if _, p, resumed := f.exchange(old); !resumed || !p.session.Version11() {
			t.Errorf("1.0 is resumed: %v, with 1.1: %v; want both", resumed, p.session.Version11())
		}
	}
}

// Rules: P120
func TestUnknownVersionIsRefused(t *testing.T) {
	f := versionsFront(t)
	cfg := f.server.policy.Load().cfg
	cfg.RadiusVersions = []string{"2.0"}
	if err := f.server.Update(cfg); err == nil || !strings.Contains(err.Error(), `"2.0"`) {
		t.Errorf("Update returned %v", err)
	}
}
