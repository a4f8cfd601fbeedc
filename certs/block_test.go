package certs

import (
	"bytes"
	"testing"
)

// Blocks of another kind than expected are refused, with the line and advice.
//
// Rules: P104
func TestBlockKinds(t *testing.T) { testFiles(t, otherKinds) }

// otherKinds returns files with blocks of another kind than expected.
func otherKinds(m *material) []fileCase {
	return []fileCase{
		{"key among certificates", authorities, m.caPEM + m.key, 0, at(m.caEnd+1, gotCert+`"PRIVATE KEY": a private key belongs in a file of its own`)},
		{"key after the chain", chain, m.leafPEM + m.key, 0, at(lastLine(m.leafPEM)+1, gotCert+`"PRIVATE KEY": a private key belongs in a file of its own`)},
		{"key instead of a chain", chain, m.key, 0, at(1, gotCert+`"PRIVATE KEY"`)},
		{"chain after the key", key, m.key + m.leafPEM, 0, at(lastLine(m.key)+1, `expected PEM with "BEGIN PRIVATE KEY", got "CERTIFICATE"`)},
		{"trusted certificate", authorities, encodeBlock("TRUSTED CERTIFICATE", append(bytes.Clone(m.ca.Certificate.Raw), 0x30, 0)), 0, at(1, gotCert+`"TRUSTED CERTIFICATE": `+"`openssl x509")},
		{"PKCS #7", chain, encodeBlock("PKCS7", m.p7), 0, at(1, gotCert+`"PKCS7": `+"`openssl pkcs7")},
		{"request", chain, encodeBlock("CERTIFICATE REQUEST", m.request), 0, at(1, gotCert+`"CERTIFICATE REQUEST": a request`)},
		{"list in a chain", chain, m.leafPEM + m.crlPEM, 0, at(lastLine(m.leafPEM)+1, gotCert+`"X509 CRL": a revocation list belongs in crl`)},
		{"certificate among lists", lists, m.crlPEM + m.caPEM, 0, at(lastLine(m.crlPEM)+1, `expected PEM with "BEGIN X509 CRL", got "CERTIFICATE": a CA belongs in client_ca`)},
		{"key among lists", lists, m.key, 0, at(1, `expected PEM with "BEGIN X509 CRL", got "PRIVATE KEY": a private key does not belong here`)},
		{"only lists instead of CAs", authorities, m.crlPEM, 0, "f: expected a CA, got revocation lists only"},
		{"a leaf among CAs", authorities, m.caPEM + m.leafPEM, 0, at(m.caEnd+1, "CN=localhost,O=radsec-gw development is not a CA (basicConstraints)")},
		{"a leaf twice", chain, m.leafPEM + m.leafPEM, 0, at(lastLine(m.leafPEM)+1, "the certificate of CN=localhost,O=radsec-gw development is listed twice: it is already on line 1")},
		{"two keys", key, m.key + m.ec, 0, at(lastLine(m.key)+1, "a second private key: expected one, which is on line 1")},
		{"encrypted key", key, encodeBlock("ENCRYPTED PRIVATE KEY", m.encrypted), 0, at(1, "the key is encrypted")},
		{"OpenSSH key", key, encodeBlock("OPENSSH PRIVATE KEY", []byte("openssh-key-v1\x00and more")), 0, at(1, `expected PEM with "BEGIN PRIVATE KEY", got "OPENSSH PRIVATE KEY": `+"`ssh-keygen")},
		{"parameters alone", key, encodeBlock("EC PARAMETERS", []byte{6, 1, 0}), 0, at(1, `expected "BEGIN EC PRIVATE KEY" after "BEGIN EC PARAMETERS"`)},
		{"public key", key, encodeBlock("PUBLIC KEY", m.public), 0, at(1, `expected PEM with "BEGIN PRIVATE KEY", got "PUBLIC KEY"`)},
	}
}
