package load

import (
	"time"

	"layeh.com/radius"
)

// Reverse says how CoA and Disconnect that come down a connection are answered.
type Reverse struct {
	Silent bool          // not at all
	Delay  time.Duration // with an ACK, so much later
}

// handle answers a request on its connection.
func (r *Reverse) handle(c connection, p []byte) {
	request, err := radius.Parse(p, []byte("radsec"))
	if r.Silent || err != nil {
		return
	}
	octets, err := request.Response(request.Code + 1).Encode() // its ACK
	if err != nil {
		return
	}
	time.AfterFunc(r.Delay, func() {
		if c.put(octets) == nil {
			_ = c.flush()
		}
	})
}
