package tlsfront

import (
	"crypto/tls"
	"fmt"

	"radsec-gw/identity"
	"radsec-gw/sessions"
)

// policy is everything that a change of configuration replaces. It is immutable and
// replaced as a whole, together with that of the sessions, so that no decision uses parts of
// two configurations.
type policy struct {
	*sessions.Policy
	cfg   Config // defaults applied
	tls   *tls.Config
	tls12 *tls.Config // the same for TLS 1.2, without RADIUS/1.1
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
// change. Sessions that the new configuration does not allow are closed: see
// sessions.Table.Apply.
func (c *Change) Apply() {
	s, next := c.server, c.policy
	s.table.Apply(next.Policy, func() { s.policy.Store(next) })
	s.setLimits(next)
}

// setLimits has the limits of a policy hold that are not the table's.
func (s *Server) setLimits(p *policy) {
	s.admission.resize(p.cfg.MaxHandshakes)
	s.counts.SetLimit(p.cfg.admissionLimits().connections)
}

// Config returns the current configuration, with defaults applied.
func (s *Server) Config() Config { return s.policy.Load().cfg }

// SetClients calls Update with other clients and everything else unchanged.
func (s *Server) SetClients(cs []*sessions.Client) error {
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
	var before *sessions.Policy
	if now := s.policy.Load(); now != nil {
		before = now.Policy
	}
	p := &policy{cfg: cfg}
	var err error
	if p.Policy, err = sessions.NewPolicy(cfg.identity(), cfg.Clients, s.cfg.Shared, before); err != nil {
		return nil, fmt.Errorf("tlsfront: %w", err)
	}
	p.tls = tlsConfig(p)
	p.negotiate(s.tls)
	return p, nil
}

// identity returns the part of the configuration that package identity needs.
func (c *Config) identity() identity.Config {
	i := identity.Config{Auth: c.ClientAuth, ClientCA: c.ClientCA, Others: c.Others, Intermediates: c.Intermediates,
		CRLs: c.CRLs, RefuseStaleCRL: c.RefuseStaleCRL, Fetched: c.Fetched}
	for _, own := range c.certificates() {
		if len(own.Certificate.Certificate) > 0 {
			i.Own = append(i.Own, own.Certificate.Certificate[0])
		}
	}
	return i
}

// StaleLists returns the revocation lists that are out of date, and whether no client can
// be accepted because of them.
func (s *Server) StaleLists() (list []identity.StaleList, all bool) { return s.table.StaleLists() }

// AwaitedIssuers returns the names of the CAs whose certificates are refused because their
// revocation lists have not been fetched yet.
func (s *Server) AwaitedIssuers() []string { return s.table.Policy().Verifier.AwaitedIssuers() }
