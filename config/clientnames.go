package config

import (
	"crypto/x509"
	"net/netip"
	"net/url"
	"strings"
)

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
			t.r.wrong(path, "expected a common name, in which * matches any characters, got an empty string")
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
