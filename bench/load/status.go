package load

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"time"
)

// askStatus sends one Status-Server and verifies the answer (RFC 5997 §4): the memory of a
// connection counts only if it is served.
func askStatus(c net.Conn) error {
	const length, macAt = 38, 22
	ask := make([]byte, length)
	ask[0], ask[3] = 12, length
	rand.Read(ask[4:20])
	ask[20], ask[21] = 80, 18
	mac := hmac.New(md5.New, []byte(radsecSecret))
	mac.Write(ask)
	copy(ask[macAt:], mac.Sum(nil))
	c.SetDeadline(time.Now().Add(statusTimeout))
	if _, err := c.Write(ask); err != nil {
		return err
	}
	head := make([]byte, 4096)
	if _, err := io.ReadFull(c, head[:4]); err != nil {
		return err
	}
	n := int(head[2])<<8 | int(head[3])
	if n < 20 || n > len(head) {
		return fmt.Errorf("a Length of %d octets", n)
	}
	if _, err := io.ReadFull(c, head[4:n]); err != nil {
		return err
	}
	got := bytes.Clone(head[4:20])
	copy(head[4:20], ask[4:20])
	want := md5.Sum(append(head[:n:n], radsecSecret...))
	if head[0] != 2 || !bytes.Equal(got, want[:]) {
		return fmt.Errorf("code %d, Response Authenticator right: %t", head[0], bytes.Equal(got, want[:]))
	}
	return nil
}

// statusTimeout is generous: ten thousand connections ask at a time.
const statusTimeout = 30 * time.Second

// radsecSecret is the secret of every RadSec connection (RFC 6614 §2.3).
const radsecSecret = "radsec"
