package config

import (
	"slices"
	"strconv"
	"strings"

	"radsec-gw/certs"
)

// readPSK reads the pre-shared key of a client.
func readPSK(t *table, c *Client) {
	named := t.text("psk_identity", &c.PSKIdentity) && c.PSKIdentity != ""
	if named {
		if err := certs.CheckPSKIdentity(c.PSKIdentity); err != nil {
			t.r.wrong(joinKey(t.path, "psk_identity"), "%v", err)
		}
	}
	var given Secret
	switch has := t.secret("psk", &given, false); {
	case has && !named && !t.isWrongType("psk_identity"):
		t.r.wrong(joinKey(t.path, t.pskKey()), "expected psk_identity beside it, which the client sends")
	case has && given.Len() > 0: // otherwise the mistake is noted already
		c.PSK = t.parsePSK(given)
	case named && !has:
		t.r.wrong(joinKey(t.path, "psk_identity"), "expected psk, psk_file or psk_env beside it")
	}
	if !named {
		return
	}
	at := joinKey(t.path, "psk_identity")
	if slices.Contains(c.Transports, TransportTLS) {
		t.r.wrong(at, "expected transports = [\"dtls\"] beside it: over TLS a PSK is not supported")
	}
	if c.ByCertificate() {
		t.r.wrong(at, "expected no condition on a certificate beside it: this client has none")
	}
}

// parsePSK returns the key that is given as text or in hexadecimal form.
func (t *table) parsePSK(given Secret) Secret {
	key, err := certs.ParsePSK(string(given.Bytes()))
	if err == nil {
		t.r.warn(joinKey(t.path, t.pskKey()), "", certs.WarnPSK(key))
		return NewSecret(key)
	}
	t.r.wrong(joinKey(t.path, t.pskKey()), "%v", err)
	return Secret{}
}

// pskKey returns the name of the key that gives the PSK.
func (t *table) pskKey() string {
	for _, k := range []string{"psk_file", "psk_env"} {
		if t.has(k) {
			return k
		}
	}
	return "psk"
}

// checkPSKs notes an identity that two clients of a listener have, and a PSK that is a shared
// secret of RADIUS, too (RFC 9813 §4.1).
func checkPSKs(r *reader, c *Config) {
	for i := range c.Clients {
		cl, path := &c.Clients[i], joinIndex("client", i)
		if cl.PSKIdentity == "" {
			continue
		}
		for k := range i {
			if other := &c.Clients[k]; other.PSKIdentity == cl.PSKIdentity && c.meet(cl, other) {
				r.wrong(joinKey(path, "psk_identity"), "client %q has it, too, at the same listener: expected another one", other.Name)
			}
		}
		if cl.PSK.Len() == 0 {
			continue // noted already
		}
		if of := c.whoseSecret(cl.PSK); of != "" {
			r.wrong(joinKey(path, "psk_identity"), "its PSK is %s, too: RADIUS hides that with MD5 only, so expected another PSK (RFC 9813 §4.1)", of)
		}
	}
}

// meet reports whether a listener accepts both clients.
func (c *Config) meet(a, b *Client) bool {
	return slices.ContainsFunc(c.Fronts(), func(f Front) bool { return f.Accepts(a) && f.Accepts(b) })
}

// whoseSecret says where a key is a shared secret of RADIUS, as it is or in hexadecimal form; "" if
// it is none.
func (c *Config) whoseSecret(key Secret) string {
	is := func(secret Secret) bool {
		parsed, err := certs.ParsePSK("hex:" + strings.TrimPrefix(string(secret.Bytes()), "hex:"))
		return secret == key || err == nil && parsed == string(key.Bytes())
	}
	for i := range c.Clients {
		switch cl := &c.Clients[i]; {
		case is(cl.Secret):
			return "the secret of client " + strconv.Quote(cl.Name)
		case is(cl.ServerSecret):
			return "the server_secret of client " + strconv.Quote(cl.Name)
		}
	}
	for i := range c.Servers {
		if is(c.Servers[i].Secret) {
			return "the secret of server " + strconv.Quote(c.Servers[i].Name)
		}
	}
	for i := range c.DynamicAuthorization.Senders {
		if s := &c.DynamicAuthorization.Senders[i]; is(s.Secret) {
			return "the secret of sender " + strconv.Quote(s.Name)
		}
	}
	return ""
}

// warnPublicSecret warns of the secret of RADIUS/TLS for sessions over DTLS.
func (c *Config) warnPublicSecret(warn warner, i int) {
	cl := &c.Clients[i]
	if slices.Contains(cl.Transports, TransportDTLS) && cl.Secret == NewSecret(publicSecret) && c.SecretOver(i, TransportDTLS) == cl.Secret {
		warn(joinKey(joinIndex("client", i), "secret"), "client %q has %q over DTLS, too, where the secret is %q (RFC 7360 §2.1): remove it, unless the client really uses it there", cl.Name, publicSecret, publicSecretDTLS)
	}
}

// warnPSKs warns of a PSK that two clients have, and of one that may be used from anywhere.
func (c *Config) warnPSKs(warn warner) {
	first := map[Secret]string{}
	for i := range c.Clients {
		cl, path := &c.Clients[i], joinKey(joinIndex("client", i), "psk_identity")
		if cl.PSKIdentity == "" {
			continue
		}
		if len(cl.Networks) == 0 {
			warn(path, "client %q has no networks: anybody anywhere may try to find its PSK (RFC 9813 §6.2.1)", cl.Name)
		}
		if name, ok := first[cl.PSK]; ok {
			warn(path, "client %q has the same PSK: each of the two can pretend to be the other", name)
			continue
		}
		first[cl.PSK] = cl.Name
	}
}
