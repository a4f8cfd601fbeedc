package relay

import (
	"hash/maphash"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"

	"radsec-gw/audit"
	"radsec-gw/dynauth"
	"radsec-gw/metrics"
	"radsec-gw/rules"
	"radsec-gw/spool"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// Relay carries requests from RadSec clients to servers, and their replies back. All
// connections share it.
type Relay struct {
	// static after construction
	back    *udpback.Backend
	log     *slog.Logger
	metrics *metrics.Metrics
	other   *metrics.Route  // of requests that no route matches
	hub     *audit.Hub      // nil: requests are not reported
	dynamic *dynauth.Server // reverse CoA; nil: there is none
	// seed makes the hashes of requests unpredictable, so that no client can construct two
	// requests with the same hash.
	seed maphash.Seed

	rules    atomic.Pointer[Rules]
	spool    atomic.Pointer[spool.Spool]        // nil: there is none
	clients  atomic.Pointer[map[string]*Client] // by name, for what the spool sends
	bursts   sync.Pool                          // *burst
	requests sync.Pool                          // *request
	scratch  sync.Pool                          // *[wire.MaxLength]byte
	editors  sync.Pool                          // *rules.Editor
	kept     atomic.Int64                       // octets of answers kept for duplicates, on all connections
	limits   logLimits
}

// New returns a Relay that forwards by routes and reports the outcome of each request to
// hub, unless that is nil.
func New(back *udpback.Backend, routes *Rules, m *metrics.Metrics, hub *audit.Hub, log *slog.Logger) *Relay {
	r := &Relay{back: back, log: log, metrics: m, other: m.Route(metrics.OtherRoute), hub: hub, seed: maphash.MakeSeed()}
	r.bursts.New = func() any { return &burst{verify: wire.NewDigests()} }
	r.requests.New = func() any { return new(request) }
	r.scratch.New = func() any { return new([wire.MaxLength]byte) }
	r.editors.New = func() any { return rules.NewEditor() }
	r.rules.Store(routes)
	r.SetClients(nil)
	back.SetObserver(observer{r})
	return r
}

// SetRules replaces the rules for all requests that are forwarded from now on.
func (r *Relay) SetRules(rules *Rules) { r.rules.Store(rules) }

// Open returns a new connection of a client from remote, whose answers are sent to peer.
func (r *Relay) Open(client *Client, peer Peer, remote netip.AddrPort, origin Origin) *Connection {
	c := &Connection{relay: r, client: client, peer: peer, remote: remote, origin: origin, local: localOf(peer), v11: peer.Version11()}
	c.openLink()
	return c
}

// Packet adds one packet of the client to the burst. After an error the connection must be
// closed (RFC 6613 §2.6.4).
//
//  1. It must be a well-formed packet, and a request (RFC 2865 §3).
//  2. It must have what its kind requires: a valid Request Authenticator and
//     Message-Authenticator (RFC 2866 §3, RFC 5176 §2.3, RFC 3579 §3.2). The digests of
//     a burst are computed together, by process. In RADIUS/1.1 TLS has authenticated the
//     packet, and there are none (RFC 9765 §4.1).
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
		return c.notRequest(b, v)
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

// forward forwards a verified request to a server. It reports whether the request is in
// flight; if not, end is how it ends.
//
//  3. Status-Server is about this hop, and is answered here (RFC 5997 §4.2).
//  4. The client must be allowed to send this kind and this realm (RFC 6614 §2.5), which its
//     attribute rules may have changed. If so configured, a CoA or Disconnect must also be
//     fresh, and come from a server that the user's requests go to (RFC 5176 §6.1, §6.3).
//  5. A duplicate is not relayed again (RFC 5080 §2.2.2, RFC 9765 §4.2.2).
//  6. Kind and realm determine the group of servers (RFC 7542 §3, RFC 8559 §3), and for
//     CoA and Disconnect the NAS in it, at the last hop (RFC 5176 §3). Accounting may end
//     here, if its route says so (RFC 7593 §5).
//  7. A request that has looped is not sent again.
//  8. The group chooses a server, a socket of the client's source and an Identifier, calls Write for the server's
//     copy, and adds it to the batch. It resends it if necessary (RFC 5080 §2.2.1).
func (c *Connection) forward(b *burst, req *request) (end outcome, inFlight bool) {
	ruleErr := req.applyClientRules(b) // 4
	req.reportArrival(b.rules)
	if req.Kind == wire.KindStatus { // 3
		c.learnNAS(req)
		return b.answerStatus(req), false
	}
	if !req.client.Allowed[req.Kind] { // 4
		return b.decline(req, metrics.FateNotAllowed, causeUnsupportedExtension), false
	}
	if ruleErr != nil { // 4
		return b.refuseByRule(req, ruleErr), false
	}
	if realm, ok := req.client.Realms.Allows(req.packet()); !ok { // 4
		c.relay.logWrongRealm(req, realm)
		return b.decline(req, metrics.FateRealmNotAllowed, causeNotRoutable), false
	}
	if req.dynamic() { // 4
		if end, ok := c.authorize(b, req); !ok {
			return end, false
		}
	}
	if end, ok := c.admit(b, req); !ok { // 5
		return end, false
	}
	c.learnNAS(req)                    // for reverse CoA
	found := req.lookup(b.rules.Table) // 6
	if found.ok && req.Kind == wire.KindAccounting && b.rules.Routes[found.group].AnswersAccounting {
		return c.acknowledge(b, req, found.group), false
	}
	if !found.ok || b.rules.Routes[found.group].refuses() {
		c.relay.logNoRoute(req, found.realm)
		return b.decline(req, metrics.FateNoRoute, causeNotRoutable), false
	}
	to, cause := req.setRoute(b.rules, found.group) // 6
	if to == nil {
		c.relay.logNoNAS(req)
		return b.decline(req, metrics.FateNoNAS, cause), false
	}
	if server, ok := b.rules.Marker.looped(&req.view); ok { // 7
		c.relay.logLoop(req, found.realm, server)
		return b.decline(req, metrics.FateLoop, causeNotRoutable), false
	}
	if req.route.SpoolAfter > 0 && req.Kind == wire.KindAccounting { // 8
		if end, inFlight, handled := c.beginSpooled(b, req, to); handled {
			return end, inFlight
		}
	}
	if err := c.setSource(req); err != nil { // 8
		return b.refuseSource(req, err), false
	}
	req.setAffinity(to)
	req.started = true
	c.track(req)
	if err := to.Start(&req.Exchange, b.batch); err != nil { // 8
		return c.notStarted(b, req, err)
	}
	return outcome{}, true
}

// Write writes the server's copy of the request: with a new Request Authenticator, hidden
// attributes under the server's secret, the gateway's own Proxy-State instead of the
// client's, and Message-Authenticator first. The client's packet is not changed, so that a
// copy for another server can be made from it (RFC 2865 §2.5).
func (req *request) Write(d *wire.Digests, dst []byte, to udpback.Hop, id wire.ServerID) (int, error) {
	var o wire.RequestOptions
	var marker [markerSize]byte
	if req.dynamic() {
		o.NAS = to.Server.NAS()
	}
	if req.marker != nil && o.NAS == nil { // a request cannot return from the last hop, and hostapd 2.10 refuses a Proxy-State
		o.ProxyState = req.marker.append(marker[:0], &req.view, to.Server.ID())
	}
	n, err := req.writeChanged(d, dst, to, id, &o)
	if list := d.Omitted(); list != nil && err == nil {
		req.conn.relay.omitted(req, to.Server.Name, req.view.Code(), list)
	}
	return n, err
}

// Reply writes the client's answer from a server's reply, whose authenticators udpback has
// verified against the copy that was sent.
//
//  9. The client's Identifier and Proxy-State are restored, hidden attributes are
//     encrypted again under its secret, and the answer is signed over its Request
//     Authenticator (RFC 2865 §2.3). The signatures of a batch are computed together, by
//     udpback, which then calls Deliver.
func (req *request) Reply(d *wire.Digests, dst []byte, reply *wire.View, sent *[16]byte, from udpback.Hop) int {
	n, err := req.writeChangedReply(d, dst, reply, sent, from) // 9
	if err != nil {
		return req.writeSubstitute(d, dst, err)
	}
	if list := d.Omitted(); list != nil {
		server, _, _ := req.Served()
		req.conn.relay.omitted(req, server, reply.Code(), list)
	}
	req.fate = metrics.FateRelayed
	req.learnSession(d, reply, from.Server)
	return n
}

// Deliver passes the answer that Reply has written to the connection and keeps it for
// duplicates, unless the request was abandoned meanwhile (RFC 5080 §2.2.2). The connection
// is flushed after the batch.
func (req *request) Deliver(answer []byte, touched *udpback.Touched) {
	req.conn.respond(req, outcome{req.fate, answer}, touched, true)
}

// Fail ends a request for which there is no reply to relay, with an answer of the gateway's
// own or with none.
func (req *request) Fail(h *wire.Hasher, why udpback.Failure, cause uint32, touched *udpback.Touched) {
	if req.spool != nil && (why == udpback.FailSilent || why == udpback.FailUnverified) && req.conn.spoolInstead(req) {
		return
	}
	r := req.conn.relay
	scratch := r.scratch.Get().(*[wire.MaxLength]byte)
	defer r.scratch.Put(scratch)
	n := 0
	if answer, ok := req.failureAnswer(why, cause); ok {
		// On an error the answer is too long: n is 0, and none is sent. The fate is the same.
		n, _ = h.WriteAnswer(scratch[:], &req.view, answer, req.client.Secret)
	}
	req.keepFor = keepAnswers // the same request again may be a new try soon: the NAS has not answered it
	req.conn.respond(req, outcome{failureFate[why], scratch[:n]}, touched, false)
}
