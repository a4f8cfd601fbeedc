package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/pion/dtls/v4"
)

// What failed in connecting over DTLS says what to check.
func TestDTLSHint(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{context.DeadlineExceeded, `transport = "dtls"`},
		{syscall.ECONNREFUSED, "nothing listens there"},
		{errors.New("handshake failed: alert: Alert Fatal: BadCertificate"), "refused the client certificate"},
		{errors.New("handshake failed: alert: Alert Fatal: CertificateExpired"), "refused the client certificate"},
		{errors.New("handshake failed: alert: Alert Fatal: UnknownCA"), "refused the client certificate"},
		{errors.New("handshake failed: alert: Alert Fatal: HandshakeFailure"), ""},
	} {
		if got := dtlsHint(&Config{}, c.err); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("the hint for %q is %q, expected %q", c.err, got, c.want)
		}
	}
}

// closedConn is a connection of pion/dtls after close_notify.
type closedConn struct{ net.Conn }

func (closedConn) Read([]byte) (int, error)  { return 0, dtls.ErrConnClosed }
func (closedConn) Write([]byte) (int, error) { return 0, dtls.ErrConnClosed }

// A session that the gateway has closed ends as a connection of TLS does, whatever is tried on it
// first.
func TestClosedSession(t *testing.T) {
	c := &recordConn{Conn: closedConn{}}
	if _, err := c.Read(make([]byte, 20)); err != io.EOF {
		t.Errorf("reading: %v, expected EOF", err)
	}
	if _, err := c.Write(make([]byte, 20)); err != io.EOF {
		t.Errorf("writing: %v, expected EOF", err)
	}
}

// closingConn is a connection whose close_notify is sent when release is closed. Like one of
// pion/dtls, it returns at once from another Close.
type closingConn struct {
	net.Conn
	closes           atomic.Int32
	started, release chan struct{}
	sent             atomic.Bool
}

func (c *closingConn) Close() error {
	if c.closes.Add(1) > 1 {
		return nil
	}
	close(c.started)
	<-c.release
	c.sent.Store(true)
	return errors.New("the first")
}

// Whichever of two that close a session at once is the last to ask, close_notify is sent when
// its call returns: else the process may end before.
func TestCloseNotifyIsSent(t *testing.T) {
	inner := &closingConn{started: make(chan struct{}), release: make(chan struct{})}
	c := &recordConn{Conn: inner}
	first := make(chan error)
	go func() { first <- c.Close() }()
	<-inner.started
	second := make(chan error)
	go func() {
		err := c.Close()
		if !inner.sent.Load() {
			t.Error("the second Close returns before close_notify is sent")
		}
		second <- err
	}()
	close(inner.release)
	if a, b := <-first, <-second; a == nil || a != b {
		t.Errorf("the two calls return %v and %v, expected the error of the first twice", a, b)
	}
}
