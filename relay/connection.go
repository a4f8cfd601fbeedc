package relay

import (
	"net/netip"
	"sync/atomic"
	"time"

	"radsec-gw/dynauth"
	"radsec-gw/locks"
	"radsec-gw/metrics"
	"radsec-gw/rules"
	"radsec-gw/wire"
)

// Connection is one RadSec connection: its requests in flight, and the answers to the
// last ones. Its methods Packet, Refuse, Flush and Closed are called by the connection's
// read loop.
type Connection struct {
	// static after construction
	relay  *Relay
	client *Client
	peer   Peer
	remote netip.AddrPort
	local  netip.AddrPort // of the gateway; invalid: not known
	v11    bool           // RADIUS/1.1 (RFC 9765)
	origin Origin
	link   *dynauth.Link // for reverse CoA; nil: there is none

	outstanding atomic.Int64 // requests in flight, until their answer has been passed to peer.Send

	// owned by the read loop
	burst    *burst // while packets are being handled; nil: the connection is idle
	closeErr error  // why the connection must be closed; nil while it need not
	source   source
	kept     keptOrigin
	facts    *rules.Facts // made for the first request that rules apply to, then unchanged; nil: none yet

	mu         locks.Mutex[locks.Connection] // guards the fields below
	recent     [wire.KindStatus]*history     // by kind; made with the first request of the kind
	expiry     *time.Timer                   // removes kept answers; nil until the first is kept
	armed      bool                          // expiry runs
	inFlight11 map[wire.Token]*request       // in RADIUS/1.1, instead of recent; made with the first request
	spoolTimer *time.Timer                   // calls spoolDue; nil until the first request that may be spooled
	spoolAt    time.Duration                 // when it does; 0: it does not
}

// Origin says where a connection comes from. Its functions may be nil, and may be slow.
type Origin struct {
	DTLS  bool                // it is a session of RADIUS/DTLS (RFC 7360)
	Facts func() *rules.Facts // for attribute rules
	// SourceKey returns what identifies the certificate, by its issuer and serial or by its
	// first name: a client's source in a pool is computed from it.
	SourceKey func(bySerial bool) []byte
}

func (o *Origin) sourceKey(bySerial bool) []byte {
	if o.SourceKey == nil {
		return nil
	}
	return o.SourceKey(bySerial)
}

// facts returns the facts of the connection, which are all missing if nobody knows them.
func (o *Origin) facts() *rules.Facts {
	if o.Facts == nil {
		return new(rules.Facts)
	}
	return o.Facts()
}

// Peer is the client's end of a connection.
type Peer interface {
	// Send queues one packet. It reports false if the connection ends, as it does if the
	// peer does not read. It may be called from any goroutine, does not block and does not
	// keep p.
	Send(p []byte) bool
	// Flush writes what is queued; it does not block.
	Flush()
	// Version11 reports whether the connection speaks RADIUS/1.1 (RFC 9765).
	Version11() bool
	// Ended returns why the connection ends. It is called after Send has reported
	// false, and by Closed.
	Ended() metrics.Reason
}

// config returns the client's current configuration for this connection.
func (c *Connection) config() *ClientConfig {
	cfg := c.client.Config()
	if c.origin.DTLS && cfg.OverDTLS != nil {
		return cfg.OverDTLS
	}
	return cfg
}

// parse parses a packet in the connection's version of RADIUS.
func (c *Connection) parse(v *wire.View, p []byte) error {
	if c.v11 {
		return v.Parse11(p)
	}
	return v.Parse(p)
}

// process computes the digests of the queued packets together and forwards, in order,
// those that verify. After one that does not verify, the connection must be closed, and
// those that follow it are not forwarded.
func (c *Connection) process(b *burst) error {
	b.verify.Run()
	c.finishReplies(b)
	b.rules = c.relay.rules.Load()
	for i, req := range b.queue {
		b.queue[i] = nil
		if c.closeErr != nil {
			c.finish(req, outcome{fate: metrics.FateClientGone})
			continue
		}
		if err := b.verify.Result(req.ticket); err != nil {
			c.closeErr = c.unverified(req, err)
			continue
		}
		if end, inFlight := c.forward(b, req); !inFlight {
			c.finish(req, end)
		}
	}
	b.queue = b.queue[:0]
	b.verify.Reset()
	return c.closeErr
}

// Flush sends what the connection has gathered: requests to the servers, and the gateway's
// own answers to the client. After an error the connection must be closed.
func (c *Connection) Flush() error {
	b := c.burst
	if b == nil {
		return c.closeErr
	}
	c.process(b)
	b.batch.Flush()
	if b.answered {
		c.peer.Flush()
	}
	c.releaseBurst()
	return c.closeErr
}

// Closed ends the connection: requests in flight are no longer resent, replies to them are
// dropped, and kept answers are removed (RFC 6613 §2.6.1).
func (c *Connection) Closed() {
	c.Flush()
	c.releaseSource()
	if c.link != nil {
		c.link.Close()
	}
	c.mu.Lock()
	var inFlight []*request
	for kind, h := range c.recent {
		if h != nil {
			inFlight = append(inFlight, h.close(c.relay)...)
			c.recent[kind] = nil
		}
	}
	for _, req := range c.inFlight11 {
		inFlight = append(inFlight, req)
	}
	c.inFlight11 = nil
	c.mu.Unlock()
	c.outstanding.Add(-int64(len(inFlight)))
	fate := c.unansweredFate()
	for _, req := range inFlight {
		req.abandon(fate)
	}
}

// Outstanding returns the number of requests without an answer. It may be called from any
// goroutine.
func (c *Connection) Outstanding() int { return int(c.outstanding.Load()) }
