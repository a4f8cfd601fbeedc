package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
)

// steady is a client that sends a request each few milliseconds and reads on
// the side. When its connection ends it goes to the next address, and sends
// what has no answer again, as RFC 6613 §2.6.1 has it.
type steady struct {
	t        *testing.T
	cfg      *tls.Config
	address  atomic.Pointer[string]
	sent     atomic.Int64
	answered atomic.Int64
	dials    atomic.Int64
}

// run sends until stop is closed, then waits for the answers that lack.
func (s *steady) run(stop <-chan struct{}) error {
	pending := map[byte][]byte{}
	next := byte(0)
	for {
		conn, err := tls.Dial("tcp", *s.address.Load(), s.cfg)
		if err != nil {
			return fmt.Errorf("connecting: %w", err)
		}
		s.dials.Add(1)
		for _, q := range pending {
			conn.Write(q)
		}
		done, err := s.use(conn, stop, pending, &next)
		conn.Close()
		if done || err != nil {
			return err
		}
	}
}

// use reports whether everything is done; false when the connection has ended.
func (s *steady) use(conn *tls.Conn, stop <-chan struct{}, pending map[byte][]byte, next *byte) (bool, error) {
	answers := make(chan []byte, 300)
	go func() {
		defer close(answers)
		for {
			head := make([]byte, 4)
			if _, err := io.ReadFull(conn, head); err != nil {
				return
			}
			b := append(head, make([]byte, int(binary.BigEndian.Uint16(head[2:]))-4)...)
			if _, err := io.ReadFull(conn, b[4:]); err != nil {
				return
			}
			answers <- b
		}
	}()
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	last := time.After(2 * gatewaytest.Patience)
	for {
		select {
		case <-stop:
			if len(pending) == 0 {
				return true, nil
			}
			stop = nil // no more requests, only what lacks
			tick.Stop()
		case <-tick.C:
			if pending[*next] != nil {
				return false, fmt.Errorf("request %d has no answer after 256 more", *next)
			}
			q := rawRequest(1, *next, emptyMAC, nameOf(fmt.Sprintf("u%d@example.org", s.sent.Load())))
			pending[*next] = q
			*next++
			s.sent.Add(1)
			conn.Write(q)
		case a, ok := <-answers:
			if !ok {
				return false, nil
			}
			q := pending[a[1]]
			if q == nil || a[0] != 2 {
				return false, fmt.Errorf("answer with code %d to request %d, which waits: %v", a[0], a[1], q != nil)
			}
			delete(pending, a[1])
			s.answered.Add(1)
			if stop == nil && len(pending) == 0 {
				return true, nil
			}
		case <-last:
			return false, errors.New("answers do not come")
		}
	}
}

// Requests go on through ten reloads, a change of the certificate and of the
// CA, and a drain to a second gateway: each gets its answer, and the
// connections last until the drain.
func TestNothingIsLostThroughReloadsAndDrain(t *testing.T) {
	ports := answering(t)
	g := startGateway(t, ports)
	second := g.another(t)
	first := g.gw.Addr().String()

	stop := make(chan struct{})
	var clients []*steady
	ended := make(chan error, 4)
	for range cap(ended) {
		s := &steady{t: t, cfg: g.tls("plain")}
		s.address.Store(&first)
		clients = append(clients, s)
		go func() { ended <- s.run(stop) }()
	}
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	rounds := func(n int64) { // until each client has n more answers
		t.Helper()
		for _, s := range clients {
			want := s.answered.Load() + n
			for end := time.After(gatewaytest.Patience); s.answered.Load() < want; {
				select {
				case <-look.C:
				case <-end:
					t.Fatalf("a client has %d of %d answers; %d others have ended", s.answered.Load(), want, len(ended))
				}
			}
		}
	}
	for i := range 10 {
		rounds(10)
		switch i {
		case 3:
			g.newServerCertificate()
		case 5:
			stranger, err := certs.NewCA("one more CA")
			if err != nil {
				t.Fatal(err)
			}
			g.put("ca.pem", append(bytes.Clone(g.ca.CertPEM()), stranger.CertPEM()...))
		case 7:
			g.rewrite("realms = [\"example.org\"]", "realms = [\"example.org\", \"more.example\"]")
		}
		g.reload()
	}
	rounds(10)
	for i, s := range clients {
		if n := s.dials.Load(); n != 1 {
			t.Errorf("client %d has connected %d times before the drain, want once", i, n)
		}
		s.address.Store(&second)
	}
	g.gw.Drain()
	if err := g.gw.Wait(); err != nil {
		t.Error(err)
	}
	rounds(20)
	close(stop)
	for range clients {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	for i, s := range clients {
		if s.sent.Load() != s.answered.Load() || s.dials.Load() != 2 {
			t.Errorf("client %d sent %d requests, got %d answers, on %d connections; want all, on 2",
				i, s.sent.Load(), s.answered.Load(), s.dials.Load())
		}
	}
}

// another starts a second gateway by the same file and returns its address.
func (g *testGateway) another(t *testing.T) string {
	t.Helper()
	p := planOf(t, g.gw.current.Load().Config.Path)
	ctx, cancel := context.WithCancel(context.Background())
	gw, err := Start(ctx, p, Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := gw.Wait(); err != nil {
			t.Error(err)
		}
	})
	return gw.Addr().String()
}
