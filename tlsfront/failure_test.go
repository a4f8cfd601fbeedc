package tlsfront

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"

	"radsec-gw/certs"
)

// rawHello is a ClientHello of TLS 1.2 or older.
type rawHello struct {
	version  uint16
	suites   []uint16
	versions []uint16 // of supported_versions; nil: without
	name     string   // of server_name; empty: without
}

// record returns the ClientHello in a TLS record.
func (h rawHello) record() []byte {
	short := func(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }
	list := func(values []uint16) (b []byte) {
		for _, v := range values {
			b = binary.BigEndian.AppendUint16(b, v)
		}
		return b
	}
	body := binary.BigEndian.AppendUint16(nil, h.version)
	body = append(body, make([]byte, 32)...)
	body = append(body, 0)
	body = append(body, short(list(h.suites))...)
	body = append(body, 1, 0)
	extensions := []byte{0, 10, 0, 4, 0, 2, 0, 29, // supported_groups: x25519
		0, 13, 0, 6, 0, 4, 4, 3, 8, 4} // signature_algorithms
	if h.versions != nil {
		l := list(h.versions)
		extensions = append(append(extensions, 0, 43), short(append([]byte{byte(len(l))}, l...))...)
	}
	if h.name != "" {
		extensions = append(append(extensions, 0, 0), short(short(append([]byte{0}, short([]byte(h.name))...)))...)
	}
	body = append(body, short(extensions)...)
	message := append([]byte{1, 0, byte(len(body) >> 8), byte(len(body))}, body...)
	return append([]byte{22, 3, 1, byte(len(message) >> 8), byte(len(message))}, message...)
}

// hexadecimal matches a version or a cipher suite in a form that operators do not know.
var hexadecimal = regexp.MustCompile(`0x[0-9a-fA-F]|\[[0-9a-f]{3,4}[ \]]|\*?\b(tls|rsa|ecdsa|x509)\.[a-zA-Z]`)

// Unsupported cipher suites and versions are logged with their names and with what was
// expected, and without Go types. P102: TLS 1.2 or newer.
//
// Rules: P102
func TestUnsupportedHelloIsNamed(t *testing.T) {
	many := make([]uint16, 5000)
	for i := range many {
		many[i] = 0x0032 + uint16(i%3)*0x0e + uint16(i/3)*0x100
	}
	for _, c := range []struct {
		name   string
		hello  rawHello
		result string
		log    []string
	}{
		{"only TLS 1.0", rawHello{version: 0x0301, suites: []uint16{0x002f}}, "old_version", []string{"the peer offers only TLS 1.0; the minimum is TLS 1.2"}},
		{"TLS 1.1 and 1.0", rawHello{version: 0x0302, suites: []uint16{0x002f}}, "old_version", []string{"the peer offers only TLS 1.1, TLS 1.0"}},
		{"SSL 3", rawHello{version: 0x0300, suites: []uint16{0x0004}}, "old_version", []string{"the peer offers only SSL 3"}},
		{"no suite in common", rawHello{version: 0x0303, suites: []uint16{0x0039, 0x009f, 0xffee, 0x00ff}}, "no_common_cipher",
			[]string{"expected one of TLS_ECDHE_ECDSA_WITH_", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDSA key",
				"got TLS_DHE_RSA_WITH_AES_256_CBC_SHA, TLS_DHE_RSA_WITH_AES_256_GCM_SHA384 and 1 more;", "cipher_suites"}},
		{"suites for another type of key", rawHello{version: 0x0303, suites: []uint16{0xc02f}}, "no_common_cipher",
			[]string{"ECDSA key", "got TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;", "the type of the key"}},
		{"no suite with a known name", rawHello{version: 0x0303, suites: []uint16{0xfefe}}, "no_common_cipher", []string{"got 1 without a known name"}},
		{"thousands of suites", rawHello{version: 0x0303, suites: many}, "no_common_cipher", []string{"TLS_DHE_DSS_WITH_AES_128_CBC_SHA", "more;"}},
		{"no suite of TLS 1.3", rawHello{version: 0x0303, versions: []uint16{0x0304}, suites: []uint16{0x1304, 0x0a0a}}, "no_common_cipher",
			[]string{"expected one of TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256, got TLS_AES_128_CCM_SHA256\""}},
		// RFC 6066 §3: no trailing dot. crypto/tls gives no reason.
		{"a name with a dot at its end", rawHello{version: 0x0303, suites: []uint16{0xc02b}, name: "radsec-server."}, "malformed_hello",
			[]string{`radsec-server.\" ends with a dot`, "RFC 6066 §3", "without the last dot"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := startTCP(t, nil)
			raw := must(net.Dial("tcp", f.addr))
			defer raw.Close()
			raw.Write(c.hello.record())
			readToEnd(raw)
			raw.Close()
			f.awaitMetric(`radsec_gw_tls_handshakes_total{result="`+c.result+`"}`, 1)
			f.stop()
			f.wantLine(append([]string{"RadSec connection refused", "result=" + c.result}, c.log...)...)
			line := strings.Join(f.log.lines("connection refused"), "")
			if found := hexadecimal.FindString(line); found != "" || len(line) > 2500 {
				t.Errorf("%d bytes with %q: %s", len(line), found, line)
			}
		})
	}
}

// An unexpected message is logged without Go types.
func TestUnexpectedMessageIsNamed(t *testing.T) {
	f := startTCP(t, nil)
	raw := must(net.Dial("tcp", f.addr))
	defer raw.Close()
	raw.Write(rawHello{version: 0x0303, suites: []uint16{0xc02b}}.record())
	raw.Write([]byte{22, 3, 3, 0, 4, 14, 0, 0, 0}) // ServerHelloDone
	readToEnd(raw)
	raw.Close()
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="other"}`, 1)
	f.stop()
	f.wantLine("received unexpected handshake message of type ServerHelloDone when waiting for Certificate")
}

// A certificate that Go does not parse is logged with its position, its subject and its
// fingerprint if it is not encrypted, however the records are split. In TLS 1.3 the line
// says why it is not, and what to do.
//
// Rules: P105
func TestUnparsedCertificateIsNamed(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, at := range []int{0, 1} {
			t.Run(fmt.Sprint(tls.VersionName(version), ", certificate ", at+1), func(t *testing.T) {
				f := startTCP(t, nil)
				pair := f.pki.client.TLS()
				der := bytes.Clone(pair.Certificate[0])
				mark := []byte{0x55, 4, 10, 0x0c} // organizationName, made a UTF8String below
				i := bytes.Index(der, []byte{0x55, 4, 10, 0x13})
				if i < 0 {
					t.Fatal("the certificate has no organizationName as a PrintableString")
				}
				i = bytes.LastIndex(der, []byte{0x55, 4, 10, 0x13}) // of the subject
				copy(der[i:], mark)
				der[i+5] = 0xff // no UTF-8
				pair.Certificate = [][]byte{pair.Certificate[0], f.pki.ca.Certificate.Raw}
				pair.Certificate[at] = der
				cfg := f.clientConfig()
				cfg.MaxVersion = version
				cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
				raw := must(net.Dial("tcp", f.addr))
				defer raw.Close()
				if c := tls.Client(raw, cfg); c.Handshake() == nil {
					readToEnd(c)
				}
				raw.Close()
				f.awaitMetric(`radsec_gw_tls_handshakes_total{result="malformed_certificate"}`, 1)
				f.stop()
				sum := sha256.Sum256(der)
				named := []string{fmt.Sprintf("certificate %d of the 2 that the peer sent, of CN=ap1,O=", at+1), certs.FormatFingerprint(sum) + ": tls: failed to parse client certificate"}
				hidden := []string{"which TLS 1.3 encrypts", "limit the peer to TLS 1.2"}
				want, never := named, hidden[0]
				if version == tls.VersionTLS13 {
					want, never = hidden, "that the peer sent, of"
				}
				f.wantLine(append([]string{"result=malformed_certificate", "invalid UTF-8 string", "have it issued again"}, want...)...)
				if line := strings.Join(f.log.lines("malformed_certificate"), ""); strings.Contains(line, never) {
					t.Errorf("expected nothing like %q in %s", never, line)
				}
			})
		}
	}
}

// For any bytes as a ClientHello, dottedName returns a name with a dot at its end, or
// none.
func FuzzDottedName(f *testing.F) {
	f.Add(rawHello{version: 0x0303, suites: []uint16{0xc02b}, name: "radsec-server."}.record()[5:])
	f.Add(rawHello{version: 0x0303, name: "radsec-server"}.record()[5:])
	f.Add(rawHello{version: 0x0303, versions: []uint16{0x0304}}.record()[5:60])
	f.Add([]byte{1, 0, 0, 0})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if name := dottedName(b); name != "" && !strings.HasSuffix(name, ".") {
			t.Fatalf("%x gives the name %q", b, name)
		}
	})
}
