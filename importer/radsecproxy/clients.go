package radsecproxy

import (
	"net/netip"
	"slices"
	"strings"

	"radsec-gw/importer"
)

// hosts are the host options of a client, which is where it connects from, and what its
// certificate must have unless they are networks.
type hosts struct {
	networks  []string
	addresses []string
	names     []string // host names
}

// hostsOf returns the host options of a client, or its name when it has none.
func hostsOf(b *block) (h hosts, err error) {
	all := b.all("host")
	if len(all) == 0 {
		all = []item{{Place: b.Place, value: b.name}}
	}
	for _, it := range all {
		address, length, isPrefix := strings.Cut(it.value, "/")
		addr, err := netip.ParseAddr(strings.Trim(address, "[]"))
		switch prefix, prefixErr := netip.ParsePrefix(addr.String() + "/" + length); {
		case isPrefix && (err != nil || prefixErr != nil):
			return h, wrong(it.Place, "expected an address, a network such as 192.0.2.0/24 or a name for host, got %q", it.value)
		case isPrefix:
			h.networks = append(h.networks, prefix.Masked().String())
		case err != nil:
			h.names = append(h.names, it.value)
		default:
			h.addresses = append(h.addresses, addr.String())
		}
	}
	return h, nil
}

// client writes a client block: one [[client]] for its networks, one for its addresses and
// one for its host names, because they demand different things of a certificate.
func (c *conversion) client(b *block) error {
	switch kind := strings.ToLower(b.text("type")); kind {
	case "tls", "dtls":
	case "udp", "tcp":
		c.draft.Note(b.Place, "client %s: the gateway accepts RADIUS over TLS and DTLS only, not over %s. Keep radsecproxy for this client, with this gateway as its server of type tls", b.name, kind)
		return nil
	default:
		c.draft.Note(b.Place, "client %s: expected the type udp, tcp, tls or dtls, got %q", b.name, kind)
		return nil
	}
	h, err := hostsOf(b)
	if err != nil {
		return err
	}
	first := true
	for _, one := range []hosts{{networks: h.networks}, {addresses: h.addresses}, {names: h.names}} {
		if len(one.networks)+len(one.addresses)+len(one.names) > 0 {
			c.clientFrom(b, one, first)
			first = false
		}
	}
	return nil
}

// clientFrom writes one [[client]]. Where a condition cannot be carried over, the table is
// written as a comment: without it more clients would match than before.
func (c *conversion) clientFrom(b *block, h hosts, first bool) {
	t := c.draft.Add("[[client]]")
	if first {
		t.Comment("%s, client %s", b.Place, b.name)
	} else {
		t.Comment("%s, client %s, its other hosts", b.Place, b.name)
	}
	name := c.names.Unique("client", b.name)
	t.Set("name", name)
	m := conditions{keys: map[string][]string{}}
	if networks := slices.Concat(h.networks, h.addresses); len(networks) > 0 {
		t.Set("networks", networks)
	}
	if b.on("CertificateNameCheck", true) {
		m.checkNames(b, h)
	}
	for _, it := range b.all("MatchCertificateAttribute") {
		m.match(it)
	}
	if len(h.names) > 0 {
		t.Note(b.Place, "client %s: the gateway does not look up the names of clients, so this one may connect from any address; networks restricts it", b.name)
		if len(m.keys) == 0 {
			m.fail(b.Place, "without a condition on the certificate, every client of the CA would match: give networks or a name in the certificate")
		}
	}
	c.tlsOfClient(t, b, &m)
	m.write(t)
	if m.remark != "" {
		c.once(t, m.remark)
	}
	if it, ok := b.last("PSKkey"); ok {
		m.fail(it.Place, "PSKkey …: the gateway takes a pre-shared key over DTLS only, and radsecproxy over TLS only")
	}
	for _, n := range m.failed {
		t.Disabled = true
		t.Note(n.Place, "%s. The client is written as a comment, because without this condition it would match more certificates", n.Text)
	}
	secret := "radsec"
	if b.overDTLS() {
		t.Set("transports", []string{"dtls"})
		secret = "radius/dtls"
	}
	if it, ok := b.last("secret"); ok && it.value != secret {
		t.SetSecret(it.Place, "secret", name, []byte(it.value))
	}
	if b.on("requireMessageAuthenticator", c.basic.on("requireMessageAuthenticator", false)) {
		t.Set("require_message_authenticator", "access")
	}
	c.rulesOfClient(t, b)
	if first {
		c.noteClient(t, b)
	}
}

// noteClient notes the options of a client that have no counterpart.
func (c *conversion) noteClient(t *importer.Table, b *block) {
	for _, done := range []string{"FticksVISCOUNTRY", "FticksVISINST", "tls", "PSKidentity"} {
		b.all(done)
	}
	b.noteRest(t, map[string]string{
		"tcpkeepalive": "", "ipv4only": "", "ipv6only": "", "requiremessageauthenticatorproxy": "", "certificatecncheck": "", "servername": "",
		"duplicateinterval": "an answer is kept for repeated requests for 5 seconds, for every client",
		"idletimeout":       "idle_timeout of [listen] is for all clients",
		"addttl":            "the gateway neither reads nor writes a TTL",
	})
}

// tlsOfClient writes what the tls block of a client demands of its certificate.
func (c *conversion) tlsOfClient(t *importer.Table, b *block, m *conditions) {
	own := c.tlsOf(b)
	if own == nil {
		if it, ok := b.last("tls"); ok {
			m.fail(it.Place, "tls "+it.value+": expected the name of a tls block, which says whose certificates are accepted")
		}
		return
	}
	file, dir := own.text("CACertificateFile"), own.text("CACertificatePath")
	if file != c.listening.text("CACertificateFile") || dir != c.listening.text("CACertificatePath") {
		const gather = "the gateway reads files, not directories. Put the CA certificates whose clients may connect into one file, and name it in ca"
		at := own.Place
		if it, ok := own.last("CACertificatePath"); ok {
			at = it.Place
		}
		if file == "" {
			m.fail(at, "tls "+own.name+" without CACertificateFile: "+gather)
		} else {
			t.Set("ca", fileName(file))
			if dir != "" {
				t.Note(at, "CACertificatePath %s of tls %s: %s", dir, own.name, gather)
			}
		}
	}
	var oids []string
	for _, it := range own.all("PolicyOID") {
		oids = append(oids, it.value)
	}
	if len(oids) > 0 {
		t.Set("policy_oid", oids)
	}
}
