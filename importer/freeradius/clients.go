package freeradius

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"radsec-gw/importer"
)

// clientsOf returns the clients of a listen section: those of the clients section that it
// names, or those of its virtual server and of the whole.
func (c *conversion) clientsOf(l listener) (found []*section) {
	if p, ok := l.value("clients"); ok {
		for _, v := range []*section{l.in, c.p.root} {
			for _, set := range v.all("clients") {
				if set.second == p.value {
					return set.all("client")
				}
			}
		}
		c.draft.Note(p.Place, "clients = %s: expected the name of a clients section", p.value)
		return nil
	}
	if l.in != c.p.root {
		found = l.in.all("client")
	}
	return append(found, c.p.root.all("client")...)
}

// distinct returns the first of the listen sections that have the same clients.
func distinct(all []listener) (found []listener) {
	type key struct {
		in    *section
		named string // "": all of the virtual server
	}
	seen := map[key]bool{}
	for _, l := range all {
		k := key{l.in, l.text("clients", "")}
		if !seen[k] {
			found = append(found, l)
		}
		seen[k] = true
	}
	return found
}

// network returns the addresses of a client. ok is false for a host name.
func network(s *section) (n netip.Prefix, at pair, ok bool) {
	at, given := address(s)
	if !given {
		at = pair{s.Place, "", s.second} // FreeRADIUS 2: client ADDRESS[/LENGTH] { … }
	}
	text := strings.Trim(at.value, "[]")
	if text == "*" {
		text = "0.0.0.0/0"
	}
	if p, ok := s.value("netmask"); ok && !strings.Contains(text, "/") {
		text += "/" + p.value
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), at, true
	}
	n, err := netip.ParsePrefix(text)
	return n.Masked(), at, err == nil
}

// clients writes the [[client]] tables.
func (c *conversion) clients(secure []listener) {
	written := map[*section]bool{}
	for _, l := range distinct(secure) {
		for _, s := range c.clientsOf(l) {
			proto := s.text("proto", "udp")
			if written[s] || proto != "tls" && proto != "tcp" && proto != "*" {
				continue
			}
			written[s] = true
			c.client(s, "")
		}
	}
	if len(written) > 0 {
		return
	}
	var others []*section
	for _, v := range c.virtual {
		others = append(others, v.all("client")...)
		for _, set := range v.all("clients") {
			others = append(others, set.all("client")...)
		}
	}
	far := slices.DeleteFunc(slices.Clone(others), func(s *section) bool { n, _, ok := network(s); return ok && n.Addr().IsLoopback() })
	if len(far) == 0 {
		far = others
	}
	for _, s := range far {
		c.client(s, "It speaks UDP with FreeRADIUS now. Here it may connect with RadSec, with any certificate of client_ca: add a condition on its certificate.")
	}
}

// client writes a client section.
func (c *conversion) client(s *section, remark string) {
	t := c.draft.Add("[[client]]")
	t.Comment("%s, client %s", s.Place, s.second)
	if remark != "" {
		t.Comment("%s", remark)
	}
	name := c.names.Unique("client", s.text("shortname", s.second))
	t.Set("name", name)
	if n, at, ok := network(s); ok {
		t.Set("networks", []string{n.String()})
	} else {
		t.Disabled = true
		t.Set("networks", []string{})
		t.Note(at.Place, "client %s: the gateway does not look up the names of clients, and %q is not an address. The client is written as a comment; give its networks, or a name in its certificate", s.second, at.value)
	}
	for _, done := range []string{"proto", "netmask", "shortname"} {
		s.use(done)
	}
	if p, ok := s.value("secret"); ok && remark == "" && p.value != "radsec" {
		setSecret(t, p, "secret", name)
	}
	s.use("require_message_authenticator")
	if s.yes("require_message_authenticator", false) {
		t.Set("require_message_authenticator", "access")
	}
	limit := s.one("limit")
	noteLimit(t, limit)
	if n, err := strconv.Atoi(limit.text("max_connections", "")); err == nil && remark == "" && n > 0 {
		t.Set("max_connections", n)
	}
	s.noteRest(t, map[string]string{
		"nas_type": "", "nastype": "", "login": "", "password": "", "limit": "", "limit_proxy_state": "", "response_window": "", "ipaddr": "", "ipv4addr": "", "ipv6addr": "", "secret": "",
		"virtual_server":  "the gateway sends the requests of all clients to the servers of their realm; FreeRADIUS chooses the virtual server by the gateway's address and the port",
		"coa_server":      "the gateway sends no CoA to a client; route CoA to the NAS, a [[server]] with nas = true",
		"dynamic_clients": "each client is a [[client]]",
		"src_ipaddr":      "the system chooses the gateway's source address",
	})
}

// ownClient returns the client section by which FreeRADIUS knows this machine: the one with
// the longest prefix that contains 127.0.0.1.
func (c *conversion) ownClient() (best *section) {
	loopback, longest := netip.MustParseAddr("127.0.0.1"), -1
	var candidates []*section
	auth := slices.DeleteFunc(c.listeners(false), func(l listener) bool { return !hasType(l.section, "auth") })
	for _, l := range distinct(auth) {
		candidates = append(candidates, c.clientsOf(l)...)
	}
	if len(candidates) == 0 {
		candidates = c.p.root.all("client")
	}
	for _, s := range candidates {
		proto := s.text("proto", "udp")
		if n, _, ok := network(s); ok && n.Contains(loopback) && n.Bits() > longest && (proto == "udp" || proto == "*") {
			best, longest = s, n.Bits()
		}
	}
	return best
}

// hasType reports whether a listen section is for a type of packets: "auth" or "acct".
func hasType(s *section, kind string) bool {
	return slices.Contains(strings.Split(s.text("type", ""), "+"), kind)
}

// clientEntry is what clients.conf must have for the gateway.
func clientEntry(t *importer.Table) {
	t.Comment("FreeRADIUS must know the gateway as a client. clients.conf has no client with this address; add it:\n" +
		"     client radsec-gw {\n" +
		"             ipaddr = 127.0.0.1\n" +
		"             secret = (the secret below)\n" +
		"             require_message_authenticator = yes\n" +
		"     }")
}
