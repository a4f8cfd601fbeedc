package tlsfront

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
)

// Static RSA, RC4, NULL, 3DES and suites without authentication are refused, even with
// an RSA key and if the client offers nothing else (RFC 9325 §4.1). The first record of
// the answer is an alert then, and otherwise starts a ServerHello.
//
// Rules: P102
func TestInsecureSuitesAreRefused(t *testing.T) {
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "radsec-server"}, DNSNames: []string{"radsec-server"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der := must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	f := startTCP(t, func(f *front, cfg *Config) {
		cfg.Certificate = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	})
	const handshake, alert = 22, 21
	for _, c := range []struct {
		name  string
		suite uint16
		want  byte
	}{
		{"ECDHE and AES-GCM", tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, handshake},
		{"ECDHE and ChaCha20", tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, handshake},
		{"static RSA", tls.TLS_RSA_WITH_AES_128_GCM_SHA256, alert},
		{"static RSA and CBC", tls.TLS_RSA_WITH_AES_128_CBC_SHA, alert},
		{"static RSA and RC4", tls.TLS_RSA_WITH_RC4_128_SHA, alert},
		{"static RSA and 3DES", tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, alert},
		{"ECDHE and RC4", tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA, alert},
		{"ECDHE and 3DES", tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA, alert},
		{"NULL", 0x003b, alert},
		{"ECDHE and NULL", 0xc010, alert},
		{"without authentication", 0xc018, alert},
	} {
		raw := must(net.Dial("tcp", f.addr))
		raw.SetDeadline(time.Now().Add(patience))
		raw.Write(rawHello{version: tls.VersionTLS12, suites: []uint16{c.suite}}.record())
		first := make([]byte, 1)
		if _, err := io.ReadFull(raw, first); err != nil || first[0] != c.want {
			t.Errorf("%s: the answer begins with % x, %v; expected a record of type %d", c.name, first, err, c.want)
		}
		raw.Close()
	}
}

// An RSA key has other suites.
func TestSuitesMatchTheKey(t *testing.T) {
	for _, c := range []struct {
		policy  policy
		version uint16
		want    string
	}{
		{policy{cfg: Config{Certificate: must(must(certs.NewCA("x")).Server([]string{"x"})).TLS()}}, tls.VersionTLS12, "_ECDSA_"},
		{policy{cfg: Config{Certificate: tls.Certificate{PrivateKey: must(rsa.GenerateKey(rand.Reader, 2048))}}}, tls.VersionTLS12, "_RSA_"},
		{policy{}, tls.VersionTLS13, "TLS_"},
	} {
		list := c.policy.supportedSuites(c.version)
		for _, s := range list {
			if name := suiteName(s); !strings.Contains(name, c.want) {
				t.Errorf("%s is listed, expected only those with %s", name, c.want)
			}
		}
		if len(list) == 0 {
			t.Errorf("no suite with %s is listed", c.want)
		}
	}
}

func TestListNames(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  string
	}{
		{nil, "none"},
		{[]string{""}, "1 without a known name"},
		{[]string{"a", "", "b"}, "a, b and 1 more"},
		{strings.Split("abcdefghijklmnop", ""), "a, b, c, d, e, f, g, h, i, j, k, l and 4 more"},
	} {
		if got := listNames(c.names); got != c.want {
			t.Errorf("%q are listed as %q, expected %q", c.names, got, c.want)
		}
	}
}
