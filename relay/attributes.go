package relay

import (
	"errors"

	"radsec-gw/metrics"
	"radsec-gw/rules"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// ServerRules are the attribute rules of a route and of its servers. A request has passed
// those of its client before, because these may change how it is routed. It is immutable.
type ServerRules struct {
	Route AttributeRules // for servers that have none
	// ByServer has, for servers that have rules, those of the route and of the server
	// together, by udpback.Server.ID.
	ByServer map[uint32]AttributeRules
}

// Of returns the rules for the requests to the server with an ID, and for its replies.
func (s *ServerRules) Of(id uint32) AttributeRules {
	if s == nil {
		return AttributeRules{}
	}
	if a, ok := s.ByServer[id]; ok {
		return a
	}
	return s.Route
}

// packet returns the request after its client's rules.
func (req *request) packet() *wire.View {
	if req.changed.Packet != nil {
		return &req.changed
	}
	return &req.view
}

// passage returns the rules that the request passes on its way to a server, those of its
// client alone if server is nil.
func (req *request) passage(server *udpback.Server) Passage {
	p := Passage{Kind: req.Kind, Facts: req.conn.facts, Secret: req.client.Secret, Client: req.client.Attributes}
	if server != nil && req.route != nil {
		p.Server = req.route.Attributes.Of(server.ID())
	}
	return p
}

// applyClientRules changes the request by the rules of its client. The client's packet
// itself stays as it came: duplicates are compared with it, and the answer has its
// Proxy-State.
func (req *request) applyClientRules(b *burst) error {
	c := req.conn
	if c.facts == nil && (b.rules.Facts || req.client.Attributes.any(req.Kind)) {
		c.facts = c.origin.facts()
	}
	if !req.client.Attributes.Request.Applies(req.Kind) {
		return nil
	}
	e := c.relay.acquireEditor()
	defer c.relay.editors.Put(e)
	p := req.passage(nil)
	v, err := p.FromClient(e, b.verify, &req.view)
	if err == nil && v != &req.view {
		req.changed = *v
		req.changed.Packet = c.relay.back.Buffers.Copy(v.Packet)
	}
	return err
}

// writeChanged is WriteRequestWith after the rules of the route and the server.
func (req *request) writeChanged(d *wire.Digests, dst []byte, to udpback.Hop, id wire.ServerID, o *wire.RequestOptions) (int, error) {
	v := req.packet()
	if req.route.Attributes != nil {
		e := req.conn.relay.acquireEditor()
		defer req.conn.relay.editors.Put(e)
		p := req.passage(to.Server)
		var err error
		if v, err = p.ToServer(e, d, v); err != nil {
			return 0, err
		}
	}
	return d.WriteRequestWith(dst, v, req.client.Secret, to.Secret, id, o)
}

// writeChangedReply is WriteReply after the rules for replies.
func (req *request) writeChangedReply(d *wire.Digests, dst []byte, reply *wire.View, sent *[16]byte, from udpback.Hop) (int, error) {
	if req.route.Attributes != nil || req.client.Attributes.any(req.Kind) {
		r := req.conn.relay
		e, other := r.acquireEditor(), r.acquireEditor()
		defer func() { r.editors.Put(e); r.editors.Put(other) }()
		p := req.passage(from.Server)
		var err error
		if reply, err = p.Reply(e, other, d, reply, &req.view, req.packet(), sent, from.Secret); err != nil {
			return 0, err
		}
	}
	return d.WriteReply(dst, reply, &req.view, sent, from.Secret, req.client.Secret)
}

func (r *Relay) acquireEditor() *rules.Editor { return r.editors.Get().(*rules.Editor) }

// refuseByRule answers a request that a rule refuses or cannot change.
func (b *burst) refuseByRule(req *request, err error) outcome {
	fate, cause := metrics.FateRuleFailed, uint32(causeInvalidValue)
	var rejected *rules.RejectError
	switch {
	case errors.As(err, &rejected):
		fate = metrics.FateRuleRejected
	case errors.Is(err, wire.ErrTooLong):
		fate, cause = metrics.FateTooLong, causeOtherProxyError
	}
	req.conn.relay.logRule(req, err)
	return b.decline(req, fate, cause)
}

// isRuleError reports whether a request or reply cannot be sent because of a rule, whatever
// its length.
func isRuleError(err error) bool {
	var rejected *rules.RejectError
	var value *rules.ValueError
	return errors.As(err, &rejected) || errors.As(err, &value)
}
