package udpback

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"

	"radsec-gw/udpback/datagram"
)

// A socket that leads nowhere sends nothing, and receives nothing until it is closed.
func TestNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNowhere()
		if sent, err := n.Send([][]byte{{1}}); sent != 0 || !errors.Is(err, errNowhere) {
			t.Errorf("send returned %d, %v; expected 0 and that there is no socket", sent, err)
		}
		ended := make(chan error, 1)
		go func() { ended <- n.Receive(func(*datagram.Inbox) {}) }()
		synctest.Wait()
		if len(ended) != 0 {
			t.Error("receive has ended, and the socket is open")
		}
		for range 2 {
			if err := n.Close(); err != nil {
				t.Errorf("close returned %v", err)
			}
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("receive returned %v, expected net.ErrClosed", err)
		}
	})
}
