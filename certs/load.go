package certs

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
)

// LoadPair reads a server's chain, leaf first, and its private key from PEM
// files. Its errors name the file, what is wrong with it and what to do.
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

// Join makes a server's certificate of its chain, leaf first, and its key, which
// must belong to the leaf. The names of the files are for errors.
func Join(certFile string, chain []*x509.Certificate, keyFile string, key crypto.Signer) (tls.Certificate, error) {
	if err := keyFits(chain[0], key); err != nil {
		return tls.Certificate{}, fmt.Errorf("%s is not the key of the first certificate in %s (%s): %w", keyFile, certFile, chain[0].Subject, err)
	}
	pair := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, c := range chain {
		pair.Certificate = append(pair.Certificate, c.Raw)
	}
	return pair, nil
}

// LoadCA is ParseCA of a file.
func LoadCA(file string) (text []byte, cas []*x509.Certificate, err error) {
	octets, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the certificate: %w", err)
	}
	return ParseCA(file, octets)
}

// ParseCA returns the certificates that clients are verified with, out of what
// file holds. It returns the PEM text too, cut down to what was checked.
func ParseCA(file string, octets []byte) (text []byte, cas []*x509.Certificate, err error) {
	cas, err = ParseCertificates(file, octets)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range cas {
		// A self-signed certificate may stand for itself alone.
		if !c.IsCA && !bytes.Equal(c.RawIssuer, c.RawSubject) {
			return nil, nil, fmt.Errorf("%s: %s is no CA (basicConstraints), it was signed by %s: expected the CA that signs the clients' certificates", file, c.Subject, c.Issuer)
		}
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return text, cas, nil
}

// LoadCertificates is ParseCertificates of a file.
func LoadCertificates(file string) ([]*x509.Certificate, error) {
	octets, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the certificate: %w", err)
	}
	return ParseCertificates(file, octets)
}

// ParseCertificates returns at least one certificate out of what file holds: all
// those of PEM, or the one of DER.
func ParseCertificates(file string, octets []byte) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	var others []string
	for rest := octets; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			others = append(others, block.Type)
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: certificate %d is damaged: %w", file, len(list)+1, err)
		}
		list = append(list, c)
	}
	switch {
	case len(list) > 0:
		return list, nil
	case len(others) > 0:
		return nil, fmt.Errorf("%s: expected PEM with \"BEGIN CERTIFICATE\", came %q: is it the wrong file?", file, others)
	}
	if c, err := x509.ParseCertificate(octets); err == nil {
		return []*x509.Certificate{c}, nil
	}
	return nil, fmt.Errorf("%s: expected PEM with \"BEGIN CERTIFICATE\", came %d octets without", file, len(octets))
}

func loadKey(file string) (crypto.Signer, error) {
	octets, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the private key: %w", err)
	}
	return ParseKey(file, octets)
}

// ParseKey returns the first private key out of what the PEM file holds: PKCS #8,
// PKCS #1 or SEC 1. No error shows any of the file's bytes.
func ParseKey(file string, octets []byte) (crypto.Signer, error) {
	var others []string
	for rest := octets; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return nil, fmt.Errorf("%s: the key is encrypted, and there is nobody to ask for its password: decrypt it with openssl pkey -in FILE -out FILE", file)
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			others = append(others, block.Type) // such as "EC PARAMETERS", which openssl writes before the key
			continue
		}
		key, ok := parseKey(block.Bytes)
		if !ok {
			return nil, fmt.Errorf("%s: expected an ECDSA, RSA or Ed25519 key (PKCS #8, PKCS #1 or SEC 1), came a %q that is none", file, block.Type)
		}
		return key, nil
	}
	if len(others) > 0 {
		return nil, fmt.Errorf("%s: expected PEM with \"BEGIN PRIVATE KEY\", came %q: is it the wrong file?", file, others)
	}
	return nil, fmt.Errorf("%s: expected PEM with \"BEGIN PRIVATE KEY\", came %d octets without", file, len(octets))
}

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

// keyFits compares the public halves.
func keyFits(c *x509.Certificate, key crypto.Signer) error {
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if !bytes.Equal(public, c.RawSubjectPublicKeyInfo) {
		return errors.New("its public half differs; expected the key that the certificate was requested with")
	}
	return nil
}
