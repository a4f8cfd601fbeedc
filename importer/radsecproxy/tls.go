package radsecproxy

import (
	"net"
	"net/netip"
	"strings"

	"radsec-gw/importer"
)

// What [listen] names when the configuration does not say.
const (
	unknownCertificate = "/etc/radsec-gw/server.pem"
	unknownKey         = "/etc/radsec-gw/server.key"
	unknownCA          = "/etc/radsec-gw/client-ca.pem"
)

// tlsOf returns the tls block of a client, nil if there is none.
func (c *conversion) tlsOf(client *block) *block {
	if it, ok := client.last("tls"); ok {
		return c.tlsByName[strings.ToLower(it.value)]
	}
	return c.defaultTLS()
}

// defaultTLS returns the tls block of clients that name none.
func (c *conversion) defaultTLS() *block {
	if b := c.tlsByName["defaultclient"]; b != nil {
		return b
	}
	return c.tlsByName["default"]
}

// overDTLS reports whether a client's type is dtls.
func (b *block) overDTLS() bool { return strings.EqualFold(b.text("type"), "dtls") }

// findTLS finds the tls blocks that clients over TLS and DTLS use, and the one for [listen]:
// that of the first client over TLS.
func (c *conversion) findTLS() {
	c.tlsByName, c.tlsUsed = map[string]*block{}, map[*block]bool{}
	for _, b := range c.tls {
		if key := strings.ToLower(b.name); c.tlsByName[key] == nil {
			c.tlsByName[key] = b
		}
	}
	for _, client := range c.clients {
		switch b := c.tlsOf(client); {
		case strings.EqualFold(client.text("type"), "tls"):
			if c.listening == nil {
				c.listening = b
			}
			c.tlsUsed[b] = true
		case client.overDTLS():
			if _, psk := client.last("PSKkey"); psk {
				continue // which is not carried over
			}
			if c.firstDTLS == nil {
				c.firstDTLS = client
			}
			c.tlsUsed[b] = true
		}
	}
	if c.listening == nil && c.firstDTLS != nil {
		c.listening = c.tlsOf(c.firstDTLS)
	}
	if c.listening == nil {
		c.listening = c.defaultTLS()
	}
}

// listen writes [listen].
func (c *conversion) listen() {
	t := c.draft.Add("[listen]")
	c.addresses(t, "ListenTLS")
	b := c.listening
	if b == nil {
		t.Set("certificate", unknownCertificate)
		t.Set("private_key", unknownKey)
		t.Set("client_ca", unknownCA)
		t.Note(importer.Place{File: c.draft.Source}, "there is no tls block for clients: put the gateway's certificate, its key, and the CA of the clients into these files")
	} else {
		c.listenTLS(t, b)
	}
	for _, other := range c.tls {
		if other != b && c.tlsUsed[other] {
			noteOtherTLS(t, other, b, c.firstDTLS != nil && other == c.tlsOf(c.firstDTLS))
		}
	}
}

// listenDTLS writes the [[listener]] of the clients over DTLS, if there are any. It has its own
// certificate where the tls block of the first of them has.
func (c *conversion) listenDTLS() {
	if c.firstDTLS == nil {
		return
	}
	t := c.draft.Add("[[listener]]")
	t.Comment("The clients of type dtls")
	t.Set("name", "dtls")
	t.Set("transport", "dtls")
	c.addresses(t, "ListenDTLS")
	b := c.tlsOf(c.firstDTLS)
	if b == nil || b == c.listening || b.text("CertificateFile") == c.listening.text("CertificateFile") {
		return
	}
	certificate, key := b.text("CertificateFile"), b.text("CertificateKeyFile")
	if certificate == "" || key == "" {
		t.Note(b.Place, "tls %s: expected CertificateFile and CertificateKeyFile; without both, clients over DTLS get the certificate of tls %s", b.name, c.listening.name)
		return
	}
	t.Set("certificate", fileName(certificate))
	t.Set("private_key", fileName(key))
}

// noteOtherTLS notes where a tls block that clients use differs from the one that [listen]
// is made of. Its CA and PolicyOID are written for each client, its certificate in the
// [[listener]] for DTLS if it is of that.
func noteOtherTLS(t *importer.Table, b, listening *block, ofListener bool) {
	if !ofListener && b.text("CertificateFile") != listening.text("CertificateFile") {
		t.Note(b.Place, "tls %s: the gateway has one certificate, that of tls %s; the clients with this block get it, too", b.name, listening.name)
	}
	var without []string
	for _, name := range []string{"CertificateKeyPassword", "CRLCheck", "TlsVersion", "CipherList", "CipherSuites"} {
		switch it, ok := b.last(name); {
		case it.value == listening.text(name), !ok && name == "CertificateKeyPassword":
		case ok:
			t.Note(it.Place, "%s %s of tls %s: [listen] has this once, for all clients, as tls %s says", it.name, shown(&it), b.name, listening.name)
		default:
			without = append(without, name)
		}
	}
	if len(without) > 0 {
		t.Note(b.Place, "tls %s without %s: [listen] has this once, for all clients, as tls %s says", b.name, strings.Join(without, ", "), listening.name)
	}
}

// addresses writes where to listen, as an option says. Without it, radsecproxy listens on all
// addresses.
func (c *conversion) addresses(t *importer.Table, option string) {
	var all []string
	for _, it := range c.basic.all(option) {
		host, port, ok := splitHostPort(it.value, "2083")
		switch {
		case host == "*":
			host = "::"
		case strings.EqualFold(host, "localhost"):
			host = "127.0.0.1"
		}
		if _, err := netip.ParseAddr(host); err != nil || !ok {
			t.Note(it.Place, "%s %s: the gateway listens on IP addresses; put that of the name, with the port, into address", option, it.value)
			continue
		}
		if !importer.IsPort(port) {
			t.Note(it.Place, "%s %s: expected a port from 1 to 65535, got %q", option, it.value, port)
			continue
		}
		all = append(all, net.JoinHostPort(host, port))
	}
	if len(all) == 0 {
		all = []string{"[::]:2083"}
	}
	t.Set("address", importer.ListenAddresses(all))
}

// splitHostPort splits HOST[:PORT], in which an IPv6 address is in brackets when there is a
// port. ok is false if it has not this form.
func splitHostPort(s, otherwise string) (host, port string, ok bool) {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return addr.String(), otherwise, true
	}
	host, port, found := strings.Cut(s, ":")
	if strings.HasPrefix(s, "[") {
		var err error
		host, port, err = net.SplitHostPort(s)
		return host, portNumber(port), err == nil
	}
	if !found {
		port = otherwise
	}
	port = portNumber(port)
	return host, port, host != "" && port != "" && strings.Trim(port, "0123456789") == ""
}

// portNumber returns the port that radsec is, and others as they are.
func portNumber(port string) string {
	if strings.EqualFold(port, "radsec") {
		return "2083"
	}
	return port
}

// listenTLS writes what a tls block says.
func (c *conversion) listenTLS(t *importer.Table, b *block) {
	t.Comment("%s, tls %s", b.Place, b.name)
	for _, k := range []struct{ option, key, otherwise string }{
		{"CertificateFile", "certificate", unknownCertificate}, {"CertificateKeyFile", "private_key", unknownKey}, {"CACertificateFile", "client_ca", unknownCA},
	} {
		if path := b.text(k.option); path != "" {
			t.Set(k.key, fileName(path))
			continue
		}
		t.Set(k.key, k.otherwise)
		if k.key != "client_ca" || b.text("CACertificatePath") == "" {
			t.Note(b.Place, "tls %s has no %s: put it into this file", b.name, k.option)
		}
	}
	if it, ok := b.last("CACertificatePath"); ok {
		t.Note(it.Place, "CACertificatePath %s: the gateway reads files, not directories. Put the CA certificates whose clients may connect into client_ca, intermediates into intermediates, and revocation lists into crl", it.value)
	}
	if it, ok := b.last("CertificateKeyPassword"); ok {
		t.Note(it.Place, "CertificateKeyPassword …: the gateway reads keys without a password. Decrypt it with: openssl pkey -in KEY -out NEW, and protect the new file by its mode")
	}
	if it, ok := b.last("CRLCheck"); ok && strings.EqualFold(it.value, "on") {
		t.Note(it.Place, "CRLCheck on: revocation lists in CACertificateFile count as they are; name the others in crl. With crl_stale = \"refuse\", a list that is out of date counts as it does in radsecproxy")
	}
	if it, ok := b.last("TlsVersion"); ok {
		minTLS(t, it)
	}
	b.all("PolicyOID") // written for each client
	b.noteRest(t, map[string]string{
		"cacheexpiry": "", "dhfile": "", "dtlsversion": "",
		"cipherlist":   "the gateway uses the suites of Go; cipher_suites chooses among them for TLS 1.2",
		"ciphersuites": "the suites of TLS 1.3 cannot be chosen",
	})
}

// minTLS writes the oldest version of TLS.
func minTLS(t *importer.Table, it item) {
	from, to, isRange := strings.Cut(strings.ToUpper(it.value), ":")
	switch {
	case from == "TLS1_3":
		t.Set("min_tls", "1.3")
	case from == "TLS1_2":
		t.Set("min_tls", "1.2")
	case from != "":
		t.Note(it.Place, "TlsVersion %s: TLS 1.2 is the oldest version that the gateway speaks", it.value)
	}
	if from != "TLS1_3" && (!isRange && from == "TLS1_2" || isRange && to != "" && to != "TLS1_3") {
		t.Note(it.Place, "TlsVersion %s: the gateway also speaks TLS 1.3 with the clients that can", it.value)
	}
}
