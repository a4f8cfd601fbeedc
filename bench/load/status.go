package load

import (
	"fmt"
	"net"
	"time"

	"layeh.com/radius"

	"radsec-gw/probe"
)

// AskStatus sends one Status-Server on a RadSec connection without other requests, and
// verifies the answer (RFC 5997 §4): a connection counts only if it is served.
func AskStatus(c net.Conn, within time.Duration) error {
	p := radius.New(radius.CodeStatusServer, []byte(radsecSecret))
	probe.AddMessageAuthenticator(p)
	ask, err := probe.Sign(p)
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
	code, authentic := radius.Code(reply[0]), radius.IsAuthenticResponse(reply, ask, p.Secret)
	if code != radius.CodeAccessAccept || !authentic {
		return fmt.Errorf("expected a verified Access-Accept, got %v, Response Authenticator right: %t", code, authentic)
	}
	return nil
}

// statusTimeout is generous: ten thousand connections ask at a time.
const statusTimeout = 30 * time.Second

// radsecSecret is the secret of every RadSec connection (RFC 6614 §2.3).
const radsecSecret = "radsec"
