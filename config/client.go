package config

import (
	"crypto/x509"
	"net/netip"
	"net/url"
	"radsec-gw/routing"
	"slices"
	"strings"
)

// readClient reads one [[client]].
func readClient(t *table) Client {
	c := defaultClient()
	readName(t, &c.Name)
	t.texts("networks", func(path, s string) {
		p, err := parseNetwork(s)
		if err != nil {
			t.r.wrong(path, "%v", err)
		}
		c.Networks = append(c.Networks, p)
	})
	t.texts("fingerprints", func(path, s string) {
		sum, err := parseFingerprint(s)
		if err != nil {
			t.r.wrong(path, "%v", err)
		}
		c.Fingerprints = append(c.Fingerprints, sum)
	})
	t.texts("san_dns", func(path, s string) {
		if err := checkDNSPattern(s); err != nil {
			t.r.wrong(path, "%v", err)
		}
		c.SANDNS = append(c.SANDNS, strings.ToLower(strings.TrimSuffix(s, ".")))
	})
	t.fileOrFiles("ca", &c.CA, MaxCertificates)
	readNames(t, &c)
	t.secret("secret", &c.Secret, false)
	t.choices("packets", &c.Packets, PacketAccess, PacketAccounting, PacketCoA, PacketDisconnect)
	t.texts("realms", func(path, s string) {
		same := func(other string) bool { return strings.EqualFold(s, other) }
		if err := routing.CheckRealm(s); err != nil {
			t.r.wrong(path, "%v", err)
		} else if slices.ContainsFunc(c.Realms, same) {
			t.r.wrong(path, "%q is listed twice: remove one", s)
		}
		c.Realms = append(c.Realms, s)
	})
	t.texts("operators", func(_, s string) { c.Operators = append(c.Operators, s) })
	if len(c.Operators) > 0 && len(c.Realms) == 0 {
		t.r.wrong(joinKey(t.path, "operators"), "expected realms beside it: a client without realms may send all")
	}
	t.choice("require_message_authenticator", &c.RequireMessageAuthenticator, RequireNever, RequireAccess, RequireAll)
	t.flag("require_eap_message_authenticator", &c.RequireEAPMessageAuthenticator)
	t.flag("verify_request_authenticator", &c.VerifyRequestAuthenticator)
	t.number("max_connections", &c.MaxConnections, 0, unlimited)
	t.number("packets_per_second", &c.PacketsPerSecond, 0, unlimited)
	t.number("octets_per_second", &c.OctetsPerSecond, 0, unlimited)
	t.choice("reverse_path", &c.ReversePath, ReversePathOff, ReversePathDrop, ReversePathNAK)
	t.done()
	return c
}

// readNames reads the conditions on a certificate's other names.
func readNames(t *table, c *Client) {
	t.texts("san_ip", func(path, s string) {
		if s == "source" {
			c.SANIP.Source = true
			return
		}
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			t.r.wrong(path, `expected an IP address, or "source" for the one that the connection comes from, got %q`, s)
		}
		c.SANIP.Addresses = append(c.SANIP.Addresses, a.Unmap())
	})
	t.texts("san_uri", func(path, s string) {
		if u, err := url.Parse(s); err != nil || u.Scheme == "" {
			t.r.wrong(path, `expected a URI with its scheme such as "urn:example:ap1", got %q`, s)
		}
		c.SANURI = append(c.SANURI, s)
	})
	t.texts("san_nairealm", func(path, s string) {
		if s == "" || strings.ContainsAny(s, "*@") {
			t.r.wrong(path, `expected a realm such as "example.org", got %q: a wildcard may be in the certificate only`, s)
		}
		c.SANNAIRealm = append(c.SANNAIRealm, s)
	})
	t.texts("subject_rdn", func(path, s string) {
		if name, value, ok := strings.Cut(s, "="); !ok || name == "" || value == "" {
			t.r.wrong(path, `expected one attribute of the subject such as "UID=EXAMPLE.ORG", got %q`, s)
		}
		c.SubjectRDN = append(c.SubjectRDN, s)
	})
	for _, k := range []struct {
		key string
		to  *[]string
	}{{"subject", &c.Subject}, {"issuer", &c.Issuer}} {
		t.texts(k.key, func(path, s string) {
			if !strings.Contains(s, "=") {
				t.r.wrong(path, `expected a distinguished name as the log prints it, such as "CN=ap1,O=Campus,C=NL", got %q`, s)
			}
			*k.to = append(*k.to, s)
		})
	}
	t.texts("common_name", func(path, s string) {
		if s == "" {
			t.r.wrong(path, "expected a common name, in which * stands for any characters, got an empty string")
		}
		c.CommonName = append(c.CommonName, s)
	})
	t.texts("policy_oid", func(path, s string) {
		if _, err := x509.ParseOID(s); err != nil {
			t.r.wrong(path, `expected an object identifier such as "1.3.6.1.4.1.25178.3.1.1", got %q`, s)
		}
		c.PolicyOID = append(c.PolicyOID, s)
	})
}

// readName reads the required name of a client or a server.
func readName(t *table, to *string) {
	t.require("name", "a name for logs and metrics")
	if t.text("name", to) {
		if err := checkName(*to); err != nil {
			t.r.wrong(joinKey(t.path, "name"), "%v", err)
		}
	}
}
