package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
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
		if got := dtlsHint(c.err); !strings.Contains(got, c.want) || c.want == "" && got != "" {
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
