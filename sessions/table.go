package sessions

import (
	"crypto/x509"
	"fmt"
	"sync/atomic"
	"time"

	"radsec-gw/identity"
	"radsec-gw/locks"
	"radsec-gw/metrics"
)

// Session is a session of a transport.
type Session interface {
	// Entry returns the session's entry in the table.
	Entry() *Entry
	// Peer returns who the session is with now, and the certificates of its handshake, or of
	// the original one if it resumed a session.
	Peer() (*identity.Peer, []*x509.Certificate)
	// Terminate ends the session for a reason, which is logged. It does not wait.
	Terminate(r metrics.Reason, text string)
	// StartDraining ends it as soon as nothing is outstanding in either direction. why is logged.
	StartDraining(why string)
}

// Entry is what a table keeps of a session.
type Entry struct {
	state *State // set by Register, then static
	// Info is what the metrics show of the session while it is open; set before Open.
	Info *metrics.Connection
	// Replaces is a session that ends as soon as this one is registered; nil: none. It does not
	// count towards the limit of the client of both.
	Replaces Session

	client atomic.Pointer[Client] // replaced by Apply with one of the same name
	until  time.Time              // until when the certificate is valid; guarded by Table.mu once in the table
}

// Client returns the configured client. After Apply it may be another object with the same
// name.
func (e *Entry) Client() *Client { return e.client.Load() }

// State returns the state of the client.
func (e *Entry) State() *State { return e.state }

// GatewayStops is why sessions end with the gateway, rather than with their listener alone.
const GatewayStops = "the gateway stops"

// Table has the open sessions of a listener.
type Table struct {
	// static after construction
	metrics *metrics.Metrics
	counts  *metrics.Listener

	updateMu locks.Mutex[locks.Updating] // held by Apply
	policy   atomic.Pointer[Policy]      // replaced by Apply

	mu       locks.Mutex[locks.Sessions] // guards what follows
	stopping bool
	draining bool
	why      string // of both
	open     map[Session]struct{}
}

// NewTable returns a table with a policy, whose limits begin to hold with Begin.
func NewTable(m *metrics.Metrics, counts *metrics.Listener, p *Policy) *Table {
	t := &Table{metrics: m, counts: counts, open: map[Session]struct{}{}, why: GatewayStops}
	t.policy.Store(p)
	return t
}

// Policy returns the current policy.
func (t *Table) Policy() *Policy { return t.policy.Load() }

// Begin has the limits of the policy hold from now on, which is that of NewTable unless Apply has
// replaced it already. begun is called at the same moment: no Apply replaces the policy meanwhile.
func (t *Table) Begin(begun func()) {
	t.updateMu.Lock()
	defer t.updateMu.Unlock()
	t.setLimits(t.Policy())
	begun()
}

// setLimits has the limits of a policy hold. Called with updateMu held.
func (t *Table) setLimits(p *Policy) {
	for _, c := range p.clients {
		c.state.SetRate(c.config.PacketsPerSecond, c.config.OctetsPerSecond)
	}
	t.counts.SetCRLs(ages(p.Verifier, time.Now()))
}

// Apply replaces the policy. swap is called at the same moment: no session is registered
// between.
//
// A session stays open if its certificate and address still belong to the client of
// the same name and the certificate is still acceptable. It keeps its Handler, even if
// the client has another Open. All other sessions are closed (RFC 6614bis §3.3.1).
func (t *Table) Apply(p *Policy, swap func()) {
	t.updateMu.Lock()
	defer t.updateMu.Unlock()
	t.setLimits(p)
	t.mu.Lock()
	t.policy.Store(p)
	swap()
	list := make([]Session, 0, len(t.open))
	for s := range t.open {
		list = append(list, s)
	}
	t.mu.Unlock()
	for _, s := range list {
		t.reassess(p, s)
	}
}

// reassess closes a session that the policy would not admit.
func (t *Table) reassess(p *Policy, s Session) {
	who, certs := s.Peer()
	c, until, r := p.assess(who, certs, time.Now())
	e := s.Entry()
	switch {
	case r != nil:
		s.Terminate(r.Reason, r.Text)
		return
	case c.config.Name != e.Client().Name:
		s.Terminate(metrics.ClosedNotAllowed, fmt.Sprintf("in the current configuration this peer is client %s", c.config.Name))
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e.until = until
	e.client.Store(c.config)
}

// Reassess reports whether a session may stay open whose peer has another address now: it is
// still the same client under the current policy. The caller closes it otherwise.
func (t *Table) Reassess(s Session, who *identity.Peer) bool {
	_, certs := s.Peer()
	c, _, r := t.policy.Load().assess(who, certs, time.Now())
	return r == nil && c.config.Name == s.Entry().Client().Name
}

// Register identifies the session's client and adds the session to the table. It returns
// a refusal if its certificate is not acceptable, no client matches, the gateway stops, or
// the client has its maximum of connections. If the policy changes meanwhile it starts
// again, so that either Apply sees the session, or the session the new policy.
func (t *Table) Register(s Session) *Refusal {
	e := s.Entry()
	who, certs := s.Peer()
	for {
		p := t.policy.Load()
		c, until, r := p.assess(who, certs, time.Now())
		if r != nil {
			return r
		}
		e.state, e.until = c.state, until
		e.client.Store(c.config)
		r, again := t.tryRegister(s, p)
		if !again {
			return r
		}
	}
}

// tryRegister adds the session to the table if p is still the current policy.
func (t *Table) tryRegister(s Session, p *Policy) (r *Refusal, again bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := s.Entry()
	c := e.Client()
	switch {
	case t.policy.Load() != p:
		return nil, true
	case t.stopping, t.draining:
		return Refusef(metrics.HandshakeShutdown, "%s", t.why), false
	}
	limit := c.MaxConnections
	if _, open := t.open[e.Replaces]; open && limit > 0 && e.Replaces.Entry().state == e.state {
		limit++
	}
	if n, ok := e.state.Enter(limit); !ok {
		return Refusef(metrics.HandshakeTooMany, "client %s has %d connections, which is its limit (max_connections)", c.Name, n), false
	}
	t.counts.AddConnections(1)
	e.state.Metrics.Connected()
	t.open[s] = struct{}{}
	return nil, false
}

// Unregister removes a session that was registered.
func (t *Table) Unregister(s Session, r metrics.Reason) {
	e := s.Entry()
	t.mu.Lock()
	delete(t.open, s)
	e.state.Leave()
	e.state.Metrics.Disconnected(r)
	t.mu.Unlock()
	t.counts.AddConnections(-1)
	t.metrics.Ended(e.Info)
}

// Drain has every session end as soon as nothing is outstanding, and says why. No more are
// registered.
func (t *Table) Drain(why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.draining, t.why = true, why
	for s := range t.open {
		s.StartDraining(why)
	}
}

// Stop terminates every session, for the reason that Drain was given. No more are registered.
func (t *Table) Stop() {
	t.mu.Lock()
	t.stopping = true
	why := t.why
	list := make([]Session, 0, len(t.open))
	for s := range t.open {
		list = append(list, s)
	}
	t.mu.Unlock()
	for _, s := range list {
		s.Terminate(metrics.ClosedShutdown, why)
	}
}

// ages returns what the metrics show of the revocation lists.
func ages(v *identity.Verifier, now time.Time) (list []metrics.CRL) {
	for _, a := range v.ListAges(now) {
		list = append(list, metrics.CRL(a))
	}
	return list
}
