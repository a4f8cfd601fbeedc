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

// steady is a client that sends a request every few milliseconds and reads concurrently.
// When its connection ends it connects to the next address, and sends again the requests
// that have no answer (RFC 6613 §2.6.1).
type steady struct {
	t        *testing.T
	cfg      *tls.Config
	address  atomic.Pointer[string]
	sent     atomic.Int64
	answered atomic.Int64
	dials    atomic.Int64
}

// run sends until stop is closed, then waits for the answers that are missing.
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
			stop = nil // no more requests, only the missing answers
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
			return false, errors.New("the answers are missing")
		}
	}
}

// steadyClients are clients that send until stop is closed.
type steadyClients struct {
	t     *testing.T
	all   []*steady
	stop  chan struct{}
	ended chan error // one of each client
}

func startSteady(t *testing.T, g *testGateway, n int) *steadyClients {
	first := g.gw.Addr().String()
	c := &steadyClients{t: t, stop: make(chan struct{}), ended: make(chan error, n)}
	for range n {
		s := &steady{t: t, cfg: g.tls("plain")}
		s.address.Store(&first)
		c.all = append(c.all, s)
		go func() { c.ended <- s.run(c.stop) }()
	}
	return c
}

// await waits until each client has n more answers.
func (c *steadyClients) await(n int64) {
	c.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for _, s := range c.all {
		want := s.answered.Load() + n
		for end := time.After(gatewaytest.Patience); s.answered.Load() < want; {
			select {
			case <-tick.C:
			case <-end:
				c.t.Fatalf("a client has %d of %d answers; %d others have ended", s.answered.Load(), want, len(c.ended))
			}
		}
	}
}

// Requests are answered through ten reloads, a change of the certificate and of the CA,
// and a drain after which the clients use a second gateway: each gets its answer, and the
// connections last until the drain.
func TestNothingIsLostThroughReloadsAndDrain(t *testing.T) {
	g := startGateway(t, answering(t))
	second := g.another(t)
	clients := startSteady(t, g, 4)
	for i := range 10 {
		clients.await(10)
		switch i {
		case 3:
			g.newServerCertificate()
		case 5:
			stranger := need(certs.NewCA("one more CA"))
			g.put("ca.pem", append(bytes.Clone(g.ca.CertPEM()), stranger.CertPEM()...))
		case 7:
			g.rewrite("realms = [\"example.org\"]", "realms = [\"example.org\", \"more.example\"]")
		}
		g.reload()
	}
	clients.await(10)
	for i, s := range clients.all {
		if n := s.dials.Load(); n != 1 {
			t.Errorf("client %d: expected 1 connection before the drain, got %d", i, n)
		}
		s.address.Store(&second)
	}
	g.gw.Drain()
	if err := g.gw.Wait(); err != nil {
		t.Error(err)
	}
	clients.await(20)
	close(clients.stop)
	for range clients.all {
		if err := <-clients.ended; err != nil {
			t.Error(err)
		}
	}
	for i, s := range clients.all {
		if s.sent.Load() != s.answered.Load() || s.dials.Load() != 2 {
			t.Errorf("client %d: expected an answer to each of %d requests on 2 connections, got %d answers on %d",
				i, s.sent.Load(), s.answered.Load(), s.dials.Load())
		}
	}
}

// another starts a second gateway with the same configuration and returns its address.
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
