package certs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pairCase is the content of the two files of a certificate and its key.
type pairCase struct {
	name      string
	cert, key []byte // nil: no file
	want      string // part of the error; "": loads
}

func pairCases(m *material) []pairCase {
	cert, ca, key, caKey := m.leaf.CertPEM(), m.ca.CertPEM(), []byte(m.key), must(m.ca.KeyPEM())
	join := func(parts ...[]byte) (all []byte) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	block := func(kind string, der []byte) []byte { return []byte(encodeBlock(kind, der)) }
	return []pairCase{
		{"PKCS #8", cert, key, ""},
		{"SEC 1 after its parameters", cert, join(block("EC PARAMETERS", []byte{6, 0}), []byte(m.ec)), ""},
		{"chain", join(cert, ca), key, ""},
		{"both in one file", join(key, cert), join(cert, key), `c.pem:1: expected PEM with "BEGIN CERTIFICATE", got "PRIVATE KEY"`},
		{"DER", m.leaf.Certificate.Raw, key, ""},
		{"chain with the CA first", join(ca, cert), key, "is not the key of the first certificate in"},
		{"another key", cert, caKey, "its public key differs"},
		{"key of another algorithm", cert, []byte(m.rsa), "its public key differs"},
		{"no certificate file", nil, key, "cannot read the certificate: open "},
		{"no key file", cert, nil, "cannot read the private key: open "},
		{"swapped", key, cert, `c.pem:1: expected PEM with "BEGIN CERTIFICATE", got "PRIVATE KEY": a private key belongs`},
		{"certificate for a key", cert, cert, `k.pem:1: expected PEM with "BEGIN PRIVATE KEY", got "CERTIFICATE"`},
		{"empty certificate", []byte{}, key, `c.pem: expected PEM with "BEGIN CERTIFICATE", got an empty file`},
		{"empty key", cert, []byte{}, `k.pem: expected PEM with "BEGIN PRIVATE KEY", got an empty file`},
		{"damaged certificate", block("CERTIFICATE", []byte{0x30, 0}), key, "c.pem:1: the certificate is damaged"},
		{"damaged key", cert, block("PRIVATE KEY", []byte{0x30, 0}), "k.pem:1: expected an ECDSA, RSA or Ed25519 key"},
		{"encrypted key", cert, block("ENCRYPTED PRIVATE KEY", []byte{0x30, 0}), "the key is encrypted"},
	}
}

// The content of a file decides, not its name; each error says what it got.
func TestLoadPair(t *testing.T) {
	dir := t.TempDir()
	files := []string{filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")}
	for _, x := range pairCases(newMaterial()) {
		for i, data := range [][]byte{x.cert, x.key} {
			os.Remove(files[i])
			if data != nil {
				if err := os.WriteFile(files[i], data, 0o600); err != nil {
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
