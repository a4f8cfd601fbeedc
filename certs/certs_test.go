package certs

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func newCA(t *testing.T, changes ...Change) *CA {
	t.Helper()
	ca, err := NewCA("test CA", changes...)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// handshake connects a client and a server over a pipe.
func handshake(t *testing.T, server, client *tls.Config) (serverErr, clientErr error) {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	done := make(chan error, 1)
	go func() {
		err := tls.Server(a, server).Handshake()
		if err != nil {
			a.Close()
		}
		done <- err
	}()
	conn := tls.Client(b, client)
	clientErr = conn.Handshake()
	if clientErr == nil { // in TLS 1.3 the server's refusal comes after
		go conn.Read(make([]byte, 1))
	} else {
		b.Close()
	}
	return <-done, clientErr
}

// Server and client of one CA understand each other; everybody else is refused.
func TestHandshake(t *testing.T) {
	ca, other := newCA(t), newCA(t)
	pair := func(p *Pair, err error) tls.Certificate {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p.TLS()
	}
	server := pair(ca.Server(DevelopmentHosts()...))
	client := pair(ca.Client("campus"))
	for _, x := range []struct {
		name   string
		client tls.Certificate
		host   string
		server tls.Certificate
		want   string // "": both are content; else part of the error of the side that refuses
	}{
		{"by name", client, "localhost", server, ""},
		{"by container name", client, "radsec-server", server, ""},
		{"by IPv4", client, "127.0.0.1", server, ""},
		{"by IPv6", client, "::1", server, ""},
		{"another host", client, "example.org", server, "not example.org"},
		{"client of another CA", pair(other.Client("campus")), "localhost", server, "unknown authority"},
		{"server of another CA", client, "localhost", pair(other.Server("localhost")), "unknown authority"},
		{"client that ran out", pair(ca.Client("late", Valid(-time.Minute))), "localhost", server, "expired"},
		{"server's certificate as a client", server, "localhost", server, "incompatible key usage"},
		{"client's certificate as a server", client, "campus", client, "incompatible key usage"},
	} {
		s, c := handshake(t,
			&tls.Config{Certificates: []tls.Certificate{x.server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()},
			&tls.Config{Certificates: []tls.Certificate{x.client}, RootCAs: ca.Pool(), ServerName: x.host})
		got := ""
		for _, err := range []error{s, c} {
			if err != nil {
				got += err.Error() + "; "
			}
		}
		if x.want == "" && got != "" || !strings.Contains(got, x.want) {
			t.Errorf("%s: expected %q, got %q", x.name, x.want, got)
		}
	}
}

// The form of each certificate, and what a Change does to it.
func TestForm(t *testing.T) {
	ca := newCA(t)
	server, err := ca.Server("gw.example", "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	odd, err := ca.Client("odd", func(c *x509.Certificate) {
		c.DNSNames, c.URIs = nil, []*url.URL{{Scheme: "https", Host: "odd.example"}}
	})
	if err != nil {
		t.Fatal(err)
	}
	c := ca.Certificate
	if !c.IsCA || !c.BasicConstraintsValid || c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign || !c.MaxPathLenZero {
		t.Errorf("the CA's certificate is no CA's: %+v", c)
	}
	s := server.Certificate
	if s.KeyUsage != x509.KeyUsageDigitalSignature || len(s.ExtKeyUsage) != 1 || s.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth || s.IsCA {
		t.Errorf("the server's certificate has the key usages %v %v", s.KeyUsage, s.ExtKeyUsage)
	}
	if len(s.DNSNames) != 1 || s.DNSNames[0] != "gw.example" || len(s.IPAddresses) != 1 || s.IPAddresses[0].String() != "192.0.2.1" {
		t.Errorf("the server's certificate is for %v %v", s.DNSNames, s.IPAddresses)
	}
	if o := odd.Certificate; len(o.DNSNames) != 0 || len(o.URIs) != 1 || o.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth {
		t.Errorf("the changed certificate is for %v %v", o.DNSNames, o.URIs)
	}
	if s.PublicKey.(*ecdsa.PublicKey).Curve.Params().Name != "P-256" {
		t.Error("the server's key is not on P-256")
	}
	if _, err := ca.Server(); err == nil {
		t.Error("a server without hosts was accepted")
	}
	short := newCA(t, Valid(time.Hour))
	if p, err := short.Client("c"); err != nil || p.Certificate.NotAfter.After(short.Certificate.NotAfter) {
		t.Errorf("a certificate outlives its CA: %v", err)
	}
}

func TestFormatFingerprint(t *testing.T) {
	var sum [32]byte
	sum[0], sum[31] = 0xab, 0x01
	got := FormatFingerprint(sum)
	back, err := hex.DecodeString(strings.ReplaceAll(strings.TrimPrefix(got, "sha256:"), ":", ""))
	if err != nil || [32]byte(back) != sum || !strings.HasPrefix(got, "sha256:AB:00:") || !strings.HasSuffix(got, ":01") {
		t.Errorf("the fingerprint is printed as %s", got)
	}
}

// Modes, and that nothing is overwritten but by force.
func TestWriteDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "dev")
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	write := func(o DirOptions, want string) {
		t.Helper()
		entries, err := WriteDir(dir, o)
		got := ""
		for _, e := range entries {
			got += map[bool]string{true: "kept ", false: "made "}[e.Kept] + filepath.Base(e.File) + " "
		}
		if err != nil {
			got += err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("expected %s, got %s", want, got)
		}
	}
	write(DirOptions{Clients: []string{"one"}}, "made ca.pem made server.pem made one.pem")
	for name, mode := range map[string]os.FileMode{"": 0o700, "ca.pem": 0o644, "ca.key": 0o600, "server.pem": 0o644, "server.key": 0o600, "one.pem": 0o644, "one.key": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s/%s has mode %v, expected %v (%v)", dir, name, info.Mode().Perm(), mode, err)
		}
	}
	if !strings.HasPrefix(read("one.key"), "-----BEGIN PRIVATE KEY-----") {
		t.Error("the key is not PKCS #8 in PEM")
	}
	ca, server, one := read("ca.key"), read("server.key"), read("one.key")
	write(DirOptions{Clients: []string{"one", "two"}}, "kept ca.pem kept server.pem kept one.pem made two.pem")
	if read("ca.key") != ca || read("server.key") != server || read("one.key") != one {
		t.Error("a key was overwritten without force")
	}
	write(DirOptions{Clients: []string{"one"}, Force: true}, "kept ca.pem made server.pem made one.pem")
	if read("ca.key") != ca || read("server.key") == server || read("one.key") == one {
		t.Error("force should replace the server's and the client's key, and nothing else")
	}
	if _, err := LoadPair(filepath.Join(dir, "one.pem"), filepath.Join(dir, "one.key")); err != nil {
		t.Errorf("what was written does not load: %v", err)
	}

	os.Remove(filepath.Join(dir, "one.key"))
	write(DirOptions{Clients: []string{"one"}}, "one.pem is there, but ")
	os.Remove(filepath.Join(dir, "two.pem"))
	write(DirOptions{Clients: []string{"two"}}, "two.key is there already: -force replaces it")
	os.Remove(filepath.Join(dir, "ca.key"))
	write(DirOptions{}, "the CA cannot sign: cannot read the private key")
	os.Remove(filepath.Join(dir, "ca.pem"))
	write(DirOptions{}, "server.pem was signed by another CA")
	write(DirOptions{Force: true}, "kept ca.pem made server.pem")
	for _, name := range []string{"", "ca", "server", "../x", "a/b", ".x", "-x", "a b", strings.Repeat("x", 65)} {
		write(DirOptions{Clients: []string{name}}, "expected a")
	}
}

// A CA that ran out signs nothing.
func TestExpiredCA(t *testing.T) {
	dir := t.TempDir()
	ca := newCA(t, Valid(-time.Minute))
	if err := ca.write(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key"), false); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteDir(dir, DirOptions{}); err == nil || !strings.Contains(err.Error(), "valid from") {
		t.Errorf("expected the CA to be refused, got %v", err)
	}
	entries, err := WriteDir(dir, DirOptions{Force: true})
	if err != nil || entries[0].Kept {
		t.Errorf("expected force to make a new CA, got %v", err)
	}
}

// What a file holds decides; each error says what came.
func TestLoadPair(t *testing.T) {
	dir := t.TempDir()
	ca := newCA(t)
	pair, err := ca.Server("localhost")
	if err != nil {
		t.Fatal(err)
	}
	key, err := pair.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	caKey, err := ca.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	ec, err := x509.MarshalECPrivateKey(pair.key.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	join := func(parts ...[]byte) (all []byte) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for _, x := range []struct {
		name      string
		cert, key []byte // nil: no file
		want      string // "": loads
	}{
		{"PKCS #8", pair.CertPEM(), key, ""},
		{"SEC 1 after its parameters", pair.CertPEM(), join(block("EC PARAMETERS", []byte{6, 0}), block("EC PRIVATE KEY", ec)), ""},
		{"chain", join(pair.CertPEM(), ca.CertPEM()), key, ""},
		{"both in one file", join(key, pair.CertPEM()), join(pair.CertPEM(), key), `c.pem:1: expected PEM with "BEGIN CERTIFICATE", got "PRIVATE KEY"`},
		{"DER", pair.Certificate.Raw, key, ""},
		{"chain with the CA first", join(ca.CertPEM(), pair.CertPEM()), key, "is not the key of the first certificate in"},
		{"another key", pair.CertPEM(), caKey, "its public half differs"},
		{"key of another algorithm", pair.CertPEM(), block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(old)), "its public half differs"},
		{"no certificate file", nil, key, "cannot read the certificate: open "},
		{"no key file", pair.CertPEM(), nil, "cannot read the private key: open "},
		{"swapped", key, pair.CertPEM(), `c.pem:1: expected PEM with "BEGIN CERTIFICATE", got "PRIVATE KEY": a private key belongs`},
		{"certificate for a key", pair.CertPEM(), pair.CertPEM(), `k.pem:1: expected PEM with "BEGIN PRIVATE KEY", got "CERTIFICATE"`},
		{"empty certificate", []byte{}, key, `c.pem: expected PEM with "BEGIN CERTIFICATE", got an empty file`},
		{"empty key", pair.CertPEM(), []byte{}, `k.pem: expected PEM with "BEGIN PRIVATE KEY", got an empty file`},
		{"damaged certificate", block("CERTIFICATE", []byte{0x30, 0}), key, "c.pem:1: the certificate is damaged"},
		{"damaged key", pair.CertPEM(), block("PRIVATE KEY", []byte{0x30, 0}), "k.pem:1: expected an ECDSA, RSA or Ed25519 key"},
		{"encrypted key", pair.CertPEM(), block("ENCRYPTED PRIVATE KEY", []byte{0x30, 0}), "the key is encrypted"},
	} {
		files := []string{filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")}
		for i, octets := range [][]byte{x.cert, x.key} {
			os.Remove(files[i])
			if octets != nil {
				if err := os.WriteFile(files[i], octets, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		loaded, err := LoadPair(files[0], files[1])
		switch {
		case x.want == "" && (err != nil || loaded.Leaf.Subject.CommonName != "localhost"):
			t.Errorf("%s: expected it to load, got %v", x.name, err)
		case x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)):
			t.Errorf("%s: expected %q, got %v", x.name, x.want, err)
		}
	}
}
