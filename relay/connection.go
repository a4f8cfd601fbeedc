package relay

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// Link is one RadSec connection: what it has in flight and what it was answered
// lately. Its methods Packet, Flush and Closed belong to the connection's read loop.
type Connection struct {
	// static after construction
	relay  *Relay
	client *Client
	peer   Peer
	remote netip.AddrPort
	v11    bool // RADIUS/1.1 (RFC 9765)

	outstanding atomic.Int64 // requests that wait, until their answer is handed to the connection

	// owned by the read loop
	burst    *burst // borrowed while packets are being handled; nil when idle
	closeErr error  // why nothing more is taken from the client; nil while it is

	mu         sync.Mutex                // guards the fields below
	recent     [wire.KindStatus]*history // by kind; made when the first request of the kind comes
	expiry     *time.Timer               // forgets kept answers; nil until the first is kept
	armed      bool
	inFlight11 map[wire.Token]*request // what is in flight on a RADIUS/1.1 connection, instead of recent; made when the first comes
}

// burst is what handling packets needs; an idle link has none.
type burst struct {
	batch    *udpback.Batch
	verify   *wire.Digests
	view     wire.View
	queue    []*request    // whose digests are not computed yet, in order
	rules    *Rules        // the same for all of one run of process
	arrived  time.Duration // when the first packet did
	answer   [wire.MaxLength]byte
	answered bool // something was sent to the peer
}

// work returns the burst, borrowing one when the link was idle.
func (c *Connection) acquireBurst() *burst {
	if c.burst == nil {
		c.burst = c.relay.bursts.Get().(*burst)
		c.burst.batch = c.relay.back.AcquireBatch()
		c.burst.arrived = c.relay.back.Now()
	}
	return c.burst
}

// process computes the digests of the queued packets together and relays, in
// order, those that verify. One that does not ends the connection: what came
// behind it is not looked at any more.
func (c *Connection) process(b *burst) error {
	b.verify.Run()
	b.rules = c.relay.rules.Load()
	for i, req := range b.queue {
		b.queue[i] = nil
		if c.closeErr != nil {
			req.recordFate(metrics.FateClientGone, nil)
			c.relay.recycle(req)
			continue
		}
		if err := b.verify.Result(req.ticket); err != nil {
			c.closeErr = c.unverified(req, err)
			continue
		}
		if !c.forward(b, req) {
			c.relay.recycle(req)
		}
	}
	b.queue = b.queue[:0]
	b.verify.Reset()
	return c.closeErr
}

// Flush sends on what the connection held: requests to the servers, the
// gateway's own answers to the client. An error costs the client its connection.
func (c *Connection) Flush() error {
	b := c.burst
	if b == nil {
		return c.closeErr
	}
	c.process(b)
	b.batch.Flush()
	c.burst = nil
	c.relay.back.ReleaseBatch(b.batch)
	if b.answered {
		c.peer.Flush()
	}
	b.batch, b.rules, b.answered = nil, nil, false
	b.view.Packet = nil
	c.relay.bursts.Put(b)
	return c.closeErr
}

// Closed ends the link: what is in flight is not resent any more, replies that
// still come are dropped, kept answers are forgotten (RFC 6613 §2.6.1).
func (c *Connection) Closed() {
	c.Flush()
	c.mu.Lock()
	var abandoned []*request
	for kind, h := range c.recent {
		if h != nil {
			abandoned = append(abandoned, h.close(c.relay)...)
			c.recent[kind] = nil
		}
	}
	for _, req := range c.inFlight11 {
		abandoned = append(abandoned, req)
	}
	c.inFlight11 = nil
	c.mu.Unlock()
	c.outstanding.Add(-int64(len(abandoned)))
	fate := c.unansweredFate()
	for _, req := range abandoned {
		req.abandon(fate)
	}
}

// Outstanding is how many requests of the connection wait for their replies. It
// may be called from any goroutine.
func (c *Connection) Outstanding() int { return int(c.outstanding.Load()) }
