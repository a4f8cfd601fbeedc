package config

import (
	"net/netip"
	"slices"
	"strings"

	"radsec-gw/config/defaults"
)

// Listener is one [[listener]]: further addresses for RadSec, with certificates, CAs,
// limits and clients of their own. Every key of [listen] may be given here, too, except for
// readable_keys, crl_directory, crl_refresh, key_log_file, reload_interval and drain_timeout,
// which are the whole gateway's; what is not given is as in [listen].
type Listener struct {
	// The name in log lines, metrics and on the status page. Unique; "listen" is [listen].
	// Required.
	Name string

	// "tls": RADIUS/TLS over TCP (RFC 6614). "dtls": RADIUS/DTLS over UDP (RFC 7360), usually
	// on port 2083, too, with DTLS 1.2; a client needs transports = ["tls", "dtls"] or
	// ["dtls"], and its secret is "radius/dtls" unless it is given. min_tls, cipher_suites,
	// radius_versions, session_ticket_keys, silent_timeout, packet_timeout, write_timeout and
	// proxy_protocol have no meaning for DTLS; handshake_timeout is "30s" there by default,
	// because what is lost is sent again. A client that is idle for idle_timeout is forgotten:
	// from "60s" to "10m" is of use.
	// Default: "tls"
	Transport string // TransportTLS, TransportDTLS

	Listen Listen // [listen], with what is given here instead
}

// Certificate is one [[certificate]]: a further certificate of the gateway.
type Certificate struct {
	// A certificate with its intermediates, leaf first, and its private key, as in [listen].
	// Several certificates may have the same names, one with an ECDSA key and one with an RSA
	// key for example.
	//
	// A client gets the first certificate that has the name it asks for (SNI) and that it
	// can verify, by the signature algorithms that it offers. A client that asks for no name,
	// as radsecproxy, or that can verify none with that name, gets the first that it can
	// verify; if there is none, the first. That of [listen] or [[listener]] itself comes before
	// these. Which certificate a client gets says nothing about whether it is let in.
	// Required.
	Certificate string // path
	// Required.
	PrivateKey string // path

	// The names that it is presented for, instead of those in it. "*." matches one whole
	// label.
	// Default: [], those in the certificate
	Names []string // lower case

	// Where it is presented: names of [[listener]], and "listen".
	// Default: [], by [listen] and by each [[listener]] that gives no certificate of its own
	Listeners []string
}

// Front is what RadSec clients connect to: [listen] or a [[listener]].
type Front struct {
	Name      string // defaults.Listener for [listen]
	Transport string // TransportTLS, TransportDTLS
	Listen    *Listen

	config *Config
	table  string // "listen", "listener[0]"
}

// Fronts returns [listen], then each [[listener]] in file order.
func (c *Config) Fronts() []Front {
	list := []Front{{defaults.Listener, TransportTLS, &c.Listen, c, "listen"}}
	for i := range c.Listeners {
		list = append(list, Front{c.Listeners[i].Name, c.Listeners[i].Transport, &c.Listeners[i].Listen, c, joinIndex("listener", i)})
	}
	return list
}

// Key returns the path of one of the front's keys: in its own table, or in [listen] if it is
// not given there.
func (f *Front) Key(key string) string {
	if path := joinKey(f.table, key); f.config.given(path) {
		return path
	}
	return joinKey("listen", key)
}

// Accepts reports whether the front accepts a client: it has the client's name in its clients,
// and a transport that the client may use.
func (f *Front) Accepts(c *Client) bool {
	return (len(f.Listen.Clients) == 0 || slices.Contains(f.Listen.Clients, c.Name)) && slices.Contains(c.Transports, f.Transport)
}

// Presents reports whether the front presents a certificate beside its own.
func (f *Front) Presents(c *Certificate) bool {
	if len(c.Listeners) > 0 {
		return slices.Contains(c.Listeners, f.Name)
	}
	return f.Key("certificate") == "listen.certificate"
}

// MaxConnections returns the sum of max_connections of the fronts whose connections have a file
// descriptor each: those of TLS.
func (c *Config) MaxConnections() (n int) {
	for _, f := range c.Fronts() {
		if f.Transport == TransportTLS {
			n += f.Listen.MaxConnections
		}
	}
	return n
}

func defaultListener() Listener { return Listener{Transport: TransportTLS} }

// readListener reads a [[listener]] beside a [listen].
func readListener(t *table, listen *Listen) Listener {
	l := defaultListener()
	l.Listen = *listen
	readName(t, &l.Name)
	if l.Name == defaults.Listener {
		t.r.wrong(joinKey(t.path, "name"), "%q means [listen]: expected another name", l.Name)
	}
	l.Listen.Address = nil
	t.require("address", `where it listens, such as ["0.0.0.0:2084"]`)
	if t.has("certificate") || t.has("private_key") {
		requirePair(t)
	}
	t.choice("transport", &l.Transport, TransportTLS, TransportDTLS)
	if l.Transport == TransportDTLS {
		refuseForDTLS(t)
		l.Listen.HandshakeTimeout = defaults.HandshakeTimeoutDTLS
	}
	readFront(t, &l.Listen)
	t.done()
	return l
}

// refuseForDTLS notes the keys that mean nothing for DTLS.
func refuseForDTLS(t *table) {
	for _, key := range []string{"min_tls", "cipher_suites", "radius_versions", "session_ticket_keys", "silent_timeout", "packet_timeout", "write_timeout", "proxy_protocol"} {
		if t.has(key) {
			t.r.wrong(joinKey(t.path, key), "has no meaning with transport = \"dtls\": remove it")
		}
	}
}

// readCertificate reads a [[certificate]].
func readCertificate(t *table) (c Certificate) {
	requirePair(t)
	t.file("certificate", &c.Certificate, MaxCertificates)
	t.file("private_key", &c.PrivateKey, MaxKeys)
	t.texts("names", func(path, s string) {
		if s == "" || strings.ContainsAny(s, " \t/:") {
			t.r.wrong(path, "expected a host name such as \"radsec.example.org\", got %q", s)
			return
		}
		c.Names = append(c.Names, strings.ToLower(strings.TrimSuffix(s, ".")))
	})
	t.texts("listeners", func(_, s string) { c.Listeners = append(c.Listeners, s) })
	t.done()
	return c
}

// requirePair notes a mistake for a certificate without its key, and the other way round.
func requirePair(t *table) {
	t.require("certificate", "the path of the server's certificate chain (PEM)")
	t.require("private_key", "the path of the certificate's private key (PEM)")
}

// checkFronts checks the names that [listen], [[listener]] and [[certificate]] mention, and
// that no two of them have the same address.
func checkFronts(r *reader, c *Config) {
	fronts := c.Fronts()
	var clients, listeners []string
	for i := range c.Clients {
		clients = append(clients, c.Clients[i].Name)
	}
	for i := range fronts {
		listeners = append(listeners, fronts[i].Name)
		for j, name := range fronts[i].Listen.Clients {
			at := joinIndex(fronts[i].Key("clients"), j)
			if !slices.Contains(clients, name) && (fronts[i].table == "listen" || fronts[i].Key("clients") != "listen.clients") {
				r.wrong(at, "expected the name of a [[client]], got %q%s", name, suggest(name, clients))
			}
		}
		for j := range i {
			if fronts[i].Transport == fronts[j].Transport { // TCP and UDP have ports of their own
				checkOverlap(r, &fronts[j], &fronts[i])
			}
		}
	}
	for i := range c.Certificates {
		for j, name := range c.Certificates[i].Listeners {
			if !slices.Contains(listeners, name) {
				r.wrong(joinIndex(joinKey(joinIndex("certificate", i), "listeners"), j), "expected \"listen\" or the name of a [[listener]], got %q%s", name, suggest(name, listeners))
			}
		}
	}
}

// checkDynamicPorts notes an address of [dynamic_authorization] that a front has on UDP.
func checkDynamicPorts(r *reader, c *Config) {
	for _, f := range c.Fronts() {
		if f.Transport != TransportDTLS {
			continue
		}
		for i, a := range f.Listen.Address {
			if k := slices.IndexFunc(c.DynamicAuthorization.Address, func(o netip.AddrPort) bool { return overlap(a, o) }); k >= 0 {
				at, other := joinIndex("dynamic_authorization.address", k), joinIndex(f.Key("address"), i)
				r.wrong(at, "%v is where %s (%s) listens for DTLS: expected another port", c.DynamicAuthorization.Address[k], other, r.places.where(other, at))
			}
		}
	}
}

// checkOverlap notes an address of b that a has, too.
func checkOverlap(r *reader, a, b *Front) {
	for i, address := range b.Listen.Address {
		same := func(o netip.AddrPort) bool {
			return address.Port() != 0 && address.Addr().Is4() == o.Addr().Is4() && overlap(address, o)
		}
		if k := slices.IndexFunc(a.Listen.Address, same); k >= 0 {
			at, other := joinIndex(joinKey(b.table, "address"), i), joinIndex(joinKey(a.table, "address"), k)
			r.wrong(at, "%v is where %s (%s) listens: expected another address or port", address, other, r.places.where(other, at))
		}
	}
}
