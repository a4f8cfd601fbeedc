package certs

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
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

// material is what the files of the tests consist of.
type material struct {
	ca, other         *CA
	leaf              *Pair
	caPEM, leafPEM    string
	caNoEnd           string   // caPEM without its last newline
	caLines           []string // of caPEM
	caEnd             int      // how many: the line of END
	key, ec, rsa, ed  string   // private keys in PEM
	keyDER            []byte
	crl, crlPEM       string
	request, p7, p12  []byte // DER
	encrypted, public []byte // DER
}

// encodeBlock returns a block in PEM.
func encodeBlock(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newMaterial() *material {
	m := &material{ca: must(NewCA("test CA")), other: must(NewCA("other CA"))}
	m.leaf = must(m.ca.Server([]string{"localhost"}))
	m.caPEM, m.leafPEM = string(m.ca.CertPEM()), string(m.leaf.CertPEM())
	m.caNoEnd = strings.TrimSuffix(m.caPEM, "\n")
	m.caLines = strings.Split(m.caNoEnd, "\n")
	m.caEnd = len(m.caLines)
	m.key = string(must(m.leaf.KeyPEM()))
	m.keyDER = must(x509.MarshalPKCS8PrivateKey(m.leaf.Key))
	m.ec = encodeBlock("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(m.leaf.Key.(*ecdsa.PrivateKey))))
	m.rsa = encodeBlock("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(must(rsa.GenerateKey(rand.Reader, 2048))))
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	must(ed, err)
	m.ed = encodeBlock("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ed)))
	now := time.Now()
	m.crl = string(must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: m.leaf.Certificate.SerialNumber, RevocationTime: now}}}, m.ca.Certificate, m.ca.Key)))
	m.crlPEM = encodeBlock("X509 CRL", []byte(m.crl))
	m.request = must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "x"}}, m.leaf.Key))
	m.public = must(x509.MarshalPKIXPublicKey(m.leaf.Key.Public()))
	type content struct {
		T asn1.ObjectIdentifier
		D []byte
	}
	m.p7 = must(asn1.Marshal(content{oidSignedData, make([]byte, 200)}))
	m.p12 = must(asn1.Marshal(struct {
		Version int
		Safe    content
	}{3, content{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}, make([]byte, 200)}}))
	type algorithm struct{ T asn1.ObjectIdentifier }
	m.encrypted = must(asn1.Marshal(struct {
		A algorithm
		D []byte
	}{algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}}, make([]byte, 200)}))
	return m
}

// mapLines returns caPEM with each line changed.
func (m *material) mapLines(change func(i int, line string) string) string {
	var out []string
	for i, l := range m.caLines {
		out = append(out, change(i, l))
	}
	return strings.Join(out, "\n") + "\n"
}

// withLine2 returns caPEM with another second line.
func (m *material) withLine2(text string) string {
	return m.mapLines(func(i int, l string) string {
		if i == 1 {
			return text
		}
		return l
	})
}

// utf16 returns caPEM in UTF-16.
func (m *material) utf16(bigEndian bool) string {
	out := []byte{0xff, 0xfe}
	if bigEndian {
		out = []byte{0xfe, 0xff}
	}
	for _, c := range []byte(m.caPEM) {
		if bigEndian {
			out = append(out, 0, c)
		} else {
			out = append(out, c, 0)
		}
	}
	return string(out)
}

// use is what a file is used for.
type use int

const (
	chain use = iota
	authorities
	intermediates
	key
	lists
)

var useNames = [...]string{"chain", "authorities", "intermediates", "key", "lists"}

// parse parses data for the use, and returns how many things it holds.
func (u use) parse(data []byte) (n int, err error) {
	switch u {
	case chain:
		c, err := ParseCertificates("f", data)
		return len(c), err
	case authorities, intermediates:
		parse := ParseCA
		if u == intermediates {
			parse = ParseIntermediates
		}
		a, err := parse("f", data)
		if err != nil {
			return 0, err
		}
		return len(a.Certificates) + len(a.CRLs), nil
	case key:
		k, err := ParseKey("f", data)
		if k != nil {
			n = 1
		}
		return n, err
	}
	l, err := ParseCRLs("f", data)
	return len(l), err
}

// fileCase is the text of a file, and the result of parsing it.
type fileCase struct {
	name string
	use  use
	text string
	n    int    // how many things it holds; 0: refused
	want string // how the error begins
}

// gotCert is how the errors of files of certificates begin.
const gotCert = `expected PEM with "BEGIN CERTIFICATE", got `

// at returns the beginning of an error with its line.
func at(line int, text string) string { return fmt.Sprintf("f:%d: %s", line, text) }

// lastLine returns the number of lines.
func lastLine(s string) int { return strings.Count(strings.TrimSuffix(s, "\n"), "\n") + 1 }

// testFiles parses each file: it is accepted with so many certificates, keys and lists,
// or refused with this text, file and line. Files of authorities are parsed as
// intermediates, too.
func testFiles(t *testing.T, cases func(m *material) []fileCase) {
	m := newMaterial()
	for _, c := range cases(m) {
		c.test(t, m)
		if c.use == authorities {
			c.use = intermediates
			c.test(t, m)
		}
	}
}

func (c *fileCase) test(t *testing.T, m *material) {
	t.Run(useNames[c.use]+": "+c.name, func(t *testing.T) {
		n, err := c.use.parse([]byte(c.text))
		switch {
		case c.want == "" && (err != nil || n != c.n):
			t.Errorf("expected %d to be read, got %d and %v", c.n, n, err)
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)):
			t.Errorf("expected the error\n%s\ngot\n%v", c.want, err)
		case err != nil && n != 0:
			t.Errorf("expected nothing beside an error, got %d", n)
		}
		if err != nil && (strings.Contains(err.Error(), secretPart(m.key)) || strings.Contains(err.Error(), secretPart(m.ec))) {
			t.Errorf("the error shows a key: %v", err)
		}
	})
}

// secretPart returns some of a key in PEM.
func secretPart(text string) string { return strings.Split(text, "\n")[2][:16] }
