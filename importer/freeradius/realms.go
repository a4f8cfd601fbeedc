package freeradius

import (
	"slices"
	"strconv"
	"strings"

	"radsec-gw/importer"
	"radsec-gw/routing"
)

// target is where a route sends requests.
type target struct {
	servers []string
	balance string // empty: failover, or one server
}

func (a target) equal(b target) bool {
	return slices.Equal(a.servers, b.servers) && a.balance == b.balance
}

// routes writes the realm sections, then the route of everything else.
func (c *conversion) routes() error {
	known, itself := map[string]bool{}, target{servers: []string{local}}
	if c.p.root.yes("proxy_requests", true) {
		for _, s := range c.p.root.all("realm") {
			c.realm(s, known)
		}
	}
	if !known["*"] {
		t := c.draft.Add("[[route]]")
		t.Comment("Everything else, as before.")
		c.writeRoute(t, "*", itself, itself)
	}
	return nil
}

// entryOf returns the entry of realms for the name of a realm section, "" with false for
// one that never matches a User-Name.
func entryOf(name string) (entry string, ok bool) {
	switch name {
	case "LOCAL":
		return "", false
	case "NULL":
		return "", true
	case "DEFAULT":
		return "*", true
	}
	if strings.HasPrefix(name, "~") {
		return name, true
	}
	return strings.ToLower(name), true
}

// realm writes a realm section.
func (c *conversion) realm(s *section, known map[string]bool) {
	entry, ok := entryOf(s.second)
	if !ok {
		return
	}
	t := c.draft.Add("[[route]]")
	t.Comment("%s, realm %s", s.Place, s.second)
	skip := func(format string, args ...any) {
		t.Note(s.Place, format, args...)
		t.Name, t.Disabled = "", true
	}
	if err := routing.CheckRealm(entry); err != nil {
		skip("realm %s: %v. Its users get the route of another realm", s.second, err)
		return
	}
	if known[entry] {
		skip("realm %s: there is one of this name already", s.second)
		return
	}
	known[entry] = true
	access := c.poolServers(t, s, "auth_pool", func(h *home) bool { return h.auth })
	accounting := c.poolServers(t, s, "acct_pool", func(h *home) bool { return h.acct })
	itself := target{servers: []string{local}}
	if len(s.values("nostrip")) == 0 && entry != "" && !(access.equal(itself) && accounting.equal(itself)) {
		t.Note(s.Place, "realm %s has no nostrip: FreeRADIUS removes the realm from the User-Name before it sends a request on, and the gateway changes no User-Name. So FreeRADIUS goes on sending. If the servers know their users with the realm, give this route servers = [%s]", s.second, quoted(access.servers))
		access, accounting = itself, itself
	}
	for _, done := range []string{"auth_pool", "acct_pool", "pool", "nostrip"} {
		s.use(done)
	}
	s.noteRest(t, map[string]string{
		"strip": "", "coa_pool": "the gateway routes CoA by Operator-Name; see packets of [[route]]",
		"virtual_server": "FreeRADIUS runs it, and the gateway does not",
		"authhost":       "write a home_server and a home_server_pool for it, or a [[server]] here", "accthost": "write a home_server and a home_server_pool for it, or a [[server]] here",
		"secret": "it belongs to authhost and accthost", "ldflag": "it belongs to authhost and accthost",
	})
	c.writeRoute(t, entry, access, accounting)
}

// poolServers returns the servers of a pool, and how they are balanced. Where one of them
// cannot be carried over, or there is no pool, FreeRADIUS gets the requests, as before.
func (c *conversion) poolServers(t *importer.Table, s *section, kind string, fits func(*home) bool) target {
	itself := target{servers: []string{local}}
	p, ok := s.value(kind, "pool")
	if !ok {
		return itself
	}
	pool := c.pools[p.value]
	if pool == nil {
		t.Note(p.Place, "%s = %s: expected the name of a home_server_pool; FreeRADIUS gets these requests", p.name, p.value)
		return itself
	}
	if q, ok := pool.value("virtual_server"); ok {
		t.Comment("%s: FreeRADIUS changes these requests in the virtual server %s, and goes on sending them.", q.Place, q.value)
		return itself
	}
	var servers []string
	for _, m := range append(pool.values("home_server"), pool.values("fallback")...) {
		h := c.home(m.value, fits)
		switch {
		case h == nil:
			t.Note(m.Place, "%s = %s: expected the name of a home_server; FreeRADIUS gets these requests", m.name, m.value)
			return itself
		case h.inner:
			t.Comment("%s: %s is FreeRADIUS itself, or a virtual server of it.", m.Place, m.value)
			return itself
		case h.name == "":
			t.Comment("%s: %s is not carried over, see above; FreeRADIUS goes on sending these requests.", m.Place, m.value)
			return itself
		case !fits(h):
			continue
		case !slices.Contains(servers, h.name):
			servers = append(servers, h.name)
		}
	}
	if len(servers) == 0 {
		return itself
	}
	if len(servers) > maxServers {
		t.Note(pool.Place, "home_server_pool %s: expected at most %d servers, got %d; the rest is omitted", pool.second, maxServers, len(servers))
		servers = servers[:maxServers]
	}
	balance := balanceOf(t, pool)
	if len(servers) == 1 {
		balance = ""
	}
	return target{servers, balance}
}

// maxServers is how many servers a [[route]] can have.
const maxServers = 64

// home returns the home server of a name, that which fits if there are several: one for
// each type may have it.
func (c *conversion) home(name string, fits func(*home) bool) (found *home) {
	for _, h := range c.homes[name] {
		if found == nil || !fits(found) && fits(h) {
			found = h
		}
	}
	return found
}

// balanceOf returns how the gateway balances what a pool does.
func balanceOf(t *importer.Table, pool *section) string {
	p, ok := pool.value("type")
	switch p.value {
	case "load-balance":
		return "least-outstanding"
	case "client-balance", "client-port-balance", "keyed-balance":
		if p.value != "keyed-balance" {
			t.Comment("%s, type = %s: the gateway chooses by user and station, not by client.", p.Place, p.value)
		}
		return "sticky"
	case "", "fail-over":
		return ""
	}
	if ok {
		t.Note(p.Place, "type = %s: expected fail-over, load-balance, client-balance, client-port-balance or keyed-balance; the first server that is up gets the requests", p.value)
	}
	return ""
}

// writeRoute writes the route of a realm, or two when Access and accounting go to different
// servers, or to the same ones by another rule.
func (c *conversion) writeRoute(t *importer.Table, realm string, access, accounting target) {
	toLocal := slices.Equal(accounting.servers, []string{local})
	fill := func(t *importer.Table, packets []string, to target) {
		t.Set("realms", []string{realm})
		if packets != nil {
			t.Set("packets", packets)
		}
		t.Set("servers", to.servers)
		if to.balance != "" {
			t.Set("balance", to.balance)
		}
	}
	switch {
	case access.equal(accounting) && (c.acct > 0 || !toLocal):
		fill(t, nil, access)
	case toLocal && c.acct == 0:
		fill(t, []string{"access"}, access)
	default:
		fill(t, []string{"access"}, access)
		fill(c.draft.Add("[[route]]"), []string{"accounting"}, accounting)
	}
}

// quoted lists names for a text.
func quoted(names []string) string {
	var all []string
	for _, name := range names {
		all = append(all, strconv.Quote(name))
	}
	return strings.Join(all, ", ")
}
