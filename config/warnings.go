package config

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Warnings lists what is allowed but is likely a mistake, in file order, in the form of a
// Mistake.
func (c *Config) Warnings() []string {
	all := slices.Clone(c.secretWarnings)
	warn := func(path, format string, args ...any) {
		all = append(all, c.MistakeAt(path, fmt.Sprintf(format, args...)))
	}
	c.warnListen(warn)
	c.warnClients(warn)
	c.warnSources(warn)
	c.warnPSKs(warn)
	c.warnServers(warn)
	c.warnRoutes(warn)
	c.warnSpool(warn)
	c.warnRules(warn)
	c.warnDynamic(warn)
	c.warnMetrics(warn)
	c.warnLog(warn)
	all.Sort()
	var list []string
	for _, m := range all {
		list = append(list, m.String())
	}
	return list
}

type warner func(path, format string, args ...any)

// shortestIdle is the shortest idle_timeout that works well with common clients. Their
// watchdog sends a Status-Server every 30 s or so (RFC 3539 §3.4.1), which is no traffic;
// some notice the end of a connection only when they send the next request, and some try to
// connect again only at their next watchdog.
const shortestIdle = time.Minute

// warnListen warns about [listen], and about each [[listener]] where it gives what is warned
// of.
func (c *Config) warnListen(warn warner) {
	if l := &c.Listen; l.KeyLogFile != "" {
		warn("listen.key_log_file", "the secrets of all TLS connections are written to %s: whoever reads it can decrypt them; remove the key when the fault is found", l.KeyLogFile)
	}
	urls, points := c.FetchedLists()
	if len(urls) == 0 && !points && c.Listen.CRLDirectory != "" {
		warn("listen.crl_directory", "has no effect: crl has no URL, and crl_distribution_points is false")
	}
	for _, f := range c.Fronts() {
		own := func(key, format string, args ...any) {
			if path := f.Key(key); f.table == "listen" || path != joinKey("listen", key) {
				warn(path, format, args...)
			}
		}
		l := f.Listen
		if l.ClientAuth != AuthRequire {
			own("client_auth", "%q lets clients in without a certificate (RFC 6614 §2.3 requires one)", l.ClientAuth)
		}
		if (len(l.CRLURLs()) > 0 || l.CRLDistributionPoints) && l.CRLStale == CRLStaleRefuse && c.Listen.CRLDirectory == "" {
			own("crl_stale", "\"refuse\" without crl_directory: after each start clients are refused until the revocation lists have been fetched, for as long as their servers are down")
		}
		if l.MinTLS == tls.VersionTLS13 && len(l.CipherSuites) > 0 {
			own("cipher_suites", "has no effect: min_tls is 1.3, and suites can be chosen for TLS 1.2 only")
		}
		if l.IdleTimeout == 0 && f.Transport == TransportDTLS {
			warn(f.Key("idle_timeout"), "\"0s\" at the listener %q: sessions over DTLS whose clients are gone stay, because nothing else ends them", f.Name)
		}
		if d := l.IdleTimeout; d > 0 && d < shortestIdle {
			own("idle_timeout", "%v is below %v: a client that finds its connection closed as it sends loses that request, and radsecproxy may lose all of 30s; take %v or more, or \"0s\"", d, shortestIdle, shortestIdle)
		}
	}
}

// warnEmpty warns of a listener that accepts nobody.
func (c *Config) warnEmpty(warn warner) {
	for _, f := range c.Fronts() {
		if !slices.ContainsFunc(c.Clients, func(cl Client) bool { return f.Accepts(&cl) }) {
			warn(f.table, "the listener %q accepts no client: none that it may accept has %q in transports", f.Name, f.Transport)
		}
	}
}

func (c *Config) warnClients(warn warner) {
	c.warnEmpty(warn)
	for i := range c.Clients {
		cl, path := &c.Clients[i], joinIndex("client", i)
		if text := c.neverMatches(i); text != "" {
			warn(path, "client %q never matches%s", cl.Name, text)
		}
		if cl.ReversePath != ReversePathOff {
			if name := c.accessServerByName(); name != "" {
				warn(joinKey(path, "reverse_path"), "server %q is given by host name: whatever address its name server gives for it passes the check; an IP address is safer", name)
			}
		}
		if !cl.VerifyRequestAuthenticator {
			warn(joinKey(path, "verify_request_authenticator"), "client %q may send packets whose Request Authenticator is wrong (RFC 2866 §3, RFC 5176 §2.3)", cl.Name)
		}
		c.warnOpen(warn, i)
		c.warnPublicSecret(warn, i)
	}
}

// open reports whether a client takes every connection that a front lets in, but for those with
// a PSK.
func (cl *Client) open() bool {
	return len(cl.Networks) == 0 && !cl.ByCertificate() && cl.PSKIdentity == ""
}

// neverMatches returns why a client is never found at any front; "" if it may be.
func (c *Config) neverMatches(i int) (why string) {
	cl, accepted := &c.Clients[i], false
	for _, f := range c.Fronts() {
		if !f.Accepts(cl) {
			continue
		}
		accepted = true
		before := slices.IndexFunc(c.Clients[:i], func(o Client) bool { return o.open() && f.Accepts(&o) })
		switch {
		case before >= 0 && cl.PSKIdentity == "":
			why = fmt.Sprintf(", because client %q, which is listed before it, matches every connection", c.Clients[before].Name)
		case cl.ByCertificate() && f.Listen.ClientAuth == AuthNone:
			why = fmt.Sprintf(": it asks for a certificate, but %s is \"none\"", f.Key("client_auth"))
		default:
			return ""
		}
	}
	if !accepted {
		return fmt.Sprintf(": expected a listener with transport = %s that names it in its clients, or has no clients", oneOf(cl.Transports))
	}
	return why
}

// warnOpen warns of a client without a condition where others may be meant, too: a listener
// that names its clients says which.
func (c *Config) warnOpen(warn warner, i int) {
	cl := &c.Clients[i]
	for _, f := range c.Fronts() {
		if !cl.open() || !f.Accepts(cl) || slices.ContainsFunc(c.Clients[:i], func(o Client) bool { return o.open() && f.Accepts(&o) }) {
			continue
		}
		switch {
		case f.Listen.ClientAuth != AuthRequire:
			warn(joinIndex("client", i), "client %q has no condition: everybody matches, without any certificate", cl.Name)
			return
		case len(f.Listen.Clients) == 0:
			warn(joinIndex("client", i), "client %q has no condition: every certificate of client_ca matches", cl.Name)
			return
		}
	}
}

// accessServerByName returns the first server for Access-Request whose address
// is a host name, "" when there is none.
func (c *Config) accessServerByName() string {
	for i := range c.Servers {
		s := &c.Servers[i]
		if !s.HasHostName() {
			continue
		}
		for _, r := range c.Routes {
			if slices.Contains(r.Packets, PacketAccess) && slices.Contains(r.Servers, s.Name) {
				return s.Name
			}
		}
	}
	return ""
}

// exposed reports whether RADIUS over UDP to an address is likely to leave the
// networks that it is for (RFC 6613 §2).
func exposed(a netip.Addr) bool {
	a = a.Unmap()
	return !a.IsLoopback() && !a.IsPrivate() && !a.IsLinkLocalUnicast()
}

const exposure = "neither on this machine nor on a private network: RADIUS over UDP hides little of what it carries"

// NameWarnings looks the servers' host names up, and lists those that have no
// address or one that RADIUS over UDP should not go to. lookup is
// net.Resolver.LookupNetIP or one that behaves like it.
func (c *Config) NameWarnings(ctx context.Context, lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)) (list []string) {
	for i := range c.Servers {
		s := &c.Servers[i]
		if !s.HasHostName() {
			continue
		}
		warn := func(format string, args ...any) {
			list = append(list, c.MistakeAt(joinKey(joinIndex("server", i), "address"), fmt.Sprintf(format, args...)).String())
		}
		addrs, err := lookup(ctx, "ip", s.Address)
		if err != nil {
			warn("server %q: %q has no address now (%v); the gateway starts all the same and looks it up again", s.Name, s.Address, err)
			continue
		}
		if k := slices.IndexFunc(addrs, exposed); k >= 0 {
			warn("server %q: %q is %s now, %s", s.Name, s.Address, addrs[k].Unmap(), exposure)
		}
	}
	return list
}

func (c *Config) warnServers(warn warner) {
	for i := range c.Servers {
		s, path := &c.Servers[i], joinIndex("server", i)
		// RFC 2865 §3 prefers 16 bytes or more; 12 can be found by search.
		if n := s.Secret.Len(); n <= 12 {
			warn(joinKey(path, "secret"), "server %q has a secret of %d bytes: take 16 or more, at random", s.Name, n)
		}
		if addr, err := netip.ParseAddr(s.Address); err == nil && exposed(addr) {
			warn(joinKey(path, "address"), "server %q at %s is %s", s.Name, addr, exposure)
		}
		if !s.RequireMessageAuthenticator {
			warn(joinKey(path, "require_message_authenticator"), "replies of server %q can be forged where its UDP can be read (CVE-2024-3596)", s.Name)
		}
		// RFC 5080 §2.2.1: a duration of 5 to 30 seconds.
		if d := s.RetransmitDuration; d < 5*time.Second || d > 30*time.Second {
			warn(joinKey(path, "retransmit_duration"), "server %q: %v is outside the 5s to 30s of RFC 5080 §2.2.1", s.Name, d)
		}
		if !slices.ContainsFunc(c.Routes, func(r Route) bool { return slices.Contains(r.Servers, s.Name) }) {
			warn(path, "server %q is in no route", s.Name)
		}
		c.warnIdleKeys(warn, s, path)
	}
}

// warnIdleKeys warns of values that have no effect beside the server's others.
func (c *Config) warnIdleKeys(warn warner, s *Server, path string) {
	usual := defaultServer()
	if addr, err := netip.ParseAddr(s.Address); err == nil && s.ResolveInterval != usual.ResolveInterval {
		warn(joinKey(path, "resolve_interval"), "has no effect: server %q is given by its IP address %s, and only host names are looked up", s.Name, addr)
	}
	if s.Health == HealthNone && s.FailingAfter != usual.FailingAfter {
		warn(joinKey(path, "failing_after"), "has no effect: health is \"none\", and only a server whose checks are answered can be failing")
	}
}

// given reports whether the file has the key at path.
func (c *Config) given(path string) bool {
	_, ok := c.places.of[path]
	return ok
}
