package tlsfront

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net"
	"strings"
	"testing"

	"radsec-gw/certs"
	"radsec-gw/identity"
)

// Odd but legal certificates connect, are described, and match only what is in them.
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
				cfg.Clients = clientsOf(
					identity.Client{Name: "wrong", CommonNames: []string{"nobody"}}, identity.Client{Name: "subject", Subjects: []string{"CN=nobody"}},
					identity.Client{Name: "name", SANDNS: []string{"nobody.example"}}, identity.Client{Name: "policy", PolicyOIDs: []x509.OID{must(x509.ParseOID("1.2.3"))}},
					identity.Client{Name: "campus"})
			})
			cfg := f.clientConfig()
			cfg.Certificates = []tls.Certificate{must(f.pki.ca.Client("odd", change)).TLS()}
			c, p, _ := f.exchange(cfg)
			c.Write(packet(20, 1))
			await(t, p.packets, "the packet")
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

// sanOf returns a subjectAltName of the URIs.
func sanOf(uris ...string) pkix.Extension {
	names := []asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte("ap1.campus.example")}}
	for _, u := range uris {
		names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(u)})
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: must(asn1.Marshal(names))}
}

// The log line of a client that matched nothing has the certificate's URIs and IP
// addresses, few, shortened, and on one line.
func TestRefusalShowsAllNames(t *testing.T) {
	for _, c := range []struct {
		name   string
		change certs.Change
		want   []string
	}{
		{"URIs", func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{sanOf("URN:Example:ap1", "urn:a=\"b\"")}
		},
			[]string{`san_dns=ap1.campus.example`, `san_uri="URN:Example:ap1, urn:a=\"b\""`}},
		{"IP addresses", func(c *x509.Certificate) {
			c.IPAddresses = []net.IP{net.ParseIP("192.0.2.7"), net.ParseIP("2001:db8::7")}
		},
			[]string{`san_ip="192.0.2.7, 2001:db8::7"`}},
		{"sixty long ones", func(c *x509.Certificate) {
			var uris []string
			for i := range 60 {
				uris = append(uris, fmt.Sprintf("urn:%d:%s", i, strings.Repeat("x", 300)))
			}
			c.ExtraExtensions = []pkix.Extension{sanOf(uris...)}
		}, []string{`san_uri="urn:0:xxx`, `, 57 more"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := startTCP(t, func(f *front, cfg *Config) {
				cfg.Clients = clientsOf(identity.Client{Name: "nobody", CommonNames: []string{"nobody"}})
			})
			cfg := f.clientConfig()
			cfg.Certificates = []tls.Certificate{must(f.pki.ca.Client("stranger", func(t *x509.Certificate) { t.DNSNames = []string{"ap1.campus.example"} }, c.change)).TLS()}
			if conn, err := tls.Dial("tcp", f.addr, cfg); err == nil {
				conn.Read(make([]byte, 1))
				conn.Close()
			}
			f.awaitMetric(`radsec_gw_tls_handshakes_total{result="unknown_client"}`, 1)
			line := f.log.lines("RadSec connection refused")[0]
			for _, want := range c.want {
				if !strings.Contains(line, want) {
					t.Errorf("expected the log line to have %s, got %q", want, line)
				}
			}
			if len(line) > 4<<10 || strings.Count(line, "\n") != 1 {
				t.Errorf("expected one short line, got %d octets: %.200q", len(line), line)
			}
		})
	}
}
