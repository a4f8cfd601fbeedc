package freeradius

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"radsec-gw/importer"
)

// listener is a listen section, and the virtual server that it is in.
type listener struct {
	*section
	in *section
}

// listeners returns the listen sections with tls, or those without.
func (c *conversion) listeners(secure bool) (found []listener) {
	for _, v := range c.virtual {
		for _, s := range v.all("listen") {
			if (len(s.all("tls")) > 0) == secure {
				found = append(found, listener{s, v})
			}
		}
	}
	return found
}

// address returns where a section listens, or which address it names; "*" is any of IPv4.
func address(s *section) (p pair, ok bool) { return s.value("ipaddr", "ipv4addr", "ipv6addr") }

// listen writes [listen], and returns the listen sections that it takes the place of.
func (c *conversion) listen() []listener {
	t := c.draft.Add("[listen]")
	secure := c.listeners(true)
	if len(secure) == 0 {
		t.Set("certificate", "/etc/radsec-gw/server.pem")
		t.Set("private_key", "/etc/radsec-gw/server.key")
		t.Set("client_ca", "/etc/radsec-gw/client-ca.pem")
		t.Note(importer.Place{File: c.draft.Source}, "no listen section has tls: put the gateway's certificate, its key, and the CA of the clients into these files")
		return nil
	}
	first, tls := secure[0], secure[0].one("tls")
	t.Comment("%s, listen; FreeRADIUS must no longer listen there.", first.Place)
	var addresses []string
	var taken []listener
	for _, l := range secure {
		if other := l.one("tls"); other.text("certificate_file", "") != tls.text("certificate_file", "") {
			t.Note(l.Place, "listen: the gateway has one certificate, that of %s, and does not listen where this one does", first.Place)
			continue
		}
		addresses = append(addresses, listenAddress(t, l.section))
		taken = append(taken, l)
	}
	t.Set("address", importer.ListenAddresses(addresses))
	c.tls(t, tls)
	connections := first.one("limit").text("max_connections", defaultConnections)
	if n, err := strconv.Atoi(connections); err == nil && n > 0 && connections != defaultConnections {
		t.Set("max_connections", n)
	}
	for _, l := range taken {
		if l.section != first.section {
			noteOtherTLS(t, l.one("tls"), tls)
			if p, ok := l.one("limit").value("max_connections"); ok && p.value != connections {
				t.Note(p.Place, "max_connections = %s: max_connections of [listen] is for all its addresses together", p.value)
			}
		}
		noteListen(t, l.section)
	}
	return taken
}

// defaultConnections is max_connections of a limit section in FreeRADIUS.
const defaultConnections = "16"

// noteListen notes what else a listen section has.
func noteListen(t *importer.Table, s *section) {
	for _, name := range []string{"type", "proto", "port", "virtual_server", "clients", "limit"} {
		s.use(name)
	}
	noteLimit(t, s.one("limit"))
	s.noteRest(t, map[string]string{
		"proxy_protocol":           "the networks of the load balancers belong into proxy_protocol of [listen]",
		"check_client_connections": "", "nonblock": "", "interface": "the gateway listens on addresses",
	})
}

// noteLimit notes what a limit section has beside max_connections, unless that is what
// FreeRADIUS does without it.
func noteLimit(t *importer.Table, s *section) {
	s.use("max_connections")
	if p, ok := s.value("idle_timeout"); ok && p.value != "30" {
		t.Note(p.Place, "idle_timeout = %s: idle_timeout of [listen] is for all clients", p.value)
	}
	if p, ok := s.value("lifetime"); ok && p.value != "0" {
		t.Note(p.Place, "lifetime = %s: the gateway ends no connection for its age", p.value)
	}
	s.noteRest(t, nil)
}

// noteOtherTLS notes where the tls section of a further listen section differs from the one
// that [listen] is made of.
func noteOtherTLS(t *importer.Table, s, first *section) {
	const one = "[listen] has this once, for all its addresses"
	without := slices.DeleteFunc([]string{
		"private_key_file", "private_key_password", "ca_file", "ca_path", "tls_min_version", "disable_tlsv1_2", "tls_max_version", "require_client_cert",
		"cipher_list", "check_crl", "reject_unknown_intermediate_ca", "check_cert_cn", "check_cert_issuer", "verify",
	}, func(name string) bool { return s.has(name) || !first.has(name) })
	if len(without) > 0 {
		t.Note(s.Place, "tls without %s: %s, as %s says", strings.Join(without, ", "), one, first.Place)
	}
	texts, usual := map[string]string{}, tlsTexts()
	for _, name := range s.names() {
		if why, known := usual[name]; s.same(first, name) || known && why == "" {
			texts[name] = ""
			continue
		}
		texts[name] = one + ", as " + first.Place.String() + " says"
	}
	s.used = nil // what this section says was asked for, but not carried over
	s.noteRest(t, texts)
}

// listenAddress returns the address and the port of a listen section.
func listenAddress(t *importer.Table, s *section) string {
	p, _ := address(s)
	port := s.text("port", "0")
	if port == "0" {
		port = "2083"
	}
	host := p.value
	if host == "*" || host == "" {
		host = "0.0.0.0"
	}
	if _, err := netip.ParseAddr(host); err != nil {
		t.Note(p.Place, "ipaddr = %s: the gateway listens on IP addresses; put that of the name into address", host)
		host = "0.0.0.0"
	}
	if !importer.IsPort(port) {
		t.Note(s.Place, "port = %s: expected a number from 1 to 65535; 2083 is assumed", port)
		port = "2083"
	}
	return net.JoinHostPort(host, port)
}

// tls writes what a tls section says.
func (c *conversion) tls(t *importer.Table, s *section) {
	for _, k := range []struct{ name, key, otherwise string }{
		{"certificate_file", "certificate", "/etc/radsec-gw/server.pem"}, {"private_key_file", "private_key", "/etc/radsec-gw/server.key"}, {"ca_file", "client_ca", "/etc/radsec-gw/client-ca.pem"},
	} {
		if p, ok := s.value(k.name); ok && p.value != "" {
			t.Set(k.key, c.path(p.value))
			continue
		}
		t.Set(k.key, k.otherwise)
		t.Note(s.Place, "tls without %s: put it into this file", k.name)
	}
	if p, ok := s.value("private_key_password"); ok && !c.plainKey(s) {
		t.Note(p.Place, "private_key_password: the gateway reads keys without a password. Decrypt it with: openssl pkey -in KEY -out NEW, and protect the new file by its mode")
	}
	p, ok := s.value("tls_min_version")
	switch v, _ := strconv.ParseFloat(p.value, 64); {
	case v >= 1.3 || s.yes("disable_tlsv1_2", false):
		t.Set("min_tls", "1.3")
	case ok && v < 1.2:
		t.Note(p.Place, "tls_min_version = %s: TLS 1.2 is the oldest version that the gateway speaks", p.value)
	}
	if p, ok := s.value("tls_max_version"); ok && p.value != "1.3" {
		t.Note(p.Place, "tls_max_version = %s: the gateway also speaks TLS 1.3 with the clients that can", p.value)
	}
	if !s.yes("require_client_cert", true) {
		t.Set("client_auth", "optional")
	}
	if p, ok := s.value("cipher_list"); ok && !strings.EqualFold(p.value, "DEFAULT") {
		t.Note(p.Place, "cipher_list = %s: the gateway uses the suites of Go; cipher_suites chooses among them for TLS 1.2", p.value)
	}
	if p, ok := s.value("check_crl"); ok && s.yes("check_crl", false) {
		t.Note(p.Place, "check_crl = yes: name the files with the revocation lists in crl; those in ca_file count as they are")
	}
	c.tlsRest(t, s)
}

// tlsRest notes what else a tls section has.
func (c *conversion) tlsRest(t *importer.Table, s *section) {
	s.use("verify")
	if verify := s.one("verify"); len(verify.pairs) > 0 {
		t.Note(verify.Place, "verify { … }: the gateway runs no program to verify a certificate; see networks to policy_oid of [[client]] for the conditions that it has")
	}
	for _, name := range []string{"check_cert_cn", "check_cert_issuer"} {
		if p, ok := s.value(name); ok {
			t.Note(p.Place, "%s = %s: set common_name or issuer in each [[client]]", name, p.value)
		}
	}
	if p, ok := s.value("reject_unknown_intermediate_ca"); ok && s.yes(p.name, false) {
		t.Note(p.Place, "%s = %s: the gateway accepts intermediate certificates that a client sends, if they lead to client_ca", p.name, p.value)
	}
	if p, ok := s.value("ca_path"); ok {
		t.Note(p.Place, "ca_path = %s: the gateway reads files, not directories. Put the CA certificates whose clients may connect into client_ca", p.value)
	}
	s.noteRest(t, tlsTexts())
}

// tlsTexts has a text for what may be in a tls section and has no counterpart; an empty one
// means that nothing is lost.
func tlsTexts() map[string]string {
	return map[string]string{
		"fragment_size": "", "include_length": "", "dh_file": "", "random_file": "", "ecdh_curve": "", "auto_chain": "", "cache": "",
		"ca_path_reload_interval": "", "cipher_server_preference": "", "allow_renegotiation": "", "disable_tlsv1": "", "disable_tlsv1_1": "",
		"disable_single_dh_use": "", "check_all_crl": "", "connect_timeout": "", "sigalgs_list": "", "keylog_file": "",
		"certificate_file_type": "", "pem_file_type": "",
		"ocsp":         "the gateway does not ask OCSP responders; use revocation lists (crl)",
		"psk_identity": noPSK, "psk_hexphrase": noPSK, "psk_query": noPSK,
	}
}

// noPSK is what is said of pre-shared keys.
const noPSK = "over TLS the gateway knows clients by their certificates only; over DTLS a [[client]] may have psk_identity and psk"

// plainKey reports whether the private key can be read and is not encrypted, so that its
// password does not matter.
func (c *conversion) plainKey(s *section) bool {
	text, err := c.p.source.Read(c.path(s.text("private_key_file", "")))
	return err == nil && strings.Contains(text, "PRIVATE KEY") && !strings.Contains(text, "ENCRYPTED")
}
