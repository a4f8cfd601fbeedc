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
type exchange struct {
	udpback.Exchange
	link      *Link
	client    *ClientConfig // as it was when the request came
	route     *Route
	view      wire.View     // of the client's packet, in a buffer of its own
	decision  decision      // of the routing table, once it was asked
	hash      uint64        // of the client's packet
	marker    *Marker       // for the server's copies; nil: they have none
	came      time.Duration // on the clock of udpback
	ticket    wire.Ticket
	elsewhere bool         // given up, but in other hands: what those may change is not looked at
	fate      metrics.Fate // of a reply that is written but not delivered yet
}

// Packet takes one packet of the client into the burst. An error costs the
// client its connection (RFC 6613 §2.6.4); everything else has its fate counted.
//
//  1. It must be a well-formed packet, and a request (RFC 2865 §3).
//  2. It must prove what its kind demands: Request Authenticator and
//     Message-Authenticator (RFC 2866 §3, RFC 5176 §2.3, RFC 3579 §3.2). The
//     digests of a burst are computed together, by process. In RADIUS/1.1 TLS
//     has proved it all (RFC 9765 §4.1).
func (l *Link) Packet(p []byte) error {
	if l.refused != nil {
		return l.refused
	}
	b := l.work()
	v := &b.view
	if err := l.parse(v, p); err != nil { // 1
		return l.malformed(err)
	}
	if v.Kind() == wire.KindOther {
		l.notRequest(v.Code())
		return nil
	}
	x := l.newExchange(v)
	var err error
	x.ticket, err = b.verify.VerifyRequest(&x.view, x.client.Secret, x.client.Policy[x.Kind]) // 2
	if err != nil {
		return l.unverified(x, err)
	}
	b.queue = append(b.queue, x)
	if b.verify.Full() {
		return l.process(b)
	}
	return nil
}

// parse reads a packet as the connection's version of RADIUS has it.
func (l *Link) parse(v *wire.View, p []byte) error {
	if l.v11 {
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
func (l *Link) relay(b *burst, x *exchange) (underWay bool) {
	rules := b.rules
	x.arrived(rules)
	if x.Kind == wire.KindStatus { // 3
		return l.answerStatus(b, x)
	}
	if !x.client.Allowed[x.Kind] { // 4
		return l.decline(b, x, metrics.FateNotAllowed, causeUnsupportedExtension)
	}
	if realm, ok := x.client.Realms.Allows(&x.view); !ok { // 4
		l.gateway.wrongRealm(x, realm)
		return l.decline(b, x, metrics.FateRealmNotAllowed, causeNotRoutable)
	}
	if x.dynamic() && !l.authorised(b, x, rules) {
		return false
	}
	if !l.admit(b, x) { // 5
		return false
	}
	found := x.find(rules.Table) // 6
	if !found.ok {
		l.gateway.noRoute(x, found.realm)
		return l.decline(b, x, metrics.FateNoRoute, causeNotRoutable)
	}
	x.route, x.marker, x.Window = &rules.Routes[found.group], rules.Marker, 0
	to := x.route.Group
	if x.dynamic() {
		x.Window, x.DropStale = rules.Timestamps.Window, rules.Timestamps.DropReplies
		var cause uint32
		if to, cause = x.route.last(&x.view); to == nil {
			l.gateway.noNAS(x)
			return l.decline(b, x, metrics.FateNoNAS, cause)
		}
	}
	if server, ok := rules.Marker.looped(&x.view); ok { // 7
		l.gateway.looped(x, found.realm, server)
		return l.decline(b, x, metrics.FateLoop, causeNotRoutable)
	}
	x.distinguish(to)
	l.inFlight(x)
	if err := to.Start(&x.Exchange, b.batch); err != nil { // 8
		return l.notStarted(b, x, err)
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
func (x *exchange) find(t *routing.Table) *decision {
	if !x.decision.made {
		x.decision.made = true
		x.decision.group, x.decision.realm, x.decision.ok = t.Route(&x.view)
	}
	return &x.decision
}

// Write writes the server's copy of the request: fresh Request Authenticator,
// hidden attributes under the server's secret, Proxy-State withheld, the gateway's
// own added, Message-Authenticator first. The client's packet stays as it came, so that
// moving on to another server starts from it again (RFC 2865 §2.5).
func (x *exchange) Write(d *wire.Digests, dst []byte, to *udpback.Server, id wire.ServerID) (int, error) {
	var o wire.RequestOptions
	var room [markerSize]byte
	if x.dynamic() {
		o.NAS = to.NAS()
	}
	if x.marker != nil && o.NAS == nil { // nothing comes back from the last hop, and hostapd 2.10 refuses a Proxy-State
		o.ProxyState = x.marker.append(room[:0], &x.view, to.ID())
	}
	n, err := d.WriteRequestWith(dst, &x.view, x.client.Secret, to.Secret(), id, &o)
	if list := d.Omitted(); list != nil && err == nil {
		x.link.gateway.omitted(x, to.Name, x.view.Code(), list)
	}
	return n, err
}

// Reply writes a server's reply, already verified against what was sent, for the
// client: its Identifier and Proxy-State restored, hidden attributes under its
// secret, signed over its Request Authenticator (RFC 2865 §2.3).
func (x *exchange) Reply(d *wire.Digests, dst []byte, reply *wire.View, sent *[16]byte, from *wire.ServerSecret) int {
	n, err := d.WriteReply(dst, reply, &x.view, sent, from, x.client.Secret)
	if err != nil {
		return x.unwritable(d, dst, err)
	}
	if list := d.Omitted(); list != nil {
		server, _, _ := x.Served()
		x.link.gateway.omitted(x, server, reply.Code(), list)
	}
	x.fate = metrics.FateRelayed
	return n
}

// Deliver keeps the reply for duplicates and hands it to the connection, unless
// the client has given the request up meanwhile (RFC 5080 §2.2.2). The
// connection is flushed with the rest of the batch.
func (x *exchange) Deliver(packet []byte, touched *udpback.Touched) {
	l := x.link
	if l.finish(x, packet, x.fate) {
		touched.Add(l.peer)
	}
}

// Fail ends an exchange that got no reply to relay.
func (x *exchange) Fail(h *wire.Hasher, why udpback.Failure, cause uint32, touched *udpback.Touched) {
	l := x.link
	n := 0
	scratch := l.gateway.scratch.Get().(*[wire.MaxLength]byte)
	defer l.gateway.scratch.Put(scratch)
	x.Window = 0 // the same request again may be a new try soon: the NAS has not answered it
	if answer, ok := x.failureAnswer(why, cause); ok {
		// An answer that does not fit cannot be given; the fate is the same.
		n, _ = h.WriteAnswer(scratch[:], &x.view, answer, x.client.Secret)
	}
	if l.finish(x, scratch[:n], failureFate[why]) {
		touched.Add(l.peer)
	}
}

// newExchange takes the client's packet into a buffer of its own.
func (l *Link) newExchange(v *wire.View) *exchange {
	x := l.gateway.exchanges.Get().(*exchange)
	x.Handler, x.Code, x.Kind = x, v.Code(), v.Kind()
	x.link, x.client, x.came = l, l.client.Config(), l.burst.came
	x.Quota = x.client.Quota
	x.view = *v
	x.view.Packet = l.gateway.back.Buffers.Copy(v.Packet)
	return x
}

// recycle takes back an exchange that nobody can refer to any more.
func (g *Gateway) recycle(x *exchange) {
	g.back.Buffers.Return(x.view.Packet)
	x.view.Packet = nil
	x.link, x.client, x.route, x.marker = nil, nil, nil, nil
	x.decision = decision{}
	x.ClearServed()
	g.exchanges.Put(x)
}

// dynamic says whether the request is a CoA or a Disconnect (RFC 5176).
func (x *exchange) dynamic() bool { return x.Kind == wire.KindCoA || x.Kind == wire.KindDisconnect }
