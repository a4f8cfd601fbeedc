package config

import (
	"crypto/tls"
	"math"
	"net"
	"net/netip"
	"slices"
)

// unlimited is the upper bound of the counts that need none.
const unlimited = math.MaxInt32

// readListen reads [listen].
func readListen(t *table) Listen {
	l := defaultListen()
	readAddresses(t, &l)
	t.require("certificate", "the path of the server's certificate chain (PEM)")
	t.file("certificate", &l.Certificate, MaxCertificates)
	t.require("private_key", "the path of the certificate's private key (PEM)")
	t.file("private_key", &l.PrivateKey, MaxKeys)
	known := t.choice("client_auth", &l.ClientAuth, AuthRequire, AuthOptional, AuthNone) || !t.has("client_auth")
	if known && l.ClientAuth != AuthNone {
		// RFC 6614 §2.3 (P104): the list of CAs is the operator's own, never the system's.
		t.require("client_ca", "the path of the CA certificates that clients are verified with (PEM)")
	}
	t.file("client_ca", &l.ClientCA, MaxCertificates)
	t.files("intermediates", &l.Intermediates, MaxCertificates)
	minTLS := "1.2"
	t.choice("min_tls", &minTLS, "1.2", "1.3")
	if minTLS == "1.3" {
		l.MinTLS = tls.VersionTLS13
	}
	readCipherSuites(t, &l)
	readCRL(t, &l)
	readRadiusVersions(t, &l)

	t.duration("silent_timeout", &l.SilentTimeout, "")
	t.duration("handshake_timeout", &l.HandshakeTimeout, "")
	t.duration("idle_timeout", &l.IdleTimeout, "never")
	t.duration("packet_timeout", &l.PacketTimeout, "")
	t.duration("write_timeout", &l.WriteTimeout, "")
	t.number("max_connections", &l.MaxConnections, 1, unlimited)
	t.number("max_connections_per_source", &l.MaxConnectionsPerSource, 0, unlimited)
	t.number("max_handshakes", &l.MaxHandshakes, 1, unlimited)
	t.number("max_packets_per_connection", &l.MaxPacketsPerConnection, 0, unlimited)
	t.number("max_outstanding", &l.MaxOutstanding, 0, unlimited)
	t.file("session_ticket_keys", &l.SessionTicketKeys, MaxKeys)
	readProxyProtocol(t, &l)
	t.duration("reload_interval", &l.ReloadInterval, "only on SIGHUP")
	t.duration("drain_timeout", &l.DrainTimeout, "at once")
	t.done()
	return l
}

func readAddresses(t *table, l *Listen) {
	var list []netip.AddrPort
	given := t.texts("address", func(path, s string) {
		a, err := parseListenAddress(s)
		switch {
		case err != nil:
			t.r.wrong(path, "%v", err)
		case a.Port() != 0 && slices.Contains(list, a):
			t.r.wrong(path, "%q is listed twice: remove one", s)
		case slices.ContainsFunc(list, func(b netip.AddrPort) bool { return a.Addr().Is4() == b.Addr().Is4() && overlap(a, b) }):
			t.r.wrong(path, "%q is taken in by the unspecified address with the same port: remove one of them", s)
		default:
			list = append(list, a)
		}
	})
	if given && len(t.values["address"].([]any)) == 0 {
		t.r.wrong(joinKey(t.path, "address"), `expected at least one address such as "0.0.0.0:2083", got an empty array`)
	}
	if given {
		l.Address = list
	}
}

// overlap says whether two listeners cannot both have their address. The
// unspecified IPv6 address takes IPv4, too.
func overlap(a, b netip.AddrPort) bool {
	takes := func(a, b netip.Addr) bool { return a.IsUnspecified() && (a.Is6() || b.Is4()) }
	return a.Port() != 0 && a.Port() == b.Port() && (a.Addr() == b.Addr() || takes(a.Addr(), b.Addr()) || takes(b.Addr(), a.Addr()))
}

// checkPorts sees that [metrics] does not want an address of [listen].
func checkPorts(r *reader, c *Config) {
	host, port, err := net.SplitHostPort(c.Metrics.Address)
	if err != nil {
		return // noted already
	}
	switch host {
	case "":
		host = "::"
	case "localhost":
		host = "127.0.0.1"
	}
	m, err := netip.ParseAddrPort(net.JoinHostPort(host, port))
	if err != nil {
		return // a name: what it stands for is known when it is opened
	}
	for i, a := range c.Listen.Address {
		if overlap(a, m) {
			at := joinIndex("listen.address", i)
			r.wrong("metrics.address", "%q is where %s (line %d) listens for RadSec: expected another port", c.Metrics.Address, at, r.places.line(at))
			return
		}
	}
}

// readCipherSuites takes the secure suites of TLS 1.2 (RFC 9325 §4.2, P102);
// those of TLS 1.3 are all secure and not for choosing.
func readCipherSuites(t *table, l *Listen) {
	var names []string
	ids := map[string]uint16{}
	for _, s := range tls.CipherSuites() {
		if slices.Contains(s.SupportedVersions, tls.VersionTLS12) {
			names = append(names, s.Name)
			ids[s.Name] = s.ID
		}
	}
	insecure := tls.InsecureCipherSuites()
	t.texts("cipher_suites", func(path, s string) {
		id, ok := ids[s]
		switch {
		case ok:
			l.CipherSuites = append(l.CipherSuites, id)
		case slices.ContainsFunc(insecure, func(c *tls.CipherSuite) bool { return c.Name == s }):
			t.r.wrong(path, "%s is not secure (RFC 9325 §4); expected of %s", s, oneOf(names))
		default:
			t.r.wrong(path, "expected %s, got %q%s", oneOf(names), s, suggest(s, names))
		}
	})
}

// readCRL reads the files of revocation lists and what an old one means.
func readCRL(t *table, l *Listen) {
	t.files("crl", &l.CRL, MaxCRL)
	t.choice("crl_stale", &l.CRLStale, CRLStaleAccept, CRLStaleRefuse)
	if len(l.CRL) > 0 && l.ClientAuth == AuthNone {
		t.r.wrong(joinKey(t.path, "crl"), "client_auth is \"none\": expected no revocation lists, for nobody shows a certificate")
	}
}

// readProxyProtocol reads the load balancers in front.
func readProxyProtocol(t *table, l *Listen) {
	t.texts("proxy_protocol", func(path, s string) {
		p, err := parseNetwork(s)
		if err != nil {
			t.r.wrong(path, "%v", err)
		}
		l.ProxyProtocol = append(l.ProxyProtocol, p)
	})
}

// readRadiusVersions reads the versions of RFC 9765 to negotiate; an empty array
// is none: no ALPN.
func readRadiusVersions(t *table, l *Listen) {
	const key = "radius_versions"
	if list, ok := t.values[key].([]any); ok && len(list) == 0 {
		t.take(key)
		l.RadiusVersions = nil
		return
	}
	t.choices(key, &l.RadiusVersions, "1.0", "1.1")
}
