package relay

import (
	"time"

	"radsec-gw/dynauth"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// burst is the memory that a connection needs while it handles the packets that have
// arrived together; an idle connection has none. It belongs to the connection's read loop
// from acquireBurst to releaseBurst.
type burst struct {
	batch    *udpback.Batch
	verify   *wire.Digests
	view     wire.View
	queue    []*request       // whose digests are not computed yet, in order
	rules    *Rules           // the same for all of one run of process
	arrived  time.Duration    // when the first packet did
	replies  *dynauth.Replies // that may answer what was sent to the client; nil: none
	answer   [wire.MaxLength]byte
	answered bool // something was sent to the peer
}

// acquireBurst returns the connection's burst, a new one if it was idle.
func (c *Connection) acquireBurst() *burst {
	if c.burst == nil {
		c.burst = c.relay.bursts.Get().(*burst)
		c.burst.batch = c.relay.back.AcquireBatch()
		c.burst.arrived = c.relay.back.Now()
	}
	return c.burst
}

// releaseBurst returns the burst to the pool after its batch was flushed. The connection is
// idle then.
func (c *Connection) releaseBurst() {
	b := c.burst
	c.burst = nil
	c.relay.back.ReleaseBatch(b.batch)
	b.batch, b.rules, b.answered = nil, nil, false
	b.view.Packet = nil
	if b.replies != nil {
		b.replies.Release()
		b.replies = nil
	}
	c.relay.bursts.Put(b)
}
