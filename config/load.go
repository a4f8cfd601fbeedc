package config

import (
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"radsec-gw/files"
)

// Load reads the file at path, and checks it: the values, the names that refer to each
// other, and that the files that it names can be read. It reads them through from, so that
// the caller can read the same bytes. The error is always Mistakes, with everything that
// is wrong.
//
// With Mistakes it returns what could be read, so that the caller can look for more of
// them, or nil when the file is not TOML at all. Names of files that cannot be read are ""
// there.
func Load(path string, from *files.Snapshot) (*Config, error) {
	text, err := from.ReadStream(path, MaxConfiguration)
	if err != nil {
		return nil, Mistakes{{File: path, Text: "expected a readable configuration file: " + reason(path, err)}}
	}
	return parse(path, string(text), from)
}

// parse is Load after the reading of the file.
func parse(path, text string, from *files.Snapshot) (*Config, error) {
	values := map[string]any{}
	if _, err := toml.Decode(text, &values); err != nil {
		m := Mistake{File: path, Text: "not TOML: " + err.Error()}
		var at toml.ParseError
		if errors.As(err, &at) {
			m.Line, m.Text = at.Position.Line, "not TOML: "+at.Message
			if strings.HasSuffix(at.LastKey, "secret") || strings.HasSuffix(at.LastKey, "password") { // the library quotes what it found
				m.Text = "not TOML: expected a secret in quotes on a line of its own, or the end of one"
			}
		}
		return nil, Mistakes{m}
	}

	r := &reader{file: path, dir: filepath.Dir(path), places: locate(text), from: from}
	c := r.config(&table{r: r, values: values})
	if len(r.mistakes) > 0 {
		r.mistakes.Sort()
		return c, r.mistakes
	}
	return c, nil
}

// config reads the whole file: each table by itself first, then what holds
// between them.
func (r *reader) config(root *table) *Config {
	c := &Config{Path: r.file, places: r.places}
	c.Listen = readListen(root.table("listen"))
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
	c.Routing = readRouting(root.table("routing"))
	c.Metrics = readMetrics(root.table("metrics"))
	c.Log = readLog(root.table("log"))
	c.Tap = readTap(root.table("tap"))
	root.done()

	for _, key := range []string{"client", "server", "route"} {
		if !root.has(key) {
			r.wrong(key, "missing: expected at least one [[%s]]", key)
		}
	}
	uniqueNames(r, clients, func(i int) string { return c.Clients[i].Name })
	uniqueNames(r, servers, func(i int) string { return c.Servers[i].Name })
	checkAddressNames(r, servers, c.Servers)
	checkRealms(r, routes, c.Routes)
	checkServers(r, routes, c.Routes, c.Servers)
	checkPorts(r, c)
	c.secretWarnings, c.secretFiles = r.warnings, r.secretFiles
	return c
}

// uniqueNames notes the second and later tables of one name.
func uniqueNames(r *reader, tables []*table, name func(i int) string) {
	first := map[string]string{}
	for i, t := range tables {
		at := joinKey(t.path, "name")
		if earlier, ok := first[name(i)]; ok && name(i) != "" {
			r.wrong(at, "%q is already used on line %d: expected another name", name(i), r.places.line(earlier))
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
		r.wrong(joinKey(t.path, "name"), "expected another name, got %q, which means an address of server %q (line %d) where that has expand = true",
			servers[i].Name, servers[other].Name, r.places.line(tables[other].path))
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
			for _, packet := range routes[i].Packets {
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
