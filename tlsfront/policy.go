package tlsfront

import (
	"crypto/tls"
	"fmt"
	"time"

	"radsec-gw/clientstate"
	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// policy is everything that a change of configuration replaces. It is immutable and
// replaced as a whole, so that no decision uses parts of two configurations.
type policy struct {
	cfg        Config // defaults applied
	tls        *tls.Config
	tls12      *tls.Config // the same for TLS 1.2, without RADIUS/1.1
	verifier   *identity.Verifier
	clients    []*client
	identities identity.Clients // of clients, in the same order; the verifier returns indexes into it
}

// client is a configured client and its state.
type client struct {
	config *Client
	state  *clientstate.State
}

// Change is a configuration that a server can apply.
type Change struct {
	server *Server
	policy *policy
}

// Prepare checks a configuration for the server, which changes nothing yet.
func (s *Server) Prepare(cfg Config) (*Change, error) {
	p, err := s.prepare(cfg)
	if err != nil {
		return nil, err
	}
	return &Change{s, p}, nil
}

// Update calls Prepare and Apply. On an error nothing has changed.
func (s *Server) Update(cfg Config) error {
	c, err := s.Prepare(cfg)
	if err == nil {
		c.Apply()
	}
	return err
}

// Apply replaces the configuration of the server: certificates, CAs, revocation lists,
// clients, timeouts and limits. Listeners, Name, Shared, WriteBuffer, Log and Metrics do not
// change.
//
// A connection stays open if its certificate and address still belong to the client of
// the same name and the certificate is still acceptable. It keeps its Handler, even if
// the client has another Open. All other connections are closed (RFC 6614bis §3.3.1).
func (c *Change) Apply() {
	s, next := c.server, c.policy
	s.updateMu.Lock()
	defer s.updateMu.Unlock()
	for _, c := range next.clients {
		c.state.SetRate(c.config.PacketsPerSecond, c.config.OctetsPerSecond)
	}
	s.mu.Lock()
	s.policy.Store(next)
	sessions := make([]*Session, 0, len(s.sessions))
	for session := range s.sessions {
		sessions = append(sessions, session)
	}
	s.mu.Unlock()
	s.admission.resize(next.cfg.MaxHandshakes)
	s.counts.SetLimit(next.cfg.admissionLimits().connections)
	s.counts.SetCRLs(ages(next.verifier, time.Now()))
	for _, session := range sessions {
		s.reassess(next, session)
	}
}

// Config returns the current configuration, with defaults applied.
func (s *Server) Config() Config { return s.policy.Load().cfg }

// SetClients calls Update with other clients and everything else unchanged.
func (s *Server) SetClients(cs []*Client) error {
	cfg := s.policy.Load().cfg
	cfg.Clients = cs
	return s.Update(cfg)
}

// prepare returns a policy for cfg. It changes nothing.
func (s *Server) prepare(cfg Config) (*policy, error) {
	cfg.Listeners, cfg.Log, cfg.Metrics = s.cfg.Listeners, s.cfg.Log, s.cfg.Metrics
	cfg.Name, cfg.Shared, cfg.WriteBuffer = s.cfg.Name, s.cfg.Shared, s.cfg.WriteBuffer
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("tlsfront: %w", err)
	}
	var before *identity.Verifier
	if now := s.policy.Load(); now != nil {
		before = now.verifier
	}
	p := &policy{cfg: cfg}
	names := map[string]bool{}
	for _, c := range cfg.Clients {
		if names[c.Name] {
			return nil, fmt.Errorf("tlsfront: two clients have the name %q", c.Name)
		}
		names[c.Name] = true
		p.clients = append(p.clients, &client{config: c, state: s.cfg.Shared.Of(c.Name)})
		p.identities = append(p.identities, &c.Client)
	}
	var err error
	if p.verifier, err = identity.NewVerifier(cfg.identity(p.identities), before); err != nil {
		return nil, fmt.Errorf("tlsfront: %w", err)
	}
	p.tls = tlsConfig(p)
	p.negotiate(s.tls)
	return p, nil
}

// identity returns the part of the configuration that package identity needs.
func (c *Config) identity(clients identity.Clients) *identity.Config {
	i := &identity.Config{Auth: c.ClientAuth, ClientCA: c.ClientCA, Clients: clients, Intermediates: c.Intermediates,
		CRLs: c.CRLs, RefuseStaleCRL: c.RefuseStaleCRL}
	for _, own := range c.certificates() {
		if len(own.Certificate.Certificate) > 0 {
			i.Own = append(i.Own, own.Certificate.Certificate[0])
		}
	}
	return i
}

// ages returns what the metrics show of the revocation lists.
func ages(v *identity.Verifier, now time.Time) (list []metrics.CRL) {
	for _, a := range v.ListAges(now) {
		list = append(list, metrics.CRL(a))
	}
	return list
}

// assess returns the client that a peer is according to p, and until when its certificate
// is valid; or a refusal.
func (p *policy) assess(who *identity.Peer, cs *tls.ConnectionState, now time.Time) (*client, time.Time, *refusal) {
	i, until, r := p.verifier.Assess(who, cs.PeerCertificates, now)
	if r != nil {
		return nil, until, refusalOf(r)
	}
	return p.clients[i], until, nil
}

// reassess closes a connection that the policy would not admit.
func (s *Server) reassess(p *policy, session *Session) {
	cs := session.tls.ConnectionState()
	c, until, r := p.assess(identity.NewPeer(session.remote.Addr(), cs.PeerCertificates), &cs, time.Now())
	switch {
	case r != nil:
		session.terminate(r.closeReason, r.text)
		return
	case c.config.Name != session.Client().Name:
		session.terminate(metrics.ClosedNotAllowed, fmt.Sprintf("in the current configuration this certificate and address belong to client %s", c.config.Name))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	session.until = until
	session.client.Store(c.config)
}

// StaleLists returns the revocation lists that are out of date, and whether no client can
// be accepted because of them.
func (s *Server) StaleLists() (list []identity.StaleList, all bool) {
	v, now := s.policy.Load().verifier, time.Now()
	return v.StaleLists(now), v.RefusesAll(now)
}
