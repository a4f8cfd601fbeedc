package relay

import (
	"time"

	"radsec-gw/metrics"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// request is one request on its way: the client's packet as it arrived, and where
// the reply goes. It belongs to the read loop of its connection until it is started,
// then to udpback until one of Deliver and Fail is called.
type request struct {
	udpback.Exchange

	// set by newRequest, then left alone
	conn    *Connection
	client  *ClientConfig // as it was when the request arrived
	view    wire.View     // of the client's packet, in a buffer of its own
	arrived time.Duration // on the clock of udpback

	// set by the read loop before the request is started
	ticket   wire.Ticket   // of its digests
	decision decision      // of the routing table, once it was asked
	route    *Route        // nil: not routed yet
	marker   *Marker       // for the server's copies; nil: they have none
	hash     uint64        // of the client's packet
	keepFor  time.Duration // how long its answer is kept for duplicates

	fate metrics.Fate // of the answer that Reply has written
	busy bool         // it was abandoned while udpback had it: what udpback may change is not read
}

// newRequest makes a request of the client's packet, which it copies.
func (c *Connection) newRequest(v *wire.View) *request {
	req := c.relay.requests.Get().(*request)
	req.Handler, req.Code, req.Kind = req, v.Code(), v.Kind()
	req.conn, req.client, req.arrived = c, c.client.Config(), c.burst.arrived
	req.Quota = req.client.Quota
	req.view = *v
	req.view.Packet = c.relay.back.Buffers.Copy(v.Packet)
	return req
}

// recycle keeps the memory of a request that nobody refers to any more for another.
func (r *Relay) recycle(req *request) {
	r.back.Buffers.Return(req.view.Packet)
	req.view.Packet = nil
	req.conn, req.client, req.route, req.marker = nil, nil, nil, nil
	req.decision = decision{}
	req.ClearServed()
	r.requests.Put(req)
}

// dynamic reports whether the request is a CoA or a Disconnect (RFC 5176).
func (req *request) dynamic() bool {
	return req.Kind == wire.KindCoA || req.Kind == wire.KindDisconnect
}
