package freeradius

import (
	"slices"
	"strconv"
	"strings"

	"radsec-gw/importer"
	"radsec-gw/routing"
)

// routes writes the realm sections, then the route of everything else.
func (c *conversion) routes() error {
	known := map[string]bool{}
	if c.p.root.yes("proxy_requests", true) {
		for _, s := range c.p.root.all("realm") {
			c.realm(s, known)
		}
	}
	if !known["*"] {
		t := c.draft.Add("[[route]]")
		t.Comment("Everything else, as before.")
		c.writeRoute(t, []string{"*"}, []string{local}, nil, "")
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
	access, balance := c.poolServers(t, s, "auth_pool", func(h *home) bool { return h.auth })
	accounting, acctBalance := c.poolServers(t, s, "acct_pool", func(h *home) bool { return h.acct })
	if balance == "" {
		balance = acctBalance
	}
	if len(s.values("nostrip")) == 0 && entry != "" && !(slices.Contains(access, local) && slices.Contains(accounting, local)) {
		t.Note(s.Place, "realm %s has no nostrip: FreeRADIUS removes the realm from the User-Name before it sends a request on, and the gateway changes no User-Name. So FreeRADIUS goes on sending. If the servers know their users with the realm, give this route servers = [%s]", s.second, quoted(access))
		access, accounting, balance = []string{local}, []string{local}, ""
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
	c.writeRoute(t, []string{entry}, access, accounting, balance)
}

// poolServers returns the servers of a pool, and how they are balanced. Where one of them
// cannot be carried over, or there is no pool, FreeRADIUS gets the requests, as before.
func (c *conversion) poolServers(t *importer.Table, s *section, kind string, fits func(*home) bool) (servers []string, balance string) {
	p, ok := s.value(kind, "pool")
	if !ok {
		return []string{local}, ""
	}
	pool := c.pools[p.value]
	if pool == nil {
		t.Note(p.Place, "%s = %s: expected the name of a home_server_pool; FreeRADIUS gets these requests", p.name, p.value)
		return []string{local}, ""
	}
	if q, ok := pool.value("virtual_server"); ok {
		t.Comment("%s: FreeRADIUS changes these requests in the virtual server %s, and goes on sending them.", q.Place, q.value)
		return []string{local}, ""
	}
	for _, m := range append(pool.values("home_server"), pool.values("fallback")...) {
		h := c.homes[m.value]
		switch {
		case h == nil:
			t.Note(m.Place, "%s = %s: expected the name of a home_server; FreeRADIUS gets these requests", m.name, m.value)
			return []string{local}, ""
		case h.inner:
			t.Comment("%s: %s is FreeRADIUS itself, or a virtual server of it.", m.Place, m.value)
			return []string{local}, ""
		case h.name == "":
			t.Comment("%s: %s is not carried over, see above; FreeRADIUS goes on sending these requests.", m.Place, m.value)
			return []string{local}, ""
		case !fits(h):
			continue
		case !slices.Contains(servers, h.name):
			servers = append(servers, h.name)
		}
	}
	if len(servers) == 0 {
		return []string{local}, ""
	}
	return servers[:min(len(servers), 64)], balanceOf(t, pool)
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

// writeRoute writes a route, or two when Access and accounting go to different servers. nil
// accounting is the same as access.
func (c *conversion) writeRoute(t *importer.Table, realms, access, accounting []string, balance string) {
	if accounting == nil {
		accounting = access
	}
	toLocal := slices.Equal(accounting, []string{local})
	fill := func(t *importer.Table, packets, servers []string) {
		t.Set("realms", realms)
		if packets != nil {
			t.Set("packets", packets)
		}
		t.Set("servers", servers)
		if balance != "" && len(servers) > 1 {
			t.Set("balance", balance)
		}
	}
	switch {
	case slices.Equal(access, accounting) && (c.acct > 0 || !toLocal):
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
