package tlsfront

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"radsec-gw/certs"
)

// RFC 6614bis §3.3.1: an iPAddress that equals the source, a URI, or the names
// in the certificate, all given conditions together; without a name check, a
// certificate policy.
//
// Rules: P105, P106, P107
func TestConditionsOnNames(t *testing.T) {
	leaf := &x509.Certificate{
		Subject: pkix.Name{CommonName: "AP-7 of Campus", Organization: []string{"Campus"}}, Issuer: pkix.Name{CommonName: "Campus CA"},
		IPAddresses: []net.IP{net.ParseIP("2001:db8::7"), net.ParseIP("192.0.2.7")},
		Policies:    []x509.OID{must(x509.ParseOID("1.3.6.1.4.1.25178.3.1.1"))},
	}
	oid := func(s string) []x509.OID { return []x509.OID{must(x509.ParseOID(s))} }
	ip := func(s string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(s)} }
	for _, c := range []struct {
		says   string
		client Client
		source string
		unmet  condition
	}{
		{"a SAN iPAddress that is listed", Client{SANIP: ip("192.0.2.7")}, "198.51.100.1", allMet},
		{"none that is listed", Client{SANIP: ip("192.0.2.8")}, "192.0.2.7", sanIPUnmet},
		{"the source", Client{SANIPSource: true}, "192.0.2.7", allMet},
		{"the source, IPv6", Client{SANIPSource: true}, "2001:db8::7", allMet},
		{"another source", Client{SANIPSource: true}, "192.0.2.8", sanIPUnmet},
		{"the source or one that is listed", Client{SANIPSource: true, SANIP: ip("2001:db8::7")}, "192.0.2.8", allMet},
		{"a URI", Client{SANURI: []string{"urn:x", "urn:example:ap7"}}, "192.0.2.7", allMet},
		{"another URI", Client{SANURI: []string{"urn:example:ap"}}, "192.0.2.7", sanURIUnmet},
		{"the subject", Client{Subjects: []string{"CN=AP-7 of Campus,O=Campus"}}, "192.0.2.7", allMet},
		{"another subject", Client{Subjects: []string{"CN=AP-7 of Campus"}}, "192.0.2.7", subjectUnmet},
		{"the issuer", Client{Issuers: []string{"CN=Campus CA"}}, "192.0.2.7", allMet},
		{"another issuer", Client{Issuers: []string{"CN=Campus"}}, "192.0.2.7", issuerUnmet},
		{"the common name", Client{CommonNames: []string{"ap-* of *"}}, "192.0.2.7", allMet},
		{"another common name", Client{CommonNames: []string{"ap-8*"}}, "192.0.2.7", commonNameUnmet},
		{"a policy", Client{PolicyOIDs: oid("1.3.6.1.4.1.25178.3.1.1")}, "192.0.2.7", allMet},
		{"another policy", Client{PolicyOIDs: oid("1.3.6.1.4.1.25178.3.1.2")}, "192.0.2.7", policyUnmet},
		{"all but one", Client{SANIPSource: true, SANURI: []string{"urn:example:ap7"}, CommonNames: []string{"*"}, Issuers: []string{"CN=other"}}, "192.0.2.7", issuerUnmet},
		{"all of them", Client{SANIPSource: true, SANURI: []string{"urn:example:ap7"}, CommonNames: []string{"*"}, Issuers: []string{"CN=Campus CA"}}, "192.0.2.7", allMet},
	} {
		p := &peer{source: netip.MustParseAddr(c.source), leaf: leaf, uris: []string{"urn:example:ap7"}}
		if got := c.client.unmet(p); got != c.unmet {
			t.Errorf("%s: condition %d is unmet, want %d", c.says, got, c.unmet)
		}
		c.client.Name = "x"
		if text := listOf(&c.client).explain(p); c.unmet != allMet && len(text) < len("x: no…") {
			t.Errorf("%s: the explanation is %q", c.says, text)
		}
		if c.unmet == allMet && c.client.unmet(&peer{source: p.source}) != certificateMissing {
			t.Errorf("%s: a peer without certificate passes", c.says)
		}
	}
}

func TestMatchCommonName(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"ap1", "AP1", true},
		{"ap1", "ap12", false},
		{"*", "anything", true},
		{"*", "", false},
		{"ap*", "ap", true},
		{"*.example", "ap1.example", true},
		{"a*b*c", "aXbYc", true},
		{"a*b*c", "abc", true},
		{"a*b*c", "acb", false},
		{"a*a", "a", false},
		{"Ä*", "äp", true},
	} {
		if got := matchCommonName(c.pattern, c.name); got != c.want {
			t.Errorf("pattern %q and name %q match: %v, want %v", c.pattern, c.name, got, c.want)
		}
	}
}

// Certificates that are odd but legal connect, are described, and match what
// they say and nothing else.
//
// Rules: P105
func TestOddCertificates(t *testing.T) {
	teletex := must(asn1.Marshal(pkix.RDNSequence{{{Type: asn1.ObjectIdentifier{2, 5, 4, 10},
		Value: asn1.RawValue{Class: 0, Tag: asn1.TagT61String, Bytes: []byte{'Z', 0xFC, 'r', 'i', 'c', 'h'}}}}}))
	for name, change := range map[string]certs.Change{
		"no subject": func(c *x509.Certificate) { c.Subject = pkix.Name{} },
		"empty common name": func(c *x509.Certificate) {
			c.RawSubject = must(asn1.Marshal(pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: ""}}}.ToRDNSequence()))
		},
		"no UTF-8":         func(c *x509.Certificate) { c.RawSubject = teletex },
		"a thousand names": func(c *x509.Certificate) { c.DNSNames = many(1000) },
		"IDN":              func(c *x509.Certificate) { c.DNSNames = []string{"xn--bcher-kva.example", "ap1.campus.example"} },
		"two common names": func(c *x509.Certificate) {
			c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "a"}, {Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "b\n\x00c"}}
		},
		"unknown attributes": func(c *x509.Certificate) {
			c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1 << 30}, Value: "x"}}
		},
		"odd policies": func(c *x509.Certificate) {
			c.Policies = []x509.OID{must(x509.ParseOID("2.25.329800735698586629295641978511506172918"))}
		},
		"an unknown extension": func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: make([]byte, 3000)}}
		},
		"no names at all": func(c *x509.Certificate) { c.Subject, c.DNSNames = pkix.Name{}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			f := startTCP(t, func(f *front, cfg *Config) {
				cfg.Clients = []*Client{
					{Name: "wrong", CommonNames: []string{"nobody"}}, {Name: "subject", Subjects: []string{"CN=nobody"}},
					{Name: "name", SANDNS: []string{"nobody.example"}}, {Name: "policy", PolicyOIDs: []x509.OID{must(x509.ParseOID("1.2.3"))}},
					{Name: "campus"}}
			})
			cfg := f.clientConfig()
			cfg.Certificates = []tls.Certificate{must(f.pki.ca.Client("odd", change)).TLS()}
			_, p, _ := f.exchange(cfg)
			if got := p.session.Client().Name; got != "campus" {
				t.Errorf("the client is %q, want campus", got)
			}
			line := f.log.lines("RadSec connection accepted")[0]
			if len(line) > 4<<10 {
				t.Errorf("the log line has %d octets", len(line))
			}
			if strings.Count(line, "\n") != 1 {
				t.Errorf("the certificate breaks the log line: %q", line)
			}
		})
	}
}

func many(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("host%d.example", i))
	}
	return names
}
