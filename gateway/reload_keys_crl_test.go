package gateway

import (
	"radsec-gw/crlfetch"
	"radsec-gw/tlsfront"
)

// ofFetching observes which revocation lists are fetched, and how.
func ofFetching(see func(*crlfetch.Settings) any) func(*Gateway) any {
	return func(g *Gateway) any { return see(fetchSettings(g.current.Load().Plan)) }
}

// crlChanges has the keys of revocation lists.
func crlChanges() map[string]keyChange {
	return map[string]keyChange{
		"Listen.CRL":                   {"", `crl = ["ca.crl"]`, inFront(func(c tlsfront.Config) any { return len(c.CRLs) })},
		"Listen.CRLStale":              {"", `crl_stale = "refuse"`, inFront(func(c tlsfront.Config) any { return c.RefuseStaleCRL })},
		"Listen.CRLDirectory":          {"", `crl_directory = "lists"`, ofFetching(func(s *crlfetch.Settings) any { return s.Directory })},
		"Listen.CRLRefresh":            {"", `crl_refresh = "2h"`, ofFetching(func(s *crlfetch.Settings) any { return s.Refresh })},
		"Listen.CRLDistributionPoints": {"", `crl_distribution_points = true`, inFront(func(c tlsfront.Config) any { return c.Fetched.Points != nil })},
	}
}
