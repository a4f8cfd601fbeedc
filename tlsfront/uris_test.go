package tlsfront

import (
	"bytes"
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

// sanOf makes a subjectAltName of the URIs, as they are given.
func sanOf(uris ...string) pkix.Extension {
	names := []asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte("ap1.campus.example")}}
	for _, u := range uris {
		names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tagURI, Bytes: []byte(u)})
	}
	return pkix.Extension{Id: oidSubjectAltName, Value: must(asn1.Marshal(names))}
}

// A URI is compared octet by octet with what stands in the certificate, however
// Go would print it.
//
// Rules: P105
func TestURIsAreComparedByOctets(t *testing.T) {
	ca := must(certs.NewCA("CA"))
	for _, c := range []struct {
		in, wanted string
		match      bool
	}{
		{"URN:Example:ap1", "URN:Example:ap1", true},
		{"URN:Example:ap1", "urn:Example:ap1", false},
		{"urn:Example:ap1", "URN:Example:ap1", false},
		{"https://ap1.example/a%2fb", "https://ap1.example/a%2fb", true},
		{"https://ap1.example/a%2fb", "https://ap1.example/a%2Fb", false},
		{"https://ap1.example/a?#", "https://ap1.example/a?#", true},
		{"https://AP1.example", "https://ap1.example", false},
	} {
		pair := must(ca.Client("ap1", func(t *x509.Certificate) {
			t.DNSNames = nil
			t.ExtraExtensions = []pkix.Extension{sanOf("urn:x", c.in)}
		}))
		p := peerOf(netip.MustParseAddr("192.0.2.7"), tls.ConnectionState{PeerCertificates: []*x509.Certificate{pair.Certificate}})
		client := &Client{Name: "x", SANURI: []string{c.wanted}}
		if got := client.unmet(p) == allMet; got != c.match {
			t.Errorf("a certificate with %q should match %q: %v, but it is %v", c.in, c.wanted, c.match, got)
		}
	}
}

// The line of a client that matched nothing shows the certificate's URIs and IP
// addresses, few and short and on one line.
func TestRefusalShowsAllNames(t *testing.T) {
	for _, c := range []struct {
		says   string
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
		t.Run(c.says, func(t *testing.T) {
			f := startTCP(t, func(f *front, cfg *Config) {
				cfg.Clients = []*Client{{Name: "nobody", CommonNames: []string{"nobody"}}}
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
					t.Errorf("expected the log line to have %s, came %q", want, line)
				}
			}
			if len(line) > 4<<10 || strings.Count(line, "\n") != 1 {
				t.Errorf("expected one short line, came %d octets: %.200q", len(line), line)
			}
		})
	}
}

// Whatever stands in the extension, the URIs are parts of it.
func FuzzURIsIn(f *testing.F) {
	uri := func(s string) []byte { return append([]byte{0x86, byte(len(s))}, s...) }
	for _, names := range [][]byte{nil, uri("URN:Example:ap1"), append(uri("http://exa mple/"), 0x82, 1, 'a'), {0x86, 0xff}, {0x86, 0x80}} {
		f.Add(append([]byte{0x30, byte(len(names))}, names...))
	}
	f.Add([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, value []byte) {
		leaf := &x509.Certificate{Extensions: []pkix.Extension{{Id: oidSubjectAltName, Value: value}}}
		for _, u := range urisIn(leaf) {
			if !bytes.Contains(value, []byte(u)) {
				t.Fatalf("the URI %q is not in %x", u, value)
			}
		}
	})
}
