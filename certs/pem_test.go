package certs

import (
	"bytes"
	"strings"
	"testing"
)

// Every form of a file that is accepted, with the number of things in it.
//
// Rules: P104
func TestAcceptedFiles(t *testing.T) { testFiles(t, acceptedFiles) }

// acceptedFiles returns files that are accepted.
func acceptedFiles(m *material) []fileCase {
	return []fileCase{
		{"one", authorities, m.caPEM, 1, ""},
		{"one", chain, m.leafPEM, 1, ""},
		{"two", authorities, m.caPEM + string(m.other.CertPEM()), 2, ""},
		{"leaf and CA", chain, m.leafPEM + m.caPEM, 2, ""},
		{"without a last newline", authorities, m.caNoEnd, 1, ""},
		{"CRLF", authorities, strings.ReplaceAll(m.caPEM, "\n", "\r\n"), 1, ""},
		{"CRLF", key, strings.ReplaceAll(m.key, "\n", "\r\n"), 1, ""},
		{"empty lines before and after", authorities, "\n\r\n" + m.caPEM + "\n\n" + string(m.other.CertPEM()) + "\n", 2, ""},
		{"empty line within", authorities, m.mapLines(func(i int, l string) string { return l + "\n" }), 1, ""},
		{"blanks at the ends of lines", authorities, m.mapLines(func(i int, l string) string { return l + " \t" }), 1, ""},
		{"one long line of base64", authorities, m.caLines[0] + "\n" + strings.Join(m.caLines[1:m.caEnd-1], "") + "\n" + m.caLines[m.caEnd-1] + "\n", 1, ""},
		{"DER", chain, string(m.leaf.Certificate.Raw), 1, ""},
		{"DER", authorities, string(m.ca.Certificate.Raw), 1, ""},
		{"DER", lists, m.crl, 1, ""},
		{"one", lists, m.crlPEM, 1, ""},
		{"two", lists, m.crlPEM + m.crlPEM, 2, ""},
		{"a list after a CA", authorities, m.caPEM + m.crlPEM, 2, ""},
		{"a list before a CA", authorities, m.crlPEM + m.caPEM, 2, ""},
		{"a CA twice", authorities, m.caPEM + m.caPEM, 1, ""},
		{"PKCS #8", key, m.key, 1, ""},
		{"SEC 1", key, m.ec, 1, ""},
		{"SEC 1 after its parameters", key, encodeBlock("EC PARAMETERS", []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}) + m.ec, 1, ""},
		{"PKCS #1", key, m.rsa, 1, ""},
		{"Ed25519", key, m.ed, 1, ""},
	}
}

// Files that were concatenated or cut are refused, with the line.
//
// Rules: P104
func TestTruncatedFiles(t *testing.T) { testFiles(t, truncatedFiles) }

// truncatedFiles returns files that were concatenated or cut.
func truncatedFiles(m *material) []fileCase {
	return []fileCase{
		{"cat without a last newline", authorities, m.caNoEnd + m.caPEM, 0, at(m.caEnd, `"END" and "BEGIN" are on the same line`)},
		{"cat without a last newline", lists, strings.TrimSuffix(m.crlPEM, "\n") + m.crlPEM, 0, at(lastLine(m.crlPEM), `"END" and "BEGIN" are on the same line`)},
		{"cut before END", authorities, strings.Join(m.caLines[:m.caEnd-1], "\n") + "\n", 0, at(1, `"BEGIN CERTIFICATE" has no END: the file is cut short`)},
		{"cut within END", authorities, m.caPEM[:len(m.caPEM)-10], 0, at(1, `"BEGIN CERTIFICATE" has no END: the file is cut short`)},
		{"cut within the hyphens of END", authorities, strings.Join(m.caLines[:m.caEnd-1], "\n") + "\n--", 0, at(1, `"BEGIN CERTIFICATE" has no END: the file is cut short`)},
		{"second cut", authorities, m.caPEM + m.caPEM[:200], 0, at(m.caEnd+1, `"BEGIN CERTIFICATE" has no END: the file is cut short`)},
		{"list cut", lists, m.crlPEM[:100], 0, at(1, `"BEGIN X509 CRL" has no END: the file is cut short`)},
		{"key cut", key, m.key[:100], 0, at(1, `"BEGIN PRIVATE KEY" has no END: the file is cut short`)},
		{"cut, and then continued", authorities, m.caPEM[:strings.Index(m.caPEM, "\n")+1] + m.caPEM, 0, at(2, `"BEGIN" inside the block of line 1`)},
		{"END alone", authorities, m.caPEM + m.caLines[m.caEnd-1] + "\n", 0, at(m.caEnd+1, `"END" without a BEGIN before it`)},
		{"BEGIN missing", authorities, strings.Join(m.caLines[1:], "\n"), 0, at(1, `base64 without "-----BEGIN CERTIFICATE-----" before it`)},
		{"BEGIN damaged", authorities, m.caPEM[1:], 0, at(1, "a damaged line of a block's beginning or end")},
		{"BEGIN followed by four hyphens", authorities, strings.Replace(m.caPEM, "CERTIFICATE-----", "CERTIFICATE----", 1), 0, at(1, "the line is incomplete")},
		{"END of another kind", authorities, strings.Replace(m.caPEM, "END CERTIFICATE", "END X509 CRL", 1), 0, at(m.caEnd, `"END X509 CRL" closes "BEGIN CERTIFICATE" of line 1`)},
		{"a line of base64 missing", authorities, m.mapLines(func(i int, l string) string {
			if i == 2 {
				return ""
			}
			return l
		}), 0, at(1, `the block "CERTIFICATE" is damaged: it is cut short`)},
		{"DER cut", chain, string(m.leaf.Certificate.Raw[:200]), 0, "f: expected a certificate, got DER, and it is cut short"},
		{"DER cut", lists, m.crl[:100], 0, "f: expected a revocation list, got DER, and it is cut short"},
		{"bytes after DER", chain, string(m.leaf.Certificate.Raw) + "\n", 0, "f: expected a certificate, got DER, and 1 bytes follow its end: expected none"},
		{"bytes after DER", lists, m.crl + "xy", 0, "f: expected a revocation list, got DER, and 2 bytes follow its end: expected none"},
		{"block with a byte after its DER", chain, encodeBlock("CERTIFICATE", append(bytes.Clone(m.leaf.Certificate.Raw), 0)), 0, at(1, `the block "CERTIFICATE" is damaged: 1 bytes follow its end`)},
		{"key with a byte after its DER", key, encodeBlock("PRIVATE KEY", append(bytes.Clone(m.keyDER), 0)), 0, at(1, `the block "PRIVATE KEY" is damaged: 1 bytes follow its end`)},
	}
}

// Damage within a block is refused, with the line.
//
// Rules: P104
func TestDamagedBase64(t *testing.T) { testFiles(t, damagedBase64) }

// damagedBase64 returns files with damage within a block.
func damagedBase64(m *material) []fileCase {
	return []fileCase{
		{"character", authorities, m.withLine2(m.caLines[1][:10] + "*" + m.caLines[1][11:]), 0, at(2, "the base64 is damaged: the character in column 11 ")},
		{"short line", authorities, m.withLine2(m.caLines[1][:63]), 0, at(3, "the base64 is damaged: the line is too short or too long")},
		{"end within", authorities, m.withLine2(m.caLines[1][:63] + "="), 0, at(3, "the base64 is damaged: it continues after its end")},
		{"= within", authorities, m.withLine2(m.caLines[1][:30] + "=" + m.caLines[1][31:]), 0, at(2, `the base64 is damaged: "=" before its end`)},
		{"NUL", authorities, m.withLine2(m.caLines[1][:30] + "\x00" + m.caLines[1][31:]), 0, at(2, "NUL bytes")},
		{"NULs at the end", authorities, m.caPEM + strings.Repeat("\x00", 100), 0, at(m.caEnd+1, "NUL bytes")},
		{"only NULs", authorities, strings.Repeat("\x00", 100), 0, at(1, "NUL bytes")},
		{"END after base64", authorities, strings.Join(m.caLines[:m.caEnd-1], "\n") + m.caLines[m.caEnd-1] + "\n", 0, at(m.caEnd-1, `"END" after base64 on the same line`)},
		{"empty block", authorities, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", 0, at(1, `the block "CERTIFICATE" is empty`)},
		{"not a certificate", authorities, encodeBlock("CERTIFICATE", []byte{0x30, 1, 0}), 0, at(1, "the certificate is damaged: x509: ")},
		{"not a list", lists, encodeBlock("X509 CRL", []byte{0x30, 1, 0}), 0, at(1, "the revocation list is damaged: x509: ")},
		{"not a key", key, encodeBlock("PRIVATE KEY", []byte{0x30, 1, 0}), 0, at(1, "expected an ECDSA, RSA or Ed25519 key")},
		{"not DER", chain, encodeBlock("CERTIFICATE", []byte("x")), 0, at(1, `the block "CERTIFICATE" is damaged: expected DER, got something else`)},
	}
}

// Lost line ends and indentation are refused, with the line.
//
// Rules: P104
func TestLineEnds(t *testing.T) { testFiles(t, lineEnds) }

// lineEnds returns files with wrong line ends or indentation.
func lineEnds(m *material) []fileCase {
	return []fileCase{
		{"CR alone", authorities, strings.ReplaceAll(m.caPEM, "\n", "\r"), 0, at(1, "carriage returns without line feeds")},
		{"line ends lost", authorities, strings.ReplaceAll(m.caPEM, "\n", ""), 0, at(1, `text after "-----BEGIN CERTIFICATE-----" on the same line: the file has lost its line ends`)},
		{"line ends turned to blanks", authorities, strings.ReplaceAll(m.caPEM, "\n", " "), 0, at(1, `text after "-----BEGIN CERTIFICATE-----" on the same line`)},
		{"line ends written as \\n", authorities, strings.ReplaceAll(m.caPEM, "\n", `\n`), 0, at(1, `the line ends are written as \n`)},
		{"indented", authorities, "  " + strings.ReplaceAll(m.caPEM, "\n", "\n  "), 0, at(1, "the line is indented")},
		{"base64 indented", authorities, m.withLine2(" " + m.caLines[1]), 0, at(2, "the line is indented")},
	}
}

// Text and headers are refused, with the line.
//
// Rules: P104
func TestTextOutsideBlocks(t *testing.T) { testFiles(t, textOutsideBlocks) }

// textOutsideBlocks returns files with text or headers.
func textOutsideBlocks(m *material) []fileCase {
	return []fileCase{
		{"openssl pkcs12", authorities, "Bag Attributes\n    localKeyID: 01\n" + m.caPEM, 0, at(1, `"Bag Attributes", which openssl pkcs12 writes, outside of the blocks`)},
		{"openssl x509 -text", authorities, "Certificate:\n    Data:\n" + m.caPEM, 0, at(1, "the text of openssl's -text outside of the blocks")},
		{"openssl s_client", chain, m.leafPEM + "subject=CN = x\nissuer=CN = y\n", 0, at(lastLine(m.leafPEM)+1, "the subject and issuer lines of openssl")},
		{"a comment", authorities, "# our CA\n" + m.caPEM, 0, at(1, "a comment outside of the blocks")},
		{"text between", authorities, m.caPEM + "old\n" + m.caPEM, 0, at(m.caEnd+1, "text outside of the blocks")},
		{"text after", lists, m.crlPEM + "\x1a", 0, at(lastLine(m.crlPEM)+1, "text outside of the blocks")},
		{"a header", authorities, strings.Replace(m.caPEM, "-----\n", "-----\nComment: x\n\n", 1), 0, at(2, "a header inside the block of line 1")},
		{"an encrypted key in the traditional format", key, "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", 0, at(2, "the key is encrypted")},
	}
}
