package gateway

import (
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/crlfetch"
	"radsec-gw/identity"
	"radsec-gw/logs"
	"radsec-gw/web/status"
)

// fetched is what is known of the revocation lists that are fetched by URL. The zero value: none
// has been looked for, as in check, which does not fetch.
type fetched struct {
	lists int  // how many, the last ones of material.crls
	known bool // they have been looked for
}

// newFetcher returns what fetches revocation lists.
func (g *Gateway) newFetcher(o *Options) *crlfetch.Fetcher {
	return crlfetch.New(crlfetch.Config{Reader: g.reader, Log: g.log, Metrics: g.metrics.CRLFetches(), Version: o.Version, Dial: o.DialCRL})
}

// fetchSettings returns which lists are fetched for a plan.
func fetchSettings(p *Plan) *crlfetch.Settings {
	l := &p.Config.Listen
	return &crlfetch.Settings{Sets: []crlfetch.Set{fetchSet(p)}, Refresh: l.CRLRefresh, Directory: l.CRLDirectory}
}

// fetchSet returns which lists are fetched for all fronts: a list counts wherever its issuer's
// certificates do.
func fetchSet(p *Plan) crlfetch.Set {
	urls, points := p.Config.FetchedLists()
	return crlfetch.Set{URLs: urls, Issuers: p.files.issuers(), Points: points}
}

// addLists adds the URLs of a plan to those that are fetched, and returns the plan with the
// lists that are there already. commit must be called with whether the plan is in use, or why
// not. Called with turn held, or before the gateway serves.
func (g *Gateway) addLists(p *Plan) (with *Plan, commit func(error) error) {
	next := fetchSettings(p)
	g.lists.Prepare(g.reloadCtx, next)
	return g.withLists(p), func(err error) error {
		if current := g.current.Load(); err != nil && current != nil {
			next = fetchSettings(current.Plan)
		}
		g.lists.Commit(next)
		return err
	}
}

// withLists returns the plan with the fetched lists of now.
func (g *Gateway) withLists(p *Plan) *Plan {
	set := fetchSet(p)
	lists, _ := g.lists.Lists(&set)
	m := p.files.withLists(lists)
	for _, f := range m.fronts {
		of := crlfetch.Set{URLs: f.Listen.CRLURLs(), Issuers: set.Issuers}
		_, f.awaited = g.lists.Lists(&of)
	}
	return p.withMaterial(m)
}

// withLists returns the material with other fetched lists.
func (m *material) withLists(lists []*x509.RevocationList) *material {
	next := *m
	next.crls = slices.Concat(m.crls[:len(m.crls)-m.fetched.lists], lists)
	next.fetched = fetched{len(lists), true}
	next.fronts = nil
	for _, f := range m.fronts {
		one := *f
		one.crls = nil
		next.fronts = append(next.fronts, &one)
	}
	next.distributeLists()
	return &next
}

// listsOutstanding reports whether lists may yet arrive for issuers of the front that have none.
func (f *frontMaterial) listsOutstanding(of *fetched) bool {
	return f.Listen.CRLDistributionPoints || len(f.Listen.CRLURLs()) > 0 && (!of.known || f.awaited)
}

// fetchedFor returns what a front needs to know of fetched lists.
func (g *Gateway) fetchedFor(f *frontMaterial) identity.Fetched {
	out := identity.Fetched{Awaited: f.awaited}
	if f.Listen.CRLDistributionPoints {
		out.Points = g.lists.Offer
	}
	return out
}

// byFetch causes what is not recorded as a reload: that a list was fetched.
const byFetch = "fetch"

// fetchRetry is the pause before fetched lists that could not be put in use are tried again.
const fetchRetry = 10 * time.Second

// watchLists puts lists in use when they have been fetched.
func (g *Gateway) watchLists() {
	var retry <-chan time.Time
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-g.lists.Changed():
		case <-retry:
		}
		retry = nil
		if err := g.useLists(); err != nil && !errors.Is(err, errStopping) {
			g.log.Error("a fetched revocation list is not in use", "err", err, "again_in", fetchRetry)
			retry = time.After(fetchRetry)
		}
	}
}

// useLists puts the fetched lists of now in use, with the current configuration and files. As
// with a changed file, connected clients that are revoked are closed.
func (g *Gateway) useLists() error {
	if err := g.acquireTurn(); err != nil {
		return err
	}
	defer g.releaseTurn()
	g.reloadBy = byFetch
	return g.replaceParts(g.withLists(g.current.Load().Plan))
}

// replace puts a plan in use, with the revocation lists that are there. Called with turn held.
func (g *Gateway) replace(p *Plan) error {
	p, commit := g.addLists(p)
	return commit(g.replaceParts(p))
}

// refusesWithout reports whether a front refuses certificates until a URL has delivered its list.
func (m *material) refusesWithout(url string) bool {
	return slices.ContainsFunc(m.fronts, func(f *frontMaterial) bool {
		return f.Listen.CRLStale == config.CRLStaleRefuse && slices.Contains(f.Listen.CRL, url)
	})
}

// awaitedIssuers returns the names of the CAs whose certificates are refused somewhere because
// their revocation lists have not been fetched yet.
func (g *Gateway) awaitedIssuers() (names []string) {
	for _, f := range g.current.Load().fronts {
		for _, name := range f.server.AwaitedIssuers() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// fetchList returns what is known of each URL that lists are fetched from.
func (g *Gateway) fetchList(current *generation) []status.RevocationURL {
	list := []status.RevocationURL{}
	for _, f := range g.lists.Sources() {
		u := status.RevocationURL{URL: logs.Clip(f.URL), From: "configuration", State: "ok", SucceededAt: timeOrNil(f.Succeeded), TriedAt: timeOrNil(f.Tried), FailingAt: timeOrNil(f.Failing),
			Lists: len(f.Lists), Bytes: f.Bytes, Refused: f.Awaited && current.files.refusesWithout(f.URL)}
		if f.Point {
			u.From = "certificate"
		}
		switch {
		case f.Err != "":
			u.State, u.Why = "failing", f.Err+"; "+f.Advice
		case f.Tried.IsZero():
			u.State = "waiting"
		}
		for _, l := range f.Lists {
			u.Revoked += len(l.RevokedCertificateEntries)
			if !l.NextUpdate.IsZero() && (u.NextUpdate == nil || l.NextUpdate.Before(*u.NextUpdate)) {
				u.NextUpdate = timeOrNil(l.NextUpdate)
			}
		}
		list = append(list, u)
	}
	return list
}
