package udpback

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// A Protocol-Error ends an exchange only when its Response Authenticator is right; else
// the schedule goes on as if nothing had come. What else stands in it, of whatever type,
// changes nothing (draft-dekok-protocol-error §5).
// Rules: P97, P98
func TestProtocolErrorIsBelievedWhenSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		o := newOwner(radius.CodeAccountingRequest)
		f.start(t, f.group(t, Failover, s), o)
		q := f.net.seen("a:1813")[0].octets
		b := []byte{byte(wire.CodeProtocolError), q[1], 0, 0}
		b = append(b, q[4:20]...)
		b = append(b, 200, 5, 'n', 'e', 'w', 26, 8, 0, 1, 0x86, 0x9f, 1, 2, 245, 4, 9, 1, 101, 6, 0, 0, 1, 148, 241, 3, 99)
		b[3] = byte(len(b))
		sum := md5.Sum(append(bytes.Clone(b), secretText...))
		copy(b[4:20], sum[:])
		forged := bytes.Clone(b)
		forged[19] ^= 1
		f.net.sockets[0].in <- forged
		pass(3 * time.Second)
		synctest.Wait()
		if got, sends := o.outcome(), len(f.net.seen("a:1813")); got != "replies [] fails []" || sends < 2 {
			t.Errorf("after a forged Protocol-Error: %s and %d transmissions, expected the schedule to go on", got, sends)
		}
		f.net.sockets[0].in <- b
		synctest.Wait()
		if got := o.outcome(); got != fmt.Sprintf("replies [] fails [%d]", FailProtocolError) || o.causes[0] != 404 {
			t.Errorf("%s causes %v, expected the exchange ended with 404", got, o.causes)
		}
	})
}
