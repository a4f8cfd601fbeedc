package relay

import (
	"time"

	"radsec-gw/metrics"
	"radsec-gw/routing"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// exchange is one request on its way: the client's packet as it came, and where
// the reply goes.
type request struct {
	udpback.Exchange
	conn     *Connection
	client   *ClientConfig // as it was when the request came
	route    *Route
	view     wire.View     // of the client's packet, in a buffer of its own
	decision decision      // of the routing table, once it was asked
	hash     uint64        // of the client's packet
	marker   *Marker       // for the server's copies; nil: they have none
	arrived  time.Duration // on the clock of udpback
	ticket   wire.Ticket
	busy     bool         // given up, but in other hands: what those may change is not looked at
	fate     metrics.Fate // of a reply that is written but not delivered yet
}

// Packet takes one packet of the client into the burst. An error costs the
// client its connection (RFC 6613 §2.6.4); everything else has its fate counted.
//
//  1. It must be a well-formed packet, and a request (RFC 2865 §3).
//  2. It must prove what its kind demands: Request Authenticator and
//     Message-Authenticator (RFC 2866 §3, RFC 5176 §2.3, RFC 3579 §3.2). The
//     digests of a burst are computed together, by process. In RADIUS/1.1 TLS
//     has proved it all (RFC 9765 §4.1).
func (c *Connection) Packet(p []byte) error {
	if c.closeErr != nil {
		return c.closeErr
	}
	b := c.acquireBurst()
	v := &b.view
	if err := c.parse(v, p); err != nil { // 1
		return c.malformed(err)
	}
	if v.Kind() == wire.KindOther {
		c.notRequest(v.Code())
		return nil
	}
	req := c.newRequest(v)
	var err error
	req.ticket, err = b.verify.VerifyRequest(&req.view, req.client.Secret, req.client.Policy[req.Kind]) // 2
	if err != nil {
		return c.unverified(req, err)
	}
	b.queue = append(b.queue, req)
	if b.verify.Full() {
		return c.process(b)
	}
	return nil
}

// parse reads a packet as the connection's version of RADIUS has it.
func (c *Connection) parse(v *wire.View, p []byte) error {
	if c.v11 {
		return v.Parse11(p)
	}
	return v.Parse(p)
}

// relay carries a verified request to a server. It reports whether the request
// is under way; else it has had its answer and its fate.
//
//  3. Status-Server is about this hop and answered here (RFC 5997 §4.2).
//  4. The client must be allowed to send this kind and this realm (RFC 6614 §2.5). A CoA or
//     Disconnect must also be fresh and come from where the user's requests go,
//     if so configured (RFC 5176 §6.1, §6.3).
//  5. What it sent before is not relayed twice (RFC 5080 §2.2.2, RFC 9765 §4.2.2).
//  6. Kind and realm choose the group of servers (RFC 7542 §3, RFC 8559 §3), and for
//     CoA and Disconnect the NAS in it, at the last hop (RFC 5176 §3).
//  7. What was sent to a server before and has come back is not sent again.
//  8. The group reserves a server, a socket and an Identifier there, has the
//     server's copy written (Write below), and puts it into the batch.
func (c *Connection) forward(b *burst, req *request) (underWay bool) {
	rules := b.rules
	req.tap(rules)
	if req.Kind == wire.KindStatus { // 3
		return c.answerStatus(b, req)
	}
	if !req.client.Allowed[req.Kind] { // 4
		return c.decline(b, req, metrics.FateNotAllowed, causeUnsupportedExtension)
	}
	if realm, ok := req.client.Realms.Allows(&req.view); !ok { // 4
		c.relay.wrongRealm(req, realm)
		return c.decline(b, req, metrics.FateRealmNotAllowed, causeNotRoutable)
	}
	if req.dynamic() && !c.authorised(b, req, rules) {
		return false
	}
	if !c.admit(b, req) { // 5
		return false
	}
	found := req.lookup(rules.Table) // 6
	if !found.ok {
		c.relay.noRoute(req, found.realm)
		return c.decline(b, req, metrics.FateNoRoute, causeNotRoutable)
	}
	req.route, req.marker, req.Window = &rules.Routes[found.group], rules.Marker, 0
	to := req.route.Group
	if req.dynamic() {
		req.Window, req.DropStale = rules.Timestamps.Window, rules.Timestamps.DropReplies
		var cause uint32
		if to, cause = req.route.last(&req.view); to == nil {
			c.relay.noNAS(req)
			return c.decline(b, req, metrics.FateNoNAS, cause)
		}
	}
	if server, ok := rules.Marker.looped(&req.view); ok { // 7
		c.relay.looped(req, found.realm, server)
		return c.decline(b, req, metrics.FateLoop, causeNotRoutable)
	}
	req.setAffinity(to)
	c.track(req)
	if err := to.Start(&req.Exchange, b.batch); err != nil { // 8
		return c.startFailed(b, req, err)
	}
	return true
}

// decision is what the routing table says of a request.
type decision struct {
	made  bool // the table was asked
	ok    bool // a route takes the request
	group int
	realm []byte // that decided, inside the packet; empty: none
}

// find asks the routing table, the first time.
func (req *request) lookup(t *routing.Table) *decision {
	if !req.decision.made {
		req.decision.made = true
		req.decision.group, req.decision.realm, req.decision.ok = t.Route(&req.view)
	}
	return &req.decision
}

// Write writes the server's copy of the request: fresh Request Authenticator,
// hidden attributes under the server's secret, Proxy-State withheld, the gateway's
// own added, Message-Authenticator first. The client's packet stays as it came, so that
// moving on to another server starts from it again (RFC 2865 §2.5).
func (req *request) Write(d *wire.Digests, dst []byte, to *udpback.Server, id wire.ServerID) (int, error) {
	var o wire.RequestOptions
	var room [markerSize]byte
	if req.dynamic() {
		o.NAS = to.NAS()
	}
	if req.marker != nil && o.NAS == nil { // nothing comes back from the last hop, and hostapd 2.10 refuses a Proxy-State
		o.ProxyState = req.marker.append(room[:0], &req.view, to.ID())
	}
	n, err := d.WriteRequestWith(dst, &req.view, req.client.Secret, to.Secret(), id, &o)
	if list := d.Omitted(); list != nil && err == nil {
		req.conn.relay.omitted(req, to.Name, req.view.Code(), list)
	}
	return n, err
}

// Reply writes a server's reply, already verified against what was sent, for the
// client: its Identifier and Proxy-State restored, hidden attributes under its
// secret, signed over its Request Authenticator (RFC 2865 §2.3).
func (req *request) Reply(d *wire.Digests, dst []byte, reply *wire.View, sent *[16]byte, from *wire.ServerSecret) int {
	n, err := d.WriteReply(dst, reply, &req.view, sent, from, req.client.Secret)
	if err != nil {
		return req.writeSubstitute(d, dst, err)
	}
	if list := d.Omitted(); list != nil {
		server, _, _ := req.Served()
		req.conn.relay.omitted(req, server, reply.Code(), list)
	}
	req.fate = metrics.FateRelayed
	return n
}

// Deliver keeps the reply for duplicates and hands it to the connection, unless
// the client has given the request up meanwhile (RFC 5080 §2.2.2). The
// connection is flushed with the rest of the batch.
func (req *request) Deliver(packet []byte, touched *udpback.Touched) {
	conn := req.conn
	if conn.finish(req, packet, req.fate) {
		touched.Add(conn.peer)
	}
}

// Fail ends an exchange that got no reply to relay.
func (req *request) Fail(h *wire.Hasher, why udpback.Failure, cause uint32, touched *udpback.Touched) {
	conn := req.conn
	n := 0
	scratch := conn.relay.scratch.Get().(*[wire.MaxLength]byte)
	defer conn.relay.scratch.Put(scratch)
	req.Window = 0 // the same request again may be a new try soon: the NAS has not answered it
	if answer, ok := req.failureAnswer(why, cause); ok {
		// An answer that does not fit cannot be given; the fate is the same.
		n, _ = h.WriteAnswer(scratch[:], &req.view, answer, req.client.Secret)
	}
	if conn.finish(req, scratch[:n], failureFate[why]) {
		touched.Add(conn.peer)
	}
}

// newExchange takes the client's packet into a buffer of its own.
func (c *Connection) newRequest(v *wire.View) *request {
	req := c.relay.requests.Get().(*request)
	req.Handler, req.Code, req.Kind = req, v.Code(), v.Kind()
	req.conn, req.client, req.arrived = c, c.client.Config(), c.burst.arrived
	req.Quota = req.client.Quota
	req.view = *v
	req.view.Packet = c.relay.back.Buffers.Copy(v.Packet)
	return req
}

// recycle takes back an exchange that nobody can refer to any more.
func (r *Relay) recycle(req *request) {
	r.back.Buffers.Return(req.view.Packet)
	req.view.Packet = nil
	req.conn, req.client, req.route, req.marker = nil, nil, nil, nil
	req.decision = decision{}
	req.ClearServed()
	r.requests.Put(req)
}

// dynamic says whether the request is a CoA or a Disconnect (RFC 5176).
func (req *request) dynamic() bool {
	return req.Kind == wire.KindCoA || req.Kind == wire.KindDisconnect
}
