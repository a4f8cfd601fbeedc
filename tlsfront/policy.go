package tlsfront

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// policy is everything that a change of configuration replaces: immutable, and
// swapped as a whole, so nothing is decided by half of each.
type policy struct {
	cfg        Config // defaults applied
	tls        *tls.Config
	tls12      *tls.Config // the same for TLS 1.2, where there is no RADIUS/1.1
	verifier   *identity.Verifier
	clients    []*client
	identities identity.Clients // of clients, in their order; the verifier knows them by that
}

// Update puts cfg in force for everything from now on: certificates, CA,
// revocation lists, clients, timeouts and limits. Listeners,
// WriteBuffer, Log and Metrics stay as they are. On an error nothing has changed.
//
// A connection stays open when its certificate and address still belong to the
// client of the same name and the certificate is still good; its Handler stays, too,
// whatever the client's Open is now. The others are closed (RFC 6614bis §3.3.1).
func (s *Server) Update(cfg Config) error {
	s.updateMu.Lock()
	defer s.updateMu.Unlock()
	next, err := s.prepare(cfg)
	if err != nil {
		return err
	}
	s.mu.Lock()
	for _, c := range next.clients {
		c.state.limiter.Store(newRateLimiter(c.config))
	}
	s.policy.Store(next)
	sessions := make([]*Session, 0, len(s.sessions))
	for session := range s.sessions {
		sessions = append(sessions, session)
	}
	s.mu.Unlock()
	s.admission.resize(next.cfg.MaxHandshakes)
	s.cfg.Metrics.TLS().SetCRLs(ages(next.verifier, time.Now()))
	for _, session := range sessions {
		s.reassess(next, session)
	}
	return nil
}

// Config returns what is in force, with its defaults applied.
func (s *Server) Config() Config { return s.policy.Load().cfg }

// SetClients is Update with nothing but the clients changed.
func (s *Server) SetClients(cs []*Client) error {
	cfg := s.policy.Load().cfg
	cfg.Clients = cs
	return s.Update(cfg)
}

// prepare makes a policy, and changes nothing.
func (s *Server) prepare(cfg Config) (*policy, error) {
	cfg.Listeners, cfg.Log, cfg.Metrics = s.cfg.Listeners, s.cfg.Log, s.cfg.Metrics
	cfg.WriteBuffer = s.cfg.WriteBuffer
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
		p.clients = append(p.clients, &client{config: c, state: s.clientState(c.Name)})
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

// identity is the part of the configuration that says which certificates are good.
func (c *Config) identity(clients identity.Clients) *identity.Config {
	i := &identity.Config{Auth: c.ClientAuth, ClientCA: c.ClientCA, Clients: clients, Intermediates: c.Intermediates,
		CRLs: c.CRLs, RefuseStaleCRL: c.RefuseStaleCRL}
	if len(c.Certificate.Certificate) > 0 {
		i.Own = c.Certificate.Certificate[0]
	}
	return i
}

// ages is what the metrics show of the revocation lists.
func ages(v *identity.Verifier, now time.Time) (list []metrics.CRL) {
	for _, a := range v.ListAges(now) {
		list = append(list, metrics.CRL(a))
	}
	return list
}

// assess says to which client a peer belongs by p, and until when its
// certificate is good; or why to none.
func (p *policy) assess(who *identity.Peer, cs *tls.ConnectionState, now time.Time) (*client, time.Time, *refusal) {
	i, until, r := p.verifier.Assess(who, cs.PeerCertificates, now)
	if r != nil {
		return nil, until, refusalOf(r)
	}
	return p.clients[i], until, nil
}

// reassess closes a connection that the policy would not let in.
func (s *Server) reassess(p *policy, session *Session) {
	cs := session.tls.ConnectionState()
	c, until, r := p.assess(identity.NewPeer(session.remote.Addr(), cs.PeerCertificates), &cs, time.Now())
	switch {
	case r != nil:
		session.terminate(r.closeReason, r.text)
		return
	case c.config.Name != session.Client().Name:
		session.terminate(metrics.ClosedNotAllowed, fmt.Sprintf("the configuration gives this certificate and address to client %s now", c.config.Name))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	session.until = until
	session.client.Store(c.config)
}

// StaleLists returns the revocation lists that are out of date, and whether they leave
// no client that could be accepted.
func (s *Server) StaleLists() (list []identity.StaleList, all bool) {
	v, now := s.policy.Load().verifier, time.Now()
	return v.StaleLists(now), v.RefusesAll(now)
}

// runChecks closes connections when their certificates expire (RFC 6614bis §3.3.1),
// and warns when a revocation list is out of date.
func (s *Server) runChecks(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	var of *policy // that stale was last looked at for
	said := 0      // lists of it that were warned about
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			s.expire(now)
			p := s.policy.Load()
			if p != of {
				of, said = p, 0
			}
			if stale := p.verifier.StaleLists(now); len(stale) > said {
				said = len(stale)
				s.updateListMetrics(p, now)
				s.cfg.Log.Warn("revocation lists are out of date", "issuers", identity.Few(stale), "refuse", p.cfg.RefuseStaleCRL,
					"all_clients", p.verifier.RefusesAll(now))
			}
		}
	}
}

// updateListMetrics renews the metrics of the revocation lists, unless another policy has come,
// whose lists Update shows.
func (s *Server) updateListMetrics(p *policy, now time.Time) {
	s.updateMu.Lock()
	defer s.updateMu.Unlock()
	if s.policy.Load() == p {
		s.cfg.Metrics.TLS().SetCRLs(ages(p.verifier, now))
	}
}

func (s *Server) expire(now time.Time) {
	s.mu.Lock()
	var over []*Session
	for session := range s.sessions {
		if !session.until.IsZero() && now.After(session.until) {
			over = append(over, session)
		}
	}
	s.mu.Unlock()
	p := s.policy.Load()
	for _, session := range over {
		s.reassess(p, session)
	}
}
