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
	"testing"
	"time"
)

// Neither static RSA nor RC4, NULL, 3DES or a suite without authentication is taken, not
// even with an RSA key and from a client that has nothing else (RFC 9325 §4.1). The first
// record of the answer is an alert then, else it begins a ServerHello.
//
// Rules: P102
func TestInsecureSuitesAreNotTaken(t *testing.T) {
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

// What both sides can do best is taken: TLS 1.3, whatever else a client offers.
//
// Rules: P102
func TestVersionOfTLSIsTheHighest(t *testing.T) {
	f := startTCP(t, nil)
	for most, want := range map[uint16]uint16{0: tls.VersionTLS13, tls.VersionTLS12: tls.VersionTLS12} {
		cfg := f.clientConfig()
		cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS10, most
		c := must(tls.Dial("tcp", f.addr, cfg))
		await(t, f.opened, "the session")
		if got := c.ConnectionState().Version; got != want {
			t.Errorf("a client that offers up to %s gets %s, expected %s", tls.VersionName(most), tls.VersionName(got), tls.VersionName(want))
		}
		c.Close()
	}
}
