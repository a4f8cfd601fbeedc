package relay

import (
	"net/netip"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/dynauth"
	"radsec-gw/metrics"
	"radsec-gw/rules"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// This file is where reverse CoA touches the path of requests: a connection is a way to its
// NASes, which package dynauth learns from the requests that pass here, and what the client
// answers on it is handed to dynauth.

// UseDynAuth has the relay tell a Server what connections carry. It must be called before
// Open.
func (r *Relay) UseDynAuth(s *dynauth.Server) { r.dynamic = s }

// openLink makes the connection known to dynauth.
func (c *Connection) openLink() {
	if c.relay.dynamic == nil {
		return
	}
	device := c.remote.Addr().String() + string(c.origin.sourceKey(true))
	c.link = c.relay.dynamic.Open(c.client.reverse, dynauth.LinkConfig{Peer: c.peer, Remote: c.remote, Local: c.local, V11: c.v11, DTLS: c.origin.DTLS,
		Device: device, Source: func() netip.Addr { return c.sourceAddress(c.client.Config()) }, Facts: func() *rules.Facts { return c.origin.facts() }})
}

// sourceAddress returns the address that servers know the connection by; the zero Addr if it
// has none of its own.
func (c *Connection) sourceAddress(cfg *ClientConfig) netip.Addr {
	s := cfg.Source
	if s == nil {
		return netip.Addr{}
	}
	var holder []byte
	if s.Pool.IsValid() {
		holder = c.origin.sourceKey(s.BySerial)
	}
	return s.address(holder)
}

// Awaited returns the number of requests that were sent to the client and wait for its
// answer. It may be called from any goroutine.
func (c *Connection) Awaited() int {
	if c.link == nil {
		return 0
	}
	return c.link.Outstanding()
}

// Keep reports whether the connection must stay open although it is idle, because requests
// may be sent down it.
func (c *Connection) Keep() bool { return c.link != nil && c.link.Keep() }

// reply handles a packet that may answer a request which was sent down the connection; if it
// does not, ours is false.
func (c *Connection) reply(b *burst, v *wire.View) (ours bool, err error) {
	if !c.link.Expects(v) {
		return false, nil
	}
	if b.replies == nil {
		b.replies = c.link.AcquireReplies()
	}
	ours, err = b.replies.Add(b.verify, v)
	switch {
	case err != nil:
		c.recordOther(metrics.FateBadMessageAuthenticator)
	case ours && (b.replies.Full() || b.verify.Full()):
		err = c.process(b)
	}
	return ours, err
}

// finishReplies passes on the replies whose digests are computed. After one that does not
// verify the connection must be closed (RFC 6614bis §3.12).
func (c *Connection) finishReplies(b *burst) {
	if b.replies == nil {
		return
	}
	for _, o := range b.replies.Finish(b.verify) {
		c.recordOther(o.Fate)
		if c.closeErr == nil {
			c.closeErr = o.Err
		}
	}
}

// learnNAS learns the NAS that a verified request comes from: also from a Status-Server that
// names it (RFC 5997 §3), as one does that has just connected again.
func (c *Connection) learnNAS(req *request) {
	if c.link == nil {
		return
	}
	switch v := &req.view; {
	case req.Kind == wire.KindAccess, req.Kind == wire.KindAccounting,
		req.Kind == wire.KindStatus && (v.NASIdentifier() != nil || v.NASIPAddress() != nil):
		req.nas = c.link.Arrived(v, req.arrived)
	}
}

// learnSession learns the session of a request from the reply of its server. Servers know
// sessions as the rules have left them, so those names are learned, too.
func (req *request) learnSession(d *wire.Digests, reply *wire.View, server *udpback.Server) {
	code := reply.Code()
	if req.nas == nil || code != radius.CodeAccessAccept && code != radius.CodeAccountingResponse {
		return
	}
	granted := dynauth.Granted{Class: reply.Get(byte(rfc2865.Class_Type)), UserName: reply.UserName()}
	req.learn(&req.view, code, granted, false)
	v := req.packet()
	if v != &req.view {
		req.learn(v, code, granted, true)
	}
	if req.route.Attributes == nil {
		return
	}
	e := req.conn.relay.acquireEditor()
	defer req.conn.relay.editors.Put(e)
	p := req.passage(server)
	if changed, err := p.ToServer(e, d, v); err == nil && changed != v {
		req.learn(changed, code, granted, true)
	}
}

// learn learns from a copy of the request. renamed says that it is not as the client sent it.
func (req *request) learn(v *wire.View, code wire.Code, granted dynauth.Granted, renamed bool) {
	now := req.conn.relay.back.Now()
	if renamed {
		req.conn.link.Renamed(req.nas, v, now)
	}
	req.conn.link.Answered(req.nas, v, code, granted, now)
}

// learnAcknowledged is learnSession for accounting that the gateway itself has answered.
func (req *request) learnAcknowledged() {
	if req.nas == nil {
		return
	}
	req.learn(&req.view, radius.CodeAccountingResponse, dynauth.Granted{}, false)
	if v := req.packet(); v != &req.view {
		req.learn(v, radius.CodeAccountingResponse, dynauth.Granted{}, true)
	}
}
