package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/certs"
)

// starved is a listener that has no descriptor left for its first calls, and then one connection.
type starved struct {
	fails  int
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newStarved(fails int, conns ...net.Conn) *starved {
	s := &starved{fails: fails, conns: make(chan net.Conn, len(conns)), closed: make(chan struct{})}
	for _, c := range conns {
		s.conns <- c
	}
	return s
}

func (s *starved) Accept() (net.Conn, error) {
	if s.fails--; s.fails >= 0 {
		return nil, fmt.Errorf("accept: %w", syscall.EMFILE)
	}
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}
func (s *starved) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9713} }
func (s *starved) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// A process without descriptors accepts HTTP connections again once it has some; each error is
// counted, and logged once a minute.
//
// Fault W13.
func TestAcceptSurvivesALackOfDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, nil)
		here, there := net.Pipe()
		defer here.Close()
		defer there.Close()
		l := b.server.limit(newStarved(100, here))
		defer l.Close()
		start := time.Now()
		go there.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
		c, err := l.Accept()
		if err != nil {
			t.Fatalf("got %v, want the connection that could be accepted at last", err)
		}
		c.Close()
		if took := time.Since(start); took < 90*time.Second || took > 100*time.Second {
			t.Errorf("100 errors took %v, want about a second each", took)
		}
		synctest.Wait() // for the line that the limiter writes when its minute is over
		if n := strings.Count(b.printed.String(), `msg="cannot accept HTTP connections; trying again" address=127.0.0.1:9713`); n != 2 {
			t.Errorf("%d lines in 97 s, want one a minute:\n%s", n, b.printed)
		}
		if _, text, _ := b.ask("GET", "/metrics", ""); !strings.Contains(text, `radsec_gw_accept_failures_total{listener="http"} 100`) {
			t.Error("the failures are not counted")
		}
	})
}

// Closing ends the waiting for descriptors.
func TestCloseEndsTheWaitingForDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newBed(t, nil).server.limit(newStarved(1 << 30))
		ended := make(chan error)
		go func() {
			_, err := l.Accept()
			ended <- err
		}()
		time.Sleep(time.Minute) // of the test's clock
		l.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v, want net.ErrClosed", err)
		}
	})
}

// Token, profiles and TLS change while a listener is served, and another address is served at
// the same time.
//
// Fault L5.
func TestSettingsChangeWhileServing(t *testing.T) {
	b := newBed(t, func(c *Config) { c.Token = []byte("old"); c.PProf = true })
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	var urls []string
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		urls = append(urls, l.Addr().String())
		go func() { ended <- b.server.Serve(ctx, l) }()
	}
	ca, err := certs.NewCA("HTTP")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Server([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: certs.Pool(ca.Certificate)}}}
	ask := func(url, token string, want int) {
		t.Helper()
		r, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		a, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != want {
			t.Errorf("%s with the token %q: %d, want %d", url, token, a.StatusCode, want)
		}
	}
	for _, address := range urls {
		ask("http://"+address+"/debug/pprof/", "old", 200)
	}
	b.server.Change(Settings{Token: []byte("new"), Certificate: pair.TLS()})
	for _, address := range urls {
		ask("https://"+address+"/metrics", "new", 200)
		ask("https://"+address+"/metrics", "old", 401)
		ask("https://"+address+"/debug/pprof/", "new", 404)
	}
	b.server.Change(Settings{})
	ask("http://"+urls[0]+"/metrics", "", 200)
	cancel()
	for range urls {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
