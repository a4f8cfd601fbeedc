package tlsfront

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"radsec-gw/metrics"
)

// policy is everything that a change of configuration replaces: immutable, and
// swapped as a whole, so nothing is judged by half of each.
type policy struct {
	cfg      Config // defaults applied
	tls      *tls.Config
	before13 *tls.Config // the same for TLS 1.2, where there is no RADIUS/1.1
	judge    *judge
	clients  clientList
}

// Update puts cfg in force for everything from now on: certificates, CA,
// revocation lists, clients, timeouts and limits. Listeners, Open, Changed,
// WriteBuffer, Log and Metrics stay as they are. On an error nothing has changed.
//
// A connection stays open when its certificate and address still belong to the
// client of the same name and the certificate is still good; Changed is called
// when the client is another object. The others are closed (RFC 6614bis §3.3.1).
func (s *Server) Update(cfg Config) error {
	s.updating.Lock()
	defer s.updating.Unlock()
	next, err := s.prepare(cfg)
	if err != nil {
		return err
	}
	s.mu.Lock()
	for _, c := range next.clients {
		c.state.pace.Store(newPace(c.config))
	}
	s.now.Store(next)
	sessions := make([]*Session, 0, len(s.sessions))
	for session := range s.sessions {
		sessions = append(sessions, session)
	}
	s.mu.Unlock()
	s.admission.resize(next.cfg.MaxHandshakes)
	s.cfg.Metrics.TLS().SetCRLs(next.judge.lists.ages())
	for _, session := range sessions {
		s.reassess(next, session)
	}
	return nil
}

// Config returns what is in force, with its defaults applied.
func (s *Server) Config() Config { return s.now.Load().cfg }

// SetClients is Update with nothing but the clients changed.
func (s *Server) SetClients(cs []*Client) error {
	cfg := s.now.Load().cfg
	cfg.Clients = cs
	return s.Update(cfg)
}

// prepare makes a policy, and changes nothing.
func (s *Server) prepare(cfg Config) (*policy, error) {
	cfg.Listeners, cfg.Open, cfg.Changed, cfg.Log, cfg.Metrics = s.cfg.Listeners, s.cfg.Open, s.cfg.Changed, s.cfg.Log, s.cfg.Metrics
	cfg.WriteBuffer = s.cfg.WriteBuffer
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("tlsfront: %w", err)
	}
	var before *judge
	if now := s.now.Load(); now != nil {
		before = now.judge
	}
	p := &policy{cfg: cfg}
	var err error
	if p.judge, err = newJudge(&cfg, before); err != nil {
		return nil, fmt.Errorf("tlsfront: %w", err)
	}
	names := map[string]bool{}
	for _, c := range cfg.Clients {
		if err := c.validate(); err != nil {
			return nil, fmt.Errorf("tlsfront: %w", err)
		}
		if names[c.Name] {
			return nil, fmt.Errorf("tlsfront: two clients have the name %q", c.Name)
		}
		names[c.Name] = true
		p.clients = append(p.clients, &client{config: c, state: s.state(c.Name)})
	}
	p.tls = tlsConfig(p)
	p.negotiate(s.tls)
	return p, nil
}

// assess says to which client a peer belongs by p, and until when its
// certificate is good; or why to none.
func (p *policy) assess(who *peer, cs *tls.ConnectionState, now time.Time) (*client, time.Time, *verdict) {
	until, err := p.judge.connection(cs, now)
	if v, ok := err.(*verdict); ok {
		return nil, until, v
	}
	c := p.clients.find(who)
	if c == nil {
		return nil, until, &verdict{handshake: metrics.HandshakeUnknownClient, reason: metrics.ClosedNotAllowed, leaf: who.leaf,
			text: "no client matches: " + p.clients.explain(who)}
	}
	return c, until, nil
}

// reassess closes a connection that the policy would not let in, and tells the
// handler of one that stays when its client has changed.
func (s *Server) reassess(p *policy, session *Session) {
	cs := session.tls.ConnectionState()
	c, until, v := p.assess(peerOf(session.remote.Addr(), cs), &cs, time.Now())
	switch {
	case v != nil:
		session.end(v.reason, v.text)
		return
	case c.config.Name != session.Client().Name:
		session.end(metrics.ClosedNotAllowed, fmt.Sprintf("the configuration gives this certificate and address to client %s now", c.config.Name))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	session.until = until
	session.setClient(c.config)
}

// setClient gives the connection to another object of the same client. Called
// with Server.mu held.
func (s *Session) setClient(c *Client) {
	if s.client.Swap(c) != c && s.handler != nil && s.server.cfg.Changed != nil {
		s.server.cfg.Changed(s, s.handler)
	}
}

// watch closes connections when their certificates run out (RFC 6614bis §3.3.1),
// and warns when a revocation list is out of date.
func (s *Server) watch(ctx context.Context) {
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
			p := s.now.Load()
			if p != of {
				of, said = p, 0
			}
			if stale := p.judge.lists.stale(now); len(stale) > said {
				said = len(stale)
				s.cfg.Log.Warn("revocation lists are out of date", "issuers", few(stale), "refuse", p.cfg.RefuseStaleCRL)
			}
		}
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
	p := s.now.Load()
	for _, session := range over {
		s.reassess(p, session)
	}
}
