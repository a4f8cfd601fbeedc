package config

import (
	"net/netip"
	"slices"
	"strings"

	"radsec-gw/files"
)

// Load reads the file at path and those that it includes, and checks them: the values, the names that refer to each
// other, and that the files that it names can be read. It reads them through from, so that
// the caller can read the same bytes. The error is always Mistakes, with everything that
// is wrong.
//
// With Mistakes it returns what could be read, so that the caller can look for more of
// them, or nil when a file is not TOML at all or cannot be read. Names of files that cannot be read are ""
// there.
func Load(path string, from *files.Snapshot) (*Config, error) {
	text, err := from.ReadStream(path, MaxConfiguration)
	if err != nil {
		return nil, Mistakes{{File: path, Text: "expected a readable configuration file: " + reasonOfFirst(path, err)}}
	}
	return parse(path, string(text), from)
}

// parse is Load after the reading of the file. A panic of a parser is a mistake like any
// other: a running gateway refuses the file and goes on.
func parse(path, text string, from *files.Snapshot) (c *Config, err error) {
	defer func() {
		if recover() != nil { // its value may have a part of the file
			c, err = nil, Mistakes{{File: path, Text: "expected TOML that can be parsed, got something that makes the parser fail"}}
		}
	}()
	all := gather(path, text, from)
	if all.broken { // what follows from a missing file would mislead
		all.mistakes.Sort()
		return nil, all.mistakes
	}
	r := &reader{from: from, places: all.places, mistakes: all.mistakes, include: all.patterns}
	c = r.config(&table{r: r, values: all.values, known: []string{"include"}})
	if len(r.mistakes) > 0 {
		r.mistakes.Sort()
		return c, r.mistakes
	}
	return c, nil
}

// config reads the whole file: each table by itself first, then what holds
// between them.
func (r *reader) config(root *table) *Config {
	c := &Config{Path: r.places.files[0], places: r.places}
	c.Listen = readListen(root.table("listen"))
	listeners := root.tables("listener")
	for _, t := range listeners {
		c.Listeners = append(c.Listeners, readListener(t, &c.Listen))
	}
	for _, t := range root.tables("certificate") {
		c.Certificates = append(c.Certificates, readCertificate(t))
	}
	clients := root.tables("client")
	servers := root.tables("server")
	routes := root.tables("route")
	for _, t := range clients {
		c.Clients = append(c.Clients, readClient(t))
	}
	for _, t := range servers {
		c.Servers = append(c.Servers, readServer(t))
	}
	for _, t := range routes {
		c.Routes = append(c.Routes, readRoute(t))
	}
	rules := root.tables("rule")
	for _, t := range rules {
		c.Rules = append(c.Rules, readRule(t))
	}
	c.Routing = readRouting(root.table("routing"))
	c.DynamicAuthorization = readDynamicAuthorization(root.table("dynamic_authorization"))
	c.Spool = readSpool(root.table("spool"))
	c.Cluster = readCluster(root.table("cluster"), root.has("cluster"))
	c.Metrics = readMetrics(root.table("metrics"))
	c.Log = readLog(root.table("log"))
	c.Tap = readTap(root.table("tap"))
	root.done()

	for _, key := range []string{"client", "server", "route"} {
		if !root.has(key) {
			r.wrong(key, "missing: expected at least one [[%s]]", key)
		}
	}
	uniqueNames(r, listeners, func(i int) string { return c.Listeners[i].Name })
	uniqueNames(r, clients, func(i int) string { return c.Clients[i].Name })
	uniqueNames(r, servers, func(i int) string { return c.Servers[i].Name })
	uniqueNames(r, rules, func(i int) string { return c.Rules[i].Name })
	checkRuleNames(r, c)
	checkAddressNames(r, servers, c.Servers)
	checkRealms(r, routes, c.Routes)
	checkServers(r, routes, c.Routes, c.Servers)
	checkFronts(r, c)
	checkPSKs(r, c)
	checkPorts(r, c)
	checkDynamicPorts(r, c)
	checkStore(r, root, c)
	c.Include = r.include
	c.secretWarnings, c.secretFiles = r.warnings, r.secretFiles
	return c
}

// uniqueNames notes the second and later tables of one name.
func uniqueNames(r *reader, tables []*table, name func(i int) string) {
	first := map[string]string{}
	for i, t := range tables {
		at := joinKey(t.path, "name")
		if earlier, ok := first[name(i)]; ok && name(i) != "" {
			r.wrong(at, "%q is already used on %s: expected another name", name(i), r.places.where(earlier, at))
			continue
		}
		first[name(i)] = at
	}
}

// checkAddressNames notes each server that is called as an address of another is in log
// and metrics, NAME@ADDRESS.
func checkAddressNames(r *reader, tables []*table, servers []Server) {
	byName := map[string]int{}
	for i := range servers {
		byName[servers[i].Name] = i
	}
	for i, t := range tables {
		at := strings.LastIndexByte(servers[i].Name, '@')
		if at < 0 {
			continue
		}
		other, ok := byName[servers[i].Name[:at]]
		if _, err := netip.ParseAddr(servers[i].Name[at+1:]); !ok || err != nil {
			continue
		}
		r.wrong(joinKey(t.path, "name"), "expected another name, got %q, which means an address of server %q (%s) where that has expand = true",
			servers[i].Name, servers[other].Name, r.places.where(tables[other].path, t.path))
	}
}

// checkServers checks the names in each route's servers, and that those have
// the ports for the packets that the route takes.
func checkServers(r *reader, tables []*table, routes []Route, servers []Server) {
	if len(servers) == 0 {
		return // that is the mistake; each name would only repeat it
	}
	var names []string
	for _, s := range servers {
		names = append(names, s.Name)
	}
	for i, t := range tables {
		for j, name := range routes[i].Servers {
			at := joinIndex(joinKey(t.path, "servers"), j)
			k := slices.Index(names, name)
			if k < 0 {
				r.wrong(at, "expected the name of a [[server]], got %q%s", name, suggest(name, names))
				continue
			}
			for _, packet := range routes[i].Forwarded() {
				if servers[k].Port(packet) == 0 {
					r.wrong(at, "server %q has %s = 0, but this route sends it %q packets", name, portKey(packet), packet)
				}
			}
		}
	}
}

// portKey names the key that holds the port for a kind of packet.
func portKey(packet string) string {
	switch packet {
	case PacketAccess:
		return "auth_port"
	case PacketAccounting:
		return "acct_port"
	}
	return "coa_port"
}
