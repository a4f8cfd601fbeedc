package tlsfront

import (
	"context"
	"time"

	"radsec-gw/identity"
)

// runChecks closes connections when their certificates expire (RFC 6614bis §3.3.1), and
// warns when a revocation list is out of date. It returns when ctx is done.
func (s *Server) runChecks(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	var checked *policy // the policy of the last check
	warned := 0         // how many of its lists were warned about
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			s.expire(now)
			p := s.policy.Load()
			if p != checked {
				checked, warned = p, 0
			}
			if stale := p.verifier.StaleLists(now); len(stale) > warned {
				warned = len(stale)
				s.updateListMetrics(p, now)
				s.cfg.Log.Warn("revocation lists are out of date", "issuers", identity.Few(stale), "refuse", p.cfg.RefuseStaleCRL,
					"all_clients", p.verifier.RefusesAll(now))
			}
		}
	}
}

// updateListMetrics updates the metrics of the revocation lists, unless p is no longer the
// current policy: then Update has done it.
func (s *Server) updateListMetrics(p *policy, now time.Time) {
	s.updateMu.Lock()
	defer s.updateMu.Unlock()
	if s.policy.Load() == p {
		s.counts.SetCRLs(ages(p.verifier, now))
	}
}

// expire closes sessions whose certificates have expired.
func (s *Server) expire(now time.Time) {
	s.mu.Lock()
	var expired []*Session
	for session := range s.sessions {
		if !session.until.IsZero() && now.After(session.until) {
			expired = append(expired, session)
		}
	}
	s.mu.Unlock()
	p := s.policy.Load()
	for _, session := range expired {
		s.reassess(p, session)
	}
}
