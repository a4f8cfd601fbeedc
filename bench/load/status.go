package load

import (
	"errors"
	"fmt"
	"net"
	"time"

	"layeh.com/radius"

	"radsec-gw/probe"
)

// AskStatus sends one Status-Server on a RadSec connection without other requests, and
// verifies the answer (RFC 5997 §4): a connection counts only if it is served.
func AskStatus(c net.Conn, within time.Duration) error {
	ask, err := statusServer(radsecSecret)
	if err != nil {
		return err
	}
	c.SetDeadline(time.Now().Add(within))
	if _, err := c.Write(ask); err != nil {
		return err
	}
	reply, err := probe.ReadPacket(c)
	if err != nil {
		return err
	}
	return checkStatus(reply, ask, radsecSecret)
}

// askStatus is AskStatus for a session of RADIUS/DTLS.
func (c *dtlsConnection) askStatus(within time.Duration) error {
	ask, err := statusServer(dtlsSecret)
	if err != nil {
		return err
	}
	if err := errors.Join(c.wake(time.Now().Add(within)), c.put(ask)); err != nil {
		return err
	}
	reply, err := c.next() // which sends
	if err != nil {
		return err
	}
	return checkStatus(reply, ask, dtlsSecret)
}

func statusServer(secret string) ([]byte, error) {
	p := radius.New(radius.CodeStatusServer, []byte(secret))
	probe.AddMessageAuthenticator(p)
	return probe.Sign(p)
}

func checkStatus(reply, ask []byte, secret string) error {
	code, authentic := radius.Code(reply[0]), radius.IsAuthenticResponse(reply, ask, []byte(secret))
	if code != radius.CodeAccessAccept || !authentic {
		return fmt.Errorf("expected a verified Access-Accept, got %v, Response Authenticator right: %t", code, authentic)
	}
	return nil
}

// statusTimeout is generous: ten thousand connections ask at a time.
const statusTimeout = 30 * time.Second

// radsecSecret is the secret of every RadSec connection (RFC 6614 §2.3).
const radsecSecret = "radsec"

// dtlsSecret is that of every session of RADIUS/DTLS (RFC 7360 §2.1).
const dtlsSecret = "radius/dtls"
