package certs

import (
	"testing"
)

// Byte order marks are refused.
//
// Rules: P104
func TestByteOrderMarks(t *testing.T) { testFiles(t, byteOrderMarks) }

// byteOrderMarks returns files with byte order marks.
func byteOrderMarks(m *material) []fileCase {
	return []fileCase{
		{"UTF-8 mark", authorities, utf8Mark + m.caPEM, 0, at(1, "a byte order mark (UTF-8) begins the file")},
		{"UTF-8 mark", key, utf8Mark + m.key, 0, at(1, "a byte order mark (UTF-8) begins the file")},
		{"UTF-8 mark", lists, utf8Mark + m.crlPEM, 0, at(1, "a byte order mark (UTF-8) begins the file")},
		{"UTF-8 mark of the second file", authorities, m.caPEM + utf8Mark + m.caPEM, 0, at(m.caEnd+1, "a byte order mark (UTF-8) begins the line")},
		{"UTF-16LE", authorities, m.utf16(false), 0, at(1, "a byte order mark (UTF-16, little endian) begins the file")},
		{"UTF-16BE", authorities, m.utf16(true), 0, at(1, "a byte order mark (UTF-16, big endian) begins the file")},
	}
}

// Files of another form than PEM are named in the error, with advice.
//
// Rules: P104
func TestOtherForms(t *testing.T) { testFiles(t, otherForms) }

// otherForms returns files that are not PEM.
func otherForms(m *material) []fileCase {
	return []fileCase{
		{"DER of a key", chain, string(m.keyDER), 0, "f: expected a certificate, got a private key in DER"},
		{"DER of a key", key, string(m.keyDER), 0, `f: expected PEM with "BEGIN PRIVATE KEY", got a private key in DER: ` + "`openssl pkey -inform DER"},
		{"DER of an encrypted key", key, string(m.encrypted), 0, `f: expected PEM with "BEGIN PRIVATE KEY", got an encrypted private key in DER`},
		{"DER of a list", authorities, m.crl, 0, "f: expected a certificate, got a revocation list in DER"},
		{"DER of a certificate", lists, string(m.ca.Certificate.Raw), 0, "f: expected a revocation list, got a certificate in DER"},
		{"DER of a certificate", key, string(m.ca.Certificate.Raw), 0, `f: expected PEM with "BEGIN PRIVATE KEY", got a certificate in DER`},
		{"DER of a request", chain, string(m.request), 0, "f: expected a certificate, got a certificate request in DER"},
		{"DER of PKCS #7", authorities, string(m.p7), 0, "f: expected a certificate, got PKCS #7 in DER (.p7b)"},
		{"DER of PKCS #12", key, string(m.p12), 0, `f: expected PEM with "BEGIN PRIVATE KEY", got PKCS #12 (.p12, .pfx)`},
		{"empty", authorities, "", 0, `f: expected PEM with "BEGIN CERTIFICATE", got an empty file`},
		{"empty", key, "", 0, `f: expected PEM with "BEGIN PRIVATE KEY", got an empty file`},
		{"empty", lists, "", 0, `f: expected PEM with "BEGIN X509 CRL", got an empty file`},
		{"empty lines", authorities, "\n \r\n", 0, `f: expected PEM with "BEGIN CERTIFICATE", got only blanks and empty lines`},
		{"text", authorities, "hello", 0, at(1, gotCert+"5 bytes without")},
		{"gzip", authorities, "\x1f\x8b\x08\x00\x00", 0, `f: expected PEM with "BEGIN CERTIFICATE", got a gzip file`},
		{"ZIP", lists, "PK\x03\x04\x00\x00", 0, `f: expected PEM with "BEGIN X509 CRL", got a ZIP file`},
	}
}
