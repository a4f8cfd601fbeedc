package relay

import (
	"encoding/json"
	"slices"

	"radsec-gw/rules"
	"radsec-gw/spool"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// replay is a record of the spool on its way to a server: a request that no client waits for.
// It is routed, changed and sent as the configuration of now demands.
type replay struct {
	request
	out *spool.Outgoing
}

// Send implements spool.Owner.
//
// Rules: SP5.
func (r *Relay) Send(records []*spool.Outgoing) {
	s := r.spool.Load()
	secret := s.Secret()
	b := r.bursts.Get().(*burst)
	defer r.bursts.Put(b)
	b.batch, b.rules, b.arrived = r.back.AcquireBatch(), r.rules.Load(), r.back.Now()
	for _, o := range records {
		if result, sent := r.replay(b, o, secret); !sent {
			o.Done(result)
		}
	}
	b.batch.Flush()
	r.back.ReleaseBatch(b.batch)
	b.batch, b.rules = nil, nil
}

// replay starts one record. If it cannot be sent, result says why.
func (r *Relay) replay(b *burst, o *spool.Outgoing, secret *wire.ClientSecret) (result spool.Result, sent bool) {
	rep := &replay{out: o}
	if secret == nil || rep.view.Parse(o.Packet) != nil {
		return spool.NotSent, false
	}
	conn := r.replayConnection(o)
	req := &rep.request
	req.Handler, req.Code, req.Kind = rep, rep.view.Code(), rep.view.Kind()
	req.conn, req.client, req.arrived = conn, conn.replayConfig(o.Client, secret), b.arrived
	defer conn.releaseSource() // a request in flight keeps it
	if err := req.applyClientRules(b); err != nil {
		r.logRule(req, err)
		return spool.Ignored, false
	}
	found := req.lookup(b.rules.Table)
	if !found.ok || b.rules.Routes[found.group].refuses() || b.rules.Routes[found.group].AnswersAccounting {
		r.logNoRoute(req, found.realm)
		return spool.NoRoute, false
	}
	to, _ := req.setRoute(b.rules, found.group)
	if conn.setSource(req) != nil {
		return spool.NotSent, false
	}
	req.setAffinity(to)
	if err := to.Start(&req.Exchange, b.batch); err != nil {
		if isShortage(err) {
			return spool.NotSent, false
		}
		r.logRule(req, err)
		return spool.Ignored, false // no server gets it as it is
	}
	return 0, true
}

// replayConnection returns what stands for the connection that a record came on.
func (r *Relay) replayConnection(o *spool.Outgoing) *Connection {
	var origin recordOrigin
	if len(o.Origin) > 0 {
		json.Unmarshal(o.Origin, &origin) // what cannot be read is missing
	}
	if origin.Facts == nil {
		origin.Facts = &rules.Facts{Client: o.Client, Peer: o.Address}
	}
	return &Connection{relay: r, client: (*r.clients.Load())[o.Client], remote: o.Address, facts: origin.Facts, origin: Origin{
		SourceKey: func(bool) []byte { return origin.Key },
	}}
}

// replayConfig returns the configuration of the client, with the spool's secret instead of
// its own, as the record is encrypted. A client that is gone has no rules.
func (c *Connection) replayConfig(name string, secret *wire.ClientSecret) *ClientConfig {
	cfg := ClientConfig{Name: name}
	if c.client != nil {
		cfg = *c.client.Config()
	}
	cfg.Secret, cfg.Quota = secret, nil
	return &cfg
}

// Reply implements udpback.Handler: nobody is to get the reply.
func (r *replay) Reply(*wire.Digests, []byte, *wire.View, *[16]byte, udpback.Hop) int { return 0 }

// Deliver implements udpback.Handler.
func (r *replay) Deliver([]byte, *udpback.Touched) { r.end(spool.Answered) }

// Fail implements udpback.Handler.
func (r *replay) Fail(_ *wire.Hasher, why udpback.Failure, _ uint32, _ *udpback.Touched) {
	switch {
	case why == udpback.FailShutdown:
		r.end(spool.NotSent)
	case why == udpback.FailProtocolError, r.route.Group.UpSince(r.Kind, r.arrived):
		r.end(spool.Ignored)
	default:
		r.end(spool.Silent)
	}
}

func (r *replay) end(result spool.Result) {
	if r.changed.Packet != nil {
		r.conn.relay.back.Buffers.Return(r.changed.Packet)
		r.changed.Packet = nil
	}
	r.out.Done(result)
}

// Reachable implements spool.Owner.
// Several routes may have a name. Records that were imported have none.
func (r *Relay) Reachable(route string) bool {
	return slices.ContainsFunc(r.rules.Load().Routes, func(rt Route) bool {
		return (rt.Name == route || route == "") && rt.Group != nil && rt.Group.Reachable(wire.KindAccounting)
	})
}

var _ spool.Owner = (*Relay)(nil)
