package relay

import (
	"time"

	"radsec-gw/dynauth"
	"radsec-gw/metrics"
	"radsec-gw/spool"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// request is a request of a client: its packet as it arrived, and the connection that the
// answer is sent on. It belongs to the read loop of its connection until it is started,
// then to udpback until that calls Deliver or Fail.
type request struct {
	udpback.Exchange

	// set by newRequest, then unchanged
	conn    *Connection
	client  *ClientConfig // as it was when the request arrived
	view    wire.View     // of the client's packet, in a buffer of its own
	arrived time.Duration // on the clock of udpback

	// set by the read loop before the request is started
	changed  wire.View     // the packet after the client's rules, in a buffer of its own; zero: they change nothing
	ticket   wire.Ticket   // of its digests
	decision decision      // of the routing table; see lookup
	route    *Route        // nil: not routed yet
	number   uint64        // for the log and taps; 0: nobody was watching when it arrived
	marker   *Marker       // for the server's copies; nil: they have none
	hash     uint64        // of the client's packet
	nas      *dynauth.NAS  // that it came from; nil: it is not learned
	keepFor  time.Duration // how long its answer is kept for duplicates
	marks    spool.Marks   // what the spool orders its record by; of a route that is spooled
	spool    *spool.Spool  // that knows the request as live; nil: none
	origin   []byte        // what its record keeps of the connection

	// guarded by Connection.mu, and not used before the request is tracked
	live    spool.Live    // used by the spool
	entry   *spooled      // that the spool stores for it; nil: none
	spoolAt time.Duration // when it is handed over to the spool
	started bool          // udpback has it

	fate metrics.Fate // of the answer that Reply has written
	busy bool         // it was abandoned while udpback used it: what udpback may change must not be read
}

// newRequest returns a request with a copy of the client's packet.
func (c *Connection) newRequest(v *wire.View) *request {
	req := c.relay.requests.Get().(*request)
	req.Handler, req.Code, req.Kind = req, v.Code(), v.Kind()
	req.conn, req.client, req.arrived = c, c.config(), c.burst.arrived
	req.Quota = req.client.Quota
	req.view = *v
	req.view.Packet = c.relay.back.Buffers.Copy(v.Packet)
	return req
}

// recycle returns the memory of a request that is no longer used to the pool.
func (r *Relay) recycle(req *request) {
	req.endLive(false)
	r.back.Buffers.Return(req.view.Packet)
	req.view.Packet = nil
	if req.changed.Packet != nil {
		r.back.Buffers.Return(req.changed.Packet)
		req.changed.Packet = nil
	}
	req.conn, req.client, req.route, req.marker, req.nas = nil, nil, nil, nil, nil
	req.decision, req.number, req.Source = decision{}, 0, nil
	req.spool, req.entry, req.origin, req.started, req.busy = nil, nil, nil, false, false
	req.ClearServed()
	r.requests.Put(req)
}

// dynamic reports whether the request is a CoA or a Disconnect (RFC 5176).
func (req *request) dynamic() bool {
	return req.Kind == wire.KindCoA || req.Kind == wire.KindDisconnect
}
