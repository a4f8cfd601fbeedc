package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
)

// The byte order marks that some editors write at the start of a file.
const (
	utf8Mark    = "\xef\xbb\xbf"
	utf16BEMark = "\xfe\xff"
	utf16LEMark = "\xff\xfe"
)

// byteOrderMark names the byte order mark at the start of data, "" for none.
func byteOrderMark(data []byte) string {
	for _, m := range []struct{ mark, name string }{
		{utf8Mark, "UTF-8"}, {utf16BEMark, "UTF-16, big endian"}, {utf16LEMark, "UTF-16, little endian"},
	} {
		if bytes.HasPrefix(data, []byte(m.mark)) {
			return m.name
		}
	}
	return ""
}

// checkText refuses files that are not PEM, and names what they are; want is the kind
// of block that is expected.
func checkText(file, want string, data []byte) error {
	begin := fmt.Sprintf("expected PEM with \"BEGIN %s\", got ", want)
	mark := byteOrderMark(data)
	switch {
	case len(data) == 0:
		return errorIn(file, 0, "%san empty file", begin)
	case mark != "":
		return errorIn(file, 1, "a byte order mark (%s) begins the file: expected %q; save the file as ASCII or as UTF-8 without a mark", mark, "-----BEGIN")
	case len(bytes.TrimSpace(data)) == 0:
		return errorIn(file, 0, "%sonly blanks and empty lines", begin)
	case isDER(data):
		return errorIn(file, 0, "%s%s", begin, describeDER(data))
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		return errorIn(file, 0, "%sa gzip file: unpack it", begin)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return errorIn(file, 0, "%sa ZIP file: unpack it", begin)
	case bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}):
		return errorIn(file, 0, "%sa Java key store: export it with keytool", begin)
	case bytes.IndexByte(data, 0) < 0 && !bytes.Contains(data, []byte(dashes)):
		return errorIn(file, 1, "%s%d bytes without", begin, len(data))
	}
	return nil
}

// isDER reports whether data begins like a SEQUENCE in DER, and not like text.
func isDER(data []byte) bool {
	if len(data) < 2 || data[0] != 0x30 {
		return false
	}
	return data[1] >= 0x80 || bytes.IndexByte(data[:min(len(data), 64)], 0) >= 0
}

// wrongLength describes the error in the length of a DER element, "" for none.
func wrongLength(der []byte) string {
	header, length, ok := elementLength(der)
	got := len(der) - header
	switch {
	case !ok:
		return "expected DER, got something else"
	case length > got:
		return fmt.Sprintf("it is cut short: expected %d bytes after its header, got %d", length, got)
	case length < got:
		return fmt.Sprintf("%d bytes follow its end: expected none", got-length)
	}
	return ""
}

// elementLength reads the header of a DER SEQUENCE (X.690 §8.1.3, §10.1).
func elementLength(der []byte) (header, length int, ok bool) {
	if len(der) < 2 || der[0] != 0x30 {
		return 0, 0, false
	}
	if der[1] < 0x80 {
		return 2, int(der[1]), true
	}
	n := int(der[1] & 0x7f)
	if n == 0 || n > 4 || len(der) < 2+n {
		return 0, 0, false
	}
	for _, b := range der[2 : 2+n] {
		length = length<<8 | int(b)
	}
	return 2 + n, length, true
}

// describeDER names the content of a DER file, and how to convert it to PEM.
func describeDER(data []byte) string {
	if text := wrongLength(data); text != "" {
		return "DER, and " + text
	}
	switch kindOfDER(data) {
	case derCertificate:
		return "a certificate in DER: `openssl x509 -inform DER -in FILE` prints it in PEM"
	case derCRL:
		return "a revocation list in DER: `openssl crl -inform DER -in FILE` prints it in PEM"
	case derRequest:
		return "a certificate request in DER, which a CA has yet to sign"
	case derKey:
		return "a private key in DER: `openssl pkey -inform DER -in FILE` prints it in PEM"
	case derPublicKey:
		return "a public key in DER"
	case derEncryptedKey:
		return "an encrypted private key in DER: `openssl pkey -inform DER -in FILE` prints it in PEM, decrypted"
	case derPKCS7:
		return "PKCS #7 in DER (.p7b): `openssl pkcs7 -inform DER -print_certs -in FILE | " + onlyBlocks + "` prints its certificates"
	case derPKCS12:
		return "PKCS #12 (.p12, .pfx): `openssl pkcs12 -in FILE -nodes | " + onlyBlocks + "` prints its certificates and its key"
	}
	return "DER that is neither a certificate nor a key nor a revocation list"
}

type derKind int

const (
	derUnknown derKind = iota
	derCertificate
	derCRL
	derRequest
	derKey
	derPublicKey
	derEncryptedKey
	derPKCS7
	derPKCS12
)

var (
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2} // RFC 5652 §5.1
	oidPKCS5      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5}    // RFC 8018; its schemes are below
	oidPKCS12PBE  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1}
)

// kindOfError returns the kind of der, which did not parse as expected because of err;
// derUnknown if err is nil.
func kindOfError(der []byte, err error) derKind {
	if err == nil {
		return derUnknown
	}
	return kindOfDER(der)
}

// kindOfDER returns the kind of a whole DER element.
func kindOfDER(der []byte) derKind {
	if _, ok := parseKey(der); ok {
		return derKey
	}
	if _, err := x509.ParseCertificate(der); err == nil {
		return derCertificate
	}
	if _, err := x509.ParseRevocationList(der); err == nil {
		return derCRL
	}
	if _, err := x509.ParseCertificateRequest(der); err == nil {
		return derRequest
	}
	if _, err := x509.ParsePKIXPublicKey(der); err == nil {
		return derPublicKey
	}
	var content struct { // RFC 5652 §3
		Type asn1.ObjectIdentifier
		Any  asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(der, &content); err == nil && content.Type.Equal(oidSignedData) {
		return derPKCS7
	}
	var pfx struct { // RFC 7292 §4
		Version  int
		AuthSafe asn1.RawValue
		MAC      asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(der, &pfx); err == nil && pfx.Version == 3 {
		return derPKCS12
	}
	var sealed struct { // RFC 5958 §3
		Algorithm struct {
			Type asn1.ObjectIdentifier
			Any  asn1.RawValue `asn1:"optional"`
		}
		Data []byte
	}
	if _, err := asn1.Unmarshal(der, &sealed); err == nil && (hasPrefix(sealed.Algorithm.Type, oidPKCS5) || hasPrefix(sealed.Algorithm.Type, oidPKCS12PBE)) {
		return derEncryptedKey
	}
	return derUnknown
}

func hasPrefix(oid, prefix asn1.ObjectIdentifier) bool {
	return len(oid) >= len(prefix) && oid[:len(prefix)].Equal(prefix)
}
