package radsecproxy

import (
	"net/netip"
	"strconv"
	"strings"

	"radsec-gw/importer"
)

// server writes a server block. radsecproxy has one port for everything that it sends to a
// server; which packets these are, the realms say.
func (c *conversion) server(b *block) error {
	key := strings.ToLower(b.name)
	if _, twice := c.carried[key]; twice || c.notCarried[key] != "" {
		return wrong(b.Place, "expected another name, got server %q, which there is already", b.name)
	}
	kind := strings.ToLower(b.text("type"))
	switch it, dynamic := b.last("DynamicLookupCommand"); {
	case dynamic:
		c.refuse(b, it.Place, "the gateway does not discover servers. Keep radsecproxy for this, listening with ListenUDP on this machine, and make it a [[server]]")
		return nil
	case kind == "tls" || kind == "tcp" || kind == "dtls":
		c.refuse(b, b.Place, "the gateway speaks UDP to servers, not "+kind+". Keep radsecproxy for this server, listening with ListenUDP on this machine, and make it a [[server]]")
		return nil
	case kind != "udp":
		return wrong(b.Place, "expected type udp, tcp, tls or dtls in server %q, got %q", b.name, kind)
	}
	secret, ok := b.last("secret")
	if !ok {
		return wrong(b.Place, "expected a secret in server %q, which speaks UDP, got none", b.name)
	}
	c.writeServer(b, key, secret)
	return nil
}

// refuse notes that a server is not carried over.
func (c *conversion) refuse(b *block, at importer.Place, why string) {
	c.notCarried[strings.ToLower(b.name)] = why
	c.draft.Note(at, "server %s: %s", b.name, why)
}

func (c *conversion) writeServer(b *block, key string, secret item) {
	t := c.draft.Add("[[server]]")
	t.Comment("%s, server %s", b.Place, b.name)
	name := c.names.Unique("server", b.name)
	c.carried[key] = name
	t.Set("name", name)
	host, port := c.address(t, b)
	t.Set("address", host)
	access, accounting := c.access[key], c.accounting[key]
	if !access && !accounting {
		access = true
		t.Comment("no realm uses it")
	}
	t.Set("auth_port", portIf(access, port))
	t.Set("acct_port", portIf(accounting, port))
	t.Set("coa_port", 0)
	t.SetSecret(secret.Place, "secret", name, []byte(secret.value))
	c.source(t, b, host)
	c.health(t, b)
	retries(t, b)
	switch it, given := b.last("requireMessageAuthenticator"); {
	case given && strings.EqualFold(it.value, "off"):
		t.Set("require_message_authenticator", false)
	case !given && !c.basic.on("requireMessageAuthenticator", false) && access:
		c.once(t, "Unlike radsecproxy, the gateway drops a reply to an Access-Request without Message-Authenticator, which can be forged. "+
			"Let the server send it (docs/servers.md), or set require_message_authenticator = false.")
	}
	c.rulesOfServer(t, b)
	b.noteRest(t, map[string]string{
		"tcpkeepalive": "", "loopprevention": "", "ipv4only": "", "ipv6only": "", "blockingstartup": "", "sni": "", "sniservername": "",
		"idletimeout": "", "dtlsforcemtu": "", "tls": "", "certificatenamecheck": "", "certificatecncheck": "", "servername": "",
		"matchcertificateattribute": "", "pskkey": "", "pskidentity": "",
		"addttl": "the gateway neither reads nor writes a TTL",
	})
}

func portIf(used bool, port int) int {
	if used {
		return port
	}
	return 0
}

// address returns where a server is.
func (c *conversion) address(t *importer.Table, b *block) (host string, port int) {
	all := b.all("host")
	if len(all) == 0 {
		all = []item{{Place: b.Place, value: b.name}}
	}
	for _, it := range all[1:] {
		t.Note(it.Place, "Host %s: a [[server]] has one address, and over UDP radsecproxy uses the first", it.value)
	}
	otherwise := "1812"
	portItem, given := b.last("Port")
	if given {
		otherwise = portItem.value
	}
	host, text, ok := splitHostPort(all[0].value, otherwise)
	switch strings.ToLower(text) {
	case "radius":
		text = "1812"
	case "radius-acct":
		text = "1813"
	}
	port, err := strconv.Atoi(text)
	if !ok && err != nil || err != nil || port < 1 || port > 65535 {
		t.Note(all[0].Place, "the port %q: expected a number from 1 to 65535; 1812 is assumed", text)
		port = 1812
	}
	return host, port
}

// source writes the address that requests to the server are sent from: that of the server
// block, or the one for all.
func (c *conversion) source(t *importer.Table, b *block, server string) {
	it, ok := b.last("Source")
	if !ok {
		it, ok = c.basic.last("SourceUDP")
	}
	host, port, _ := splitHostPort(it.value, "")
	addr, err := netip.ParseAddr(host)
	switch {
	case !ok || host == "*" && port == "":
	case err == nil && !importer.SameFamily(addr, server): // not used for this server
	case err == nil && !addr.IsUnspecified():
		t.Set("source", addr.String())
		if port == "" {
			return
		}
		fallthrough
	default:
		t.Note(it.Place, "%s %s: source of a [[server]] is an IP address, without a port: the gateway has as many ports as it needs", it.name, it.value)
	}
}

// health writes how the server is checked.
func (c *conversion) health(t *importer.Table, b *block) {
	it, given := b.last("StatusServer")
	if given && !strings.EqualFold(it.value, "off") {
		t.Set("health", "status-server")
		return
	}
	t.Set("health", "none")
	c.once(t, "StatusServer is off. If the server answers Status-Server, health = \"status-server\" notices sooner when it is down and when it is back; "+
		"health = \"access-request\" does with a user of its own.")
}

// What is carried over of retransmissions: retransmit_count, which counts the first request,
// is at most 100.
const (
	maxRetries  = 99
	maxInterval = 3600 // seconds
)

// retries writes the schedule of retransmissions, where the configuration has one.
func retries(t *importer.Table, b *block) {
	count, haveCount := b.number("RetryCount")
	interval, haveInterval := b.number("RetryInterval")
	if !haveCount && !haveInterval {
		return
	}
	if !haveCount {
		count = 2
	}
	if !haveInterval {
		interval = 5
	}
	if count > maxRetries || interval < 1 || interval > maxInterval {
		t.Note(b.Place, "server %s: expected RetryCount of at most %d and RetryInterval from 1 to %d, got %d and %d", b.name, maxRetries, maxInterval, count, interval)
		count, interval = min(count, maxRetries), min(max(interval, 1), maxInterval)
	}
	seconds := func(n int) string { return strconv.Itoa(n) + "s" }
	t.Set("retransmit_initial", seconds(interval))
	t.Set("retransmit_max", seconds(interval))
	t.Set("retransmit_count", count+1)
	t.Set("retransmit_duration", seconds(interval*(count+1)))
}
