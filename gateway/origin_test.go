package gateway

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"layeh.com/radius/rfc2865"

	"radsec-gw/certs"
)

// withEachName gives a certificate a name of each kind, and a second DNS name.
func withEachName(t *testing.T) certs.Change {
	name := func(tag int, b []byte) asn1.RawValue {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: b}
	}
	oid, err := asn1.Marshal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 8}) // NAIRealm, RFC 7585 §2.2
	if err != nil {
		t.Fatal(err)
	}
	const realm = "campus.example"
	other := name(0, slices.Concat(oid, []byte{0xa0, byte(2 + len(realm)), asn1.TagUTF8String, byte(len(realm))}, []byte(realm)))
	other.IsCompound = true
	san, err := asn1.Marshal([]asn1.RawValue{
		name(2, []byte("ap1.campus.example")), name(2, []byte("second.example")), name(7, []byte{192, 0, 2, 7}),
		name(6, []byte("urn:example:ap1")), name(1, []byte("ap1@campus.example")), other,
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses, c.URIs, c.EmailAddresses = nil, nil, nil, nil
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: san})
	}
}

// Each fact says what is true of the connection that the request came on, as a server sees it.
//
// Rules: ID1
func TestEachFactOfAConnection(t *testing.T) {
	s := openServer(t)
	g := startGateway(t, [3]int{s.port(), s.port(), s.port()})
	pair, err := g.ca.Client("ap1", withEachName(t))
	if err != nil {
		t.Fatal(err)
	}
	g.pairs["ap1"] = pair
	names := []string{"client.name", "client.address", "client.port", "listener.address", "listener.port",
		"certificate.fingerprint", "certificate.serial", "certificate.issuer", "certificate.subject", "certificate.common_name",
		"certificate.san_dns", "certificate.san_ip", "certificate.san_uri", "certificate.san_email", "certificate.san_nairealm",
		"connection.tls_version", "connection.radius_version"}
	var values []string
	for _, name := range names {
		values = append(values, fmt.Sprintf("%s: {%s}", name, name))
	}
	g.rewrite("[[server]]", fmt.Sprintf("[[client]]\nname = \"building-b\"\nfingerprints = [%q]\nrules_request = [\"who\"]\n\n"+
		"[[rule]]\nname = \"who\"\nset = { Filter-Id = [\"%s\"], NAS-IP-Address = \"{client.address}\", NAS-Port = \"{connection.number}\" }\n\n[[server]]",
		g.fingerprint("ap1"), strings.Join(values, `", "`)))
	g.reload()
	for i, c := range []*testClient{g.connect("ap1"), g.connect11("ap1")} {
		c.write([][]byte{rawRequest(1, 7, nameOf("bob@example.org"), emptyMAC), rawRequest11(1, 7, nameOf("bob@example.org"))}[i])
		p := s.request()
		got, err := rfc2865.FilterID_GetStrings(p)
		if err != nil {
			t.Fatal(err)
		}
		local, remote := netip.MustParseAddrPort(c.LocalAddr().String()), netip.MustParseAddrPort(c.RemoteAddr().String())
		sum := sha256.Sum256(pair.Certificate.Raw)
		want := []string{"building-b", local.Addr().String(), fmt.Sprint(local.Port()), remote.Addr().String(), fmt.Sprint(remote.Port()),
			certs.FormatFingerprint(sum), pair.Certificate.SerialNumber.Text(16), pair.Certificate.Issuer.String(), pair.Certificate.Subject.String(), "ap1",
			"ap1.campus.example", "192.0.2.7", "urn:example:ap1", "ap1@campus.example", "campus.example",
			"TLS 1.3", []string{"1.0", "1.1"}[i]}
		for k, name := range names {
			if k >= len(got) || got[k] != name+": "+want[k] {
				t.Errorf("connection %d: the server got %q, expected %q in place %d", i+1, got, name+": "+want[k], k)
				break
			}
		}
		if a := rfc2865.NASIPAddress_Get(p).String(); a != local.Addr().String() {
			t.Errorf("the server got NAS-IP-Address %s, expected the client's %s", a, local.Addr())
		}
		if n := rfc2865.NASPort_Get(p); g.lines("RadSec connection accepted", fmt.Sprintf("connection=%d ", n), "client=building-b", fmt.Sprintf("peer=%s ", local)) != 1 {
			t.Errorf("the server got NAS-Port %d, expected the number of the connection from %s in the log:\n%s", n, local, g.log)
		}
	}
}
