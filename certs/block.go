package certs

import (
	"crypto"
	"crypto/x509"
)

// The kinds of blocks that are read (RFC 7468 §4).
const (
	kindCertificate = "CERTIFICATE"
	kindCRL         = "X509 CRL"
	kindKey         = "PRIVATE KEY" // "RSA PRIVATE KEY" and "EC PRIVATE KEY", too
	kindParameters  = "EC PARAMETERS"
)

// checkWhole refuses a block that holds less or more than one DER element: a line is
// missing, or was added. Kinds that are not supported may hold other things.
func (b *block) checkWhole(file string) error {
	if text := wrongLength(b.bytes); text != "" {
		return errorIn(file, b.line, "the block %q is damaged: %s", b.kind, text)
	}
	return nil
}

// certificate parses the block as a certificate.
func (b *block) certificate(file string) (*x509.Certificate, error) {
	if b.kind != kindCertificate {
		return nil, b.unexpected(file, kindCertificate)
	}
	if err := b.checkWhole(file); err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(b.bytes)
	if err != nil {
		return nil, errorIn(file, b.line, "the certificate is damaged: %v", err)
	}
	return c, nil
}

// list parses the block as a revocation list.
func (b *block) list(file string) (*x509.RevocationList, error) {
	if b.kind != kindCRL {
		return nil, b.unexpected(file, kindCRL)
	}
	if err := b.checkWhole(file); err != nil {
		return nil, err
	}
	return parseCRL(file, b.line, b.bytes)
}

// key parses the block as a private key.
func (b *block) key(file string) (crypto.Signer, error) {
	switch {
	case b.kind == "ENCRYPTED "+kindKey:
		return nil, errorIn(file, b.line, "%s", encryptedKey)
	case b.kind == "OPENSSH "+kindKey, !isKeyKind(b.kind):
		return nil, b.unexpected(file, kindKey)
	}
	if err := b.checkWhole(file); err != nil {
		return nil, err
	}
	key, ok := parseKey(b.bytes)
	if !ok {
		return nil, errorIn(file, b.line, "expected an ECDSA, RSA or Ed25519 key (PKCS #8, PKCS #1 or SEC 1), got a %q that is not one", b.kind)
	}
	return key, nil
}

// unexpected returns the error of a block of another kind than want, with advice.
func (b *block) unexpected(file, want string) error {
	const begin = "expected PEM with \"BEGIN %s\", got %q"
	advice := ": is it the wrong file?"
	switch {
	case b.kind == "OPENSSH "+kindKey:
		advice = ": `ssh-keygen -p -m PKCS8 -f FILE` makes it a key for TLS"
	case isKeyKind(b.kind) && want == kindCertificate:
		advice = ": a private key belongs in a file of its own that only its user can read"
	case isKeyKind(b.kind):
		advice = ": a private key does not belong here"
	case b.kind == "TRUSTED CERTIFICATE" || b.kind == "X509 CERTIFICATE" || b.kind == "X.509 CERTIFICATE":
		advice = ": `openssl x509 -in FILE` prints it without the settings of openssl's own form"
	case b.kind == "PKCS7" || b.kind == "CMS":
		advice = ": `openssl pkcs7 -print_certs -in FILE | " + onlyBlocks + "` prints its certificates"
	case b.kind == "CERTIFICATE REQUEST" || b.kind == "NEW CERTIFICATE REQUEST":
		advice = ": a request, which a CA has yet to sign"
	case b.kind == kindCRL:
		advice = ": a revocation list belongs in crl or client_ca"
	case b.kind == kindCertificate && want == kindKey:
		advice = ": a certificate belongs in a file of its own"
	case b.kind == kindCertificate && want == kindCRL:
		advice = ": a CA belongs in client_ca"
	}
	return errorIn(file, b.line, begin+"%s", want, b.kind, advice)
}
