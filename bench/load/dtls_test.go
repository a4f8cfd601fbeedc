package load

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v4"
	"github.com/pion/dtls/v4/pkg/protocol"
	"layeh.com/radius"

	"radsec-gw/bench/material"
	"radsec-gw/bench/packets"
)

// dtlsRelay answers sessions as answer says; nil is silence. Its DTLS is pion's, and shares
// nothing with what protects the client's records.
func dtlsRelay(t *testing.T, answer func(request *radius.Packet) [][]byte) *Config {
	t.Helper()
	files, err := material.Write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server, err := files.Server()
	if err != nil {
		t.Fatal(err)
	}
	l, err := dtls.ListenAddr("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, dtls.WithCertificates(server.Certificates...),
		dtls.WithClientAuth(dtls.RequireAndVerifyClientCert), dtls.WithClientCAs(server.ClientCAs), dtls.WithMaxVersion(protocol.Version1_2))
	if err != nil {
		t.Fatal(err)
	}
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(t.Context(), func() { c.Close() })
			sessions.Go(func() { serveDTLS(t, c, answer) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		sessions.Wait()
	})
	client, err := files.Client()
	if err != nil {
		t.Fatal(err)
	}
	cfg := testConfig(t)
	cfg.DTLS, cfg.Address, cfg.TLS, cfg.Secret = true, l.Addr().String(), client, []byte(dtlsSecret)
	cfg.Resend, cfg.Timeout = 100*time.Millisecond, 5*time.Second
	return cfg
}

func serveDTLS(t *testing.T, c net.Conn, answer func(request *radius.Packet) [][]byte) {
	b := make([]byte, packets.MaxLength)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		request, err := radius.Parse(b[:n], []byte(dtlsSecret))
		if err != nil {
			t.Errorf("the relay cannot read a request: %v", err)
			return
		}
		for _, reply := range answer(request) {
			_, _ = c.Write(reply)
		}
	}
}

func acceptOnce(request *radius.Packet) [][]byte { return [][]byte{accept(request)} }

func TestDTLS(t *testing.T) {
	for name, rate := range map[string]float64{"closed loop": 0, "open loop": 1000} {
		t.Run(name, func(t *testing.T) {
			cfg := dtlsRelay(t, acceptOnce)
			cfg.Rate = rate
			cfg.Resend = cfg.Timeout // a machine may be slow
			r, err := Run(t.Context(), *cfg)
			if err != nil {
				t.Fatal(err)
			}
			if r.Counted == 0 || r.Lost+r.Bad+r.Unmatched+r.Resent != 0 || r.Broken != 0 || r.Sent != r.Answered || r.Verified != r.Answered {
				t.Errorf("a relay that answers everything is reported as\n%v", r)
			}
		})
	}
}

// What the relay does not answer at first is resent, with the same octets, and not lost. A
// second answer to it is not mistaken for one to another request.
func TestDTLSResends(t *testing.T) {
	var first atomic.Pointer[radius.Packet]
	var n, again atomic.Int32
	cfg := dtlsRelay(t, func(p *radius.Packet) [][]byte {
		if n.Add(1) == 5 {
			first.Store(p)
			return nil
		}
		if f := first.Load(); f != nil && p.Authenticator == f.Authenticator {
			again.Add(1)
			return [][]byte{accept(p), accept(p)}
		}
		return acceptOnce(p)
	})
	r, err := Run(t.Context(), *cfg)
	if err != nil {
		t.Fatal(err)
	}
	if again.Load() == 0 || r.Resent < 1 || r.Lost+r.Bad != 0 || r.Sent != r.Answered || r.Broken != 0 {
		t.Errorf("one silence, and then two answers to the request sent again (%d times), is reported as\n%v", again.Load(), r)
	}
}

// What is never answered is resent until it is lost, at growing intervals: with a timeout of 5
// times the first interval after about 1 and 3 of them, if the machine is not slow.
func TestDTLSCountsLost(t *testing.T) {
	cfg := dtlsRelay(t, func(*radius.Packet) [][]byte { return nil })
	cfg.Connections, cfg.Outstanding, cfg.Resend, cfg.Timeout = 1, 3, 200*time.Millisecond, time.Second
	cfg.Duration = 50 * time.Millisecond
	r, err := Run(t.Context(), *cfg)
	if err != nil {
		t.Fatal(err)
	}
	if r.Sent != 3 || r.Lost != 3 || r.Resent < 3 || r.Resent > 6 || r.Answered != 0 {
		t.Errorf("a silent relay is reported as\n%v\nexpected 3 sent, 3 lost, 3 to 6 resent", r)
	}
}

// A run that is ended early, or whose relay is not trusted, is an error.
func TestDTLSFails(t *testing.T) {
	cfg := dtlsRelay(t, acceptOnce)
	cfg.Duration = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Run(ctx, *cfg); err == nil {
		t.Error("a run that was ended early gives a report")
	}
	cfg.TLS.RootCAs = nil
	if _, err := Run(t.Context(), *cfg); err == nil || !strings.Contains(err.Error(), "handshake of session") {
		t.Errorf("without the relay's CA: %v, expected that the handshake fails", err)
	}
}

func TestIdleDTLS(t *testing.T) {
	var asked atomic.Int32
	cfg := dtlsRelay(t, func(p *radius.Packet) [][]byte {
		if p.Code != radius.CodeStatusServer {
			t.Errorf("an idle session sent %v", p.Code)
		}
		asked.Add(1)
		b, _ := p.Response(radius.CodeAccessAccept).Encode()
		return [][]byte{b}
	})
	measured := int32(-1)
	if err := Idle(t.Context(), *cfg, 5, func() { measured = asked.Load() }); err != nil {
		t.Fatal(err)
	}
	if measured != 0 || asked.Load() != 5 {
		t.Errorf("%d sessions were asked before measuring, %d in all; expected 0 and 5", measured, asked.Load())
	}
}
