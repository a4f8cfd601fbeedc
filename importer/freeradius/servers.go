package freeradius

import (
	"encoding/hex"
	"io"
	"net/netip"
	"strconv"

	"radsec-gw/importer"
)

// home is a home_server section.
type home struct {
	*section
	name  string // in the draft; empty: it is not carried over
	why   string // it is not
	auth  bool
	acct  bool
	inner bool // a virtual server of FreeRADIUS itself
}

// server writes FreeRADIUS itself, and the home servers.
func (c *conversion) server() {
	t := c.draft.Add("[[server]]")
	t.Comment("FreeRADIUS itself.")
	own := c.ownClient()
	if own == nil {
		clientEntry(t)
		c.draft.Help = append(c.draft.Help, "clients.conf has no client for 127.0.0.1: add the one in the comment above [[server]], with the secret there")
	} else {
		t.Comment("It knows the gateway as client %s of %s: let that have require_message_authenticator = yes.", own.second, own.Place)
		c.draft.Help = append(c.draft.Help, own.Place.String()+": FreeRADIUS knows the gateway as client "+own.second+"; keep its address and its secret as they are")
	}
	t.Set("name", local)
	auth, acct := c.ports(t)
	t.Set("auth_port", auth)
	t.Set("acct_port", acct)
	t.Set("coa_port", 0)
	c.auth, c.acct = auth, acct
	if p, ok := own.secret(); ok {
		setSecret(t, p, "secret", local)
	} else {
		random := make([]byte, 24)
		if _, err := io.ReadFull(c.o.Random, random); err == nil {
			t.SetSecret(importer.Place{File: c.draft.Source}, "secret", local, []byte(hex.EncodeToString(random)))
		}
	}
	security := c.p.root.one("security")
	if !security.yes("status_server", false) {
		t.Set("health", "none")
		t.Note(security.Place, "status_server: FreeRADIUS does not answer Status-Server. Set status_server = yes in security { … } there, and remove health here")
	}
	t.Comment("FreeRADIUS before 3.2.5 does not sign its answers to logins with a password, and the gateway drops those: see docs/servers.md.")
	for _, s := range c.p.root.all("home_server_pool") {
		c.pools[s.second] = s
	}
	for _, s := range c.p.root.all("home_server") {
		c.homeServer(s)
	}
}

// secret returns the secret of a client, which may be nil.
func (s *section) secret() (pair, bool) {
	if s == nil {
		return pair{}, false
	}
	return s.value("secret")
}

// ports writes the address of FreeRADIUS, and returns its UDP ports; 0: it does not listen.
func (c *conversion) ports(t *importer.Table) (auth, acct int) {
	host := ""
	for _, l := range c.listeners(false) {
		p, _ := address(l.section)
		addr, err := netip.ParseAddr(p.value)
		if l.text("proto", "udp") != "udp" || addr.Is6() && addr.IsUnspecified() && host != "" {
			continue
		}
		for _, k := range []struct {
			name      string
			packets   string
			port      *int
			otherwise int
		}{{"auth", "access", &auth, 1812}, {"acct", "accounting", &acct, 1813}} {
			if *k.port == 0 && hasType(l.section, k.name) {
				*k.port = k.otherwise
				if n, err := strconv.Atoi(l.text("port", "0")); err == nil && n > 0 && n < 65536 {
					*k.port = n
				}
				switch {
				case err != nil || addr.IsUnspecified() || host == addr.String():
				case host == "":
					host = addr.String()
				default:
					t.Note(p.Place, "%s = %s: a [[server]] has one address, here %s. Write a second [[server]], and a [[route]] to it with packets = [%q]", p.name, p.value, host, k.packets)
				}
			}
		}
	}
	if host == "" {
		host = "127.0.0.1"
	}
	t.Set("address", host)
	if auth == 0 {
		t.Note(importer.Place{File: c.draft.Source}, "no listen section has type = auth over UDP: 1812 is assumed")
		auth = 1812
	}
	return auth, acct
}

// homeServer writes a home_server section.
func (c *conversion) homeServer(s *section) {
	h := &home{section: s}
	c.homes[s.second] = append(c.homes[s.second], h)
	kind := s.text("type", "auth")
	h.auth, h.acct = kind == "auth" || kind == "auth+acct", kind == "acct" || kind == "auth+acct"
	at, hasAddress := address(s)
	secret, hasSecret := s.value("secret")
	switch {
	case len(s.all("tls")) > 0 || s.text("proto", "udp") != "udp":
		h.why = "the gateway speaks UDP to servers"
	case s.text("virtual_server", "") != "":
		h.inner = true
		return
	case kind == "coa":
		c.draft.Note(s.Place, "home_server %s: the gateway sends CoA to a NAS that is a [[server]] with nas = true", s.second)
		return
	case c.isItself(at.value, s.text("port", "0")):
		h.inner = true
		return
	case !hasAddress || !hasSecret:
		h.why = "it has no address, or no secret"
	case !h.auth && !h.acct:
		h.why = "its type is " + kind
	}
	if h.why != "" {
		c.draft.Note(s.Place, "home_server %s: %s. FreeRADIUS goes on sending to it", s.second, h.why)
		return
	}
	t := c.draft.Add("[[server]]")
	t.Comment("%s, home_server %s", s.Place, s.second)
	h.name = c.names.Unique("server", s.second)
	t.Set("name", h.name)
	t.Set("address", at.value)
	h.ports(t)
	setSecret(t, secret, "secret", h.name)
	if p, ok := s.value("src_ipaddr"); ok {
		if addr, err := netip.ParseAddr(p.value); err == nil && !addr.IsUnspecified() && importer.SameFamily(addr, at.value) {
			t.Set("source", addr.String())
		} else if p.value != "*" {
			t.Note(p.Place, "src_ipaddr = %s: source of a [[server]] is an IP address of the same family as its address", p.value)
		}
	}
	h.health(t)
	if p, ok := s.value("require_message_authenticator"); ok && p.value != "auto" && !s.yes(p.name, true) {
		t.Comment("%s, %s = %s: the gateway demands one by default. If the server sends none, set require_message_authenticator = false.", p.Place, p.name, p.value)
	}
	noteHome(t, s)
}

// isItself reports whether a home server is FreeRADIUS itself.
func (c *conversion) isItself(address, port string) bool {
	addr, err := netip.ParseAddr(address)
	n, _ := strconv.Atoi(port)
	return (err == nil && addr.IsLoopback() || address == "localhost") && (n == c.auth || n == c.acct || n == 0)
}

// ports writes the ports of a home server: accounting is on the next one.
func (h *home) ports(t *importer.Table) {
	auth, acct := 1812, 1813
	p, given := h.value("port")
	n, err := strconv.ParseUint(p.value, 10, 16)
	switch {
	case !given || err == nil && n == 0: // the usual ones
	case err != nil || h.auth && h.acct && n == 65535:
		t.Note(p.Place, "port = %s: expected a number from 1 to 65535, the next one, too, with type = auth+acct; %d and %d are assumed", p.value, auth, acct)
	case h.auth:
		auth, acct = int(n), int(n)+1
	default:
		acct = int(n)
	}
	if !h.auth {
		auth = 0
	}
	if !h.acct {
		acct = 0
	}
	t.Set("auth_port", auth)
	t.Set("acct_port", acct)
	t.Set("coa_port", 0)
}

// health writes how a home server is checked.
func (h *home) health(t *importer.Table) {
	user, haveUser := h.value("username")
	password, havePassword := h.value("password")
	check, _ := h.value("status_check", "ping_check")
	switch {
	case check.value == "request" && haveUser && havePassword:
		t.Set("health", "access-request")
		t.Set("health_user", user.value)
		setSecret(t, password, "health_password", h.name)
	case check.value == "status-server":
		t.Set("health", "status-server")
	default:
		t.Set("health", "none")
		t.Comment("It is not checked now. If it answers Status-Server, health = \"status-server\" notices sooner when it is down and when it is back.")
	}
	if n, err := strconv.Atoi(h.text("num_answers_to_alive", "")); err == nil && n > 0 {
		t.Set("up_after", n)
	}
}

// noteHome notes what has no counterpart in a home server.
func noteHome(t *importer.Table, s *section) {
	for _, done := range []string{"type", "port", "proto", "secret", "virtual_server", "ipaddr", "ipv4addr", "ipv6addr"} {
		s.use(done)
	}
	s.noteRest(t, map[string]string{
		"response_window": "", "zombie_period": "", "revive_interval": "", "check_interval": "", "ping_interval": "", "check_timeout": "",
		"status_check_timeout": "", "max_outstanding": "", "response_timeouts": "", "coa": "", "limit": "", "nonblock": "", "historic_average_window": "",
		"require_message_authenticator": "", "no_response_fail": "", "no_coa_port": "",
	})
}
