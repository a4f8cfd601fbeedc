package certs

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

// LoadPair reads a server's chain, leaf first, and its private key from PEM
// files. Its errors name the file, what is wrong with it, and what to do.
func LoadPair(certFile, keyFile string) (tls.Certificate, error) {
	chain, err := LoadCertificates(certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := loadKey(keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	return Join(certFile, chain, keyFile, key)
}

// Join joins a server's chain, leaf first, and the private key of the leaf. The names of
// the files are for errors.
func Join(certFile string, chain []*x509.Certificate, keyFile string, key crypto.Signer) (tls.Certificate, error) {
	if err := Fits(chain[0], key); err != nil {
		return tls.Certificate{}, fmt.Errorf("%s is not the key of the first certificate in %s (%s): %w", keyFile, certFile, chain[0].Subject, err)
	}
	pair := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, c := range chain {
		pair.Certificate = append(pair.Certificate, c.Raw)
	}
	return pair, nil
}

// LoadCertificates reads a file with ParseCertificates.
func LoadCertificates(file string) ([]*x509.Certificate, error) {
	data, err := readFile(file, maxCertificates)
	if err != nil {
		return nil, fmt.Errorf("cannot read the certificate: %w", err)
	}
	return ParseCertificates(file, data)
}

// ParseCertificates parses a chain of at least one certificate in PEM, or one
// certificate in DER. data is the content of file. A repeated certificate is an error:
// some peers refuse such a chain.
func ParseCertificates(file string, data []byte) ([]*x509.Certificate, error) {
	if isDER(data) {
		c, err := certificateOfDER(file, data)
		if err != nil {
			return nil, err
		}
		return []*x509.Certificate{c}, nil
	}
	blocks, err := readPEM(file, kindCertificate, data)
	if err != nil {
		return nil, err
	}
	var chain []*x509.Certificate
	seen := lines{}
	for _, b := range blocks {
		c, err := b.certificate(file)
		if err != nil {
			return nil, err
		}
		if first := seen.add(b); first > 0 {
			return nil, errorIn(file, b.line, "the certificate of %s is listed twice: it is already on line %d; expected each certificate of the chain once", c.Subject, first)
		}
		chain = append(chain, c)
	}
	return chain, nil
}

func certificateOfDER(file string, der []byte) (*x509.Certificate, error) {
	c, err := x509.ParseCertificate(der)
	if wrongLength(der) != "" || kindOfError(der, err) != derUnknown {
		return nil, errorIn(file, 0, "expected a certificate, got %s", describeDER(der))
	}
	if err != nil {
		return nil, errorIn(file, 0, "expected a certificate, got DER that is not one: %v", err)
	}
	return c, nil
}

// lines maps the contents of blocks to their lines.
type lines map[string]int

// add adds a block. It returns the line of an earlier one with the same content, or 0.
func (l lines) add(b block) (first int) {
	if first = l[string(b.bytes)]; first == 0 {
		l[string(b.bytes)] = b.line
	}
	return first
}

func loadKey(file string) (crypto.Signer, error) {
	data, err := readFile(file, maxKey)
	if err != nil {
		return nil, fmt.Errorf("cannot read the private key: %w", err)
	}
	return ParseKey(file, data)
}

const encryptedKey = "the key is encrypted, and the gateway cannot ask for a password: decrypt it with openssl pkey -in FILE -out FILE"

// ParseKey parses a PEM file with one private key: PKCS #8, PKCS #1 or SEC 1, the last
// also after its parameters, as openssl writes them. Errors do not contain bytes of the
// file.
func ParseKey(file string, data []byte) (crypto.Signer, error) {
	blocks, err := readPEM(file, kindKey, data)
	if err != nil {
		return nil, err
	}
	var key crypto.Signer
	line := 0
	for i, b := range blocks {
		if b.kind == kindParameters {
			if i+1 == len(blocks) || blocks[i+1].kind != "EC "+kindKey {
				return nil, errorIn(file, b.line, "expected \"BEGIN EC PRIVATE KEY\" after \"BEGIN EC PARAMETERS\"")
			}
			continue
		}
		next, err := b.key(file)
		if err != nil {
			return nil, err
		}
		if key != nil {
			return nil, errorIn(file, b.line, "a second private key: expected one, which is on line %d", line)
		}
		key, line = next, b.line
	}
	return key, nil
}

// parseKey parses a private key in any of its forms, whatever the kind of its block.
func parseKey(der []byte) (crypto.Signer, bool) {
	if k, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		signer, ok := k.(crypto.Signer)
		return signer, ok
	}
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return k, true
	}
	if k, err := x509.ParseECPrivateKey(der); err == nil {
		return k, true
	}
	return nil, false
}

// isKeyKind reports whether blocks of the kind hold private keys, which parseKey may
// support.
func isKeyKind(kind string) bool {
	return kind == kindKey || strings.HasSuffix(kind, " "+kindKey)
}

// Fits returns nil if key is the private key of c. It compares the public keys.
func Fits(c *x509.Certificate, key crypto.Signer) error {
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if !bytes.Equal(public, c.RawSubjectPublicKeyInfo) {
		return errors.New("its public key differs; expected the key that the certificate was requested with")
	}
	return nil
}
