package sessions

import (
	"context"
	"log/slog"
	"time"

	"radsec-gw/identity"
)

// Watch closes sessions when their certificates expire (RFC 6614bis §3.3.1), and warns when a
// revocation list is out of date. refuse says whether its issuer's certificates are refused
// then. It returns when ctx is done.
func (t *Table) Watch(ctx context.Context, log *slog.Logger, refuse func() bool) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var checked *Policy // the policy of the last check
	warned := 0         // how many of its lists were warned about
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			t.expire(now)
			p := t.policy.Load()
			if p != checked {
				checked, warned = p, 0
			}
			if stale := p.Verifier.StaleLists(now); len(stale) > warned {
				warned = len(stale)
				t.updateListMetrics(p, now)
				log.Warn("revocation lists are out of date", "issuers", identity.Few(stale), "refuse", refuse(),
					"all_clients", p.Verifier.RefusesAll(now))
			}
		}
	}
}

// updateListMetrics updates the metrics of the revocation lists, unless p is no longer the
// current policy: then Apply has done it.
func (t *Table) updateListMetrics(p *Policy, now time.Time) {
	t.updateMu.Lock()
	defer t.updateMu.Unlock()
	if t.policy.Load() == p {
		t.counts.SetCRLs(ages(p.Verifier, now))
	}
}

// expire closes sessions whose certificates have expired.
func (t *Table) expire(now time.Time) {
	t.mu.Lock()
	var expired []Session
	for s := range t.open {
		if until := s.Entry().until; !until.IsZero() && now.After(until) {
			expired = append(expired, s)
		}
	}
	t.mu.Unlock()
	p := t.policy.Load()
	for _, s := range expired {
		t.reassess(p, s)
	}
}

// StaleLists returns the revocation lists that are out of date, and whether no client can
// be accepted because of them.
func (t *Table) StaleLists() (list []identity.StaleList, all bool) {
	v, now := t.policy.Load().Verifier, time.Now()
	return v.StaleLists(now), v.RefusesAll(now)
}
