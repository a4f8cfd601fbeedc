package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"strings"
	"testing"
	"time"
)

// material is what the shapes of files are made of.
type material struct {
	ca, other         *CA
	leaf              *Pair
	caPEM, leafPEM    string
	key, ec, rsa, ed  string // private keys in PEM
	keyDER            []byte
	crl, crlPEM       string
	request, p7, p12  []byte // DER
	encrypted, public []byte // DER
}

func block1(kind string, der []byte) string {
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
	m.leaf = must(m.ca.Server("localhost"))
	m.caPEM, m.leafPEM = string(m.ca.CertPEM()), string(m.leaf.CertPEM())
	m.key = string(must(m.leaf.KeyPEM()))
	m.keyDER = must(x509.MarshalPKCS8PrivateKey(m.leaf.key))
	m.ec = block1("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(m.leaf.key.(*ecdsa.PrivateKey))))
	m.rsa = block1("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(must(rsa.GenerateKey(rand.Reader, 2048))))
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	must(ed, err)
	m.ed = block1("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ed)))
	now := time.Now()
	m.crl = string(must(m.ca.CRL(now, now.Add(time.Hour), m.leaf)))
	m.crlPEM = block1("X509 CRL", []byte(m.crl))
	m.request = must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "x"}}, m.leaf.key))
	m.public = must(x509.MarshalPKIXPublicKey(m.leaf.key.Public()))
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

// The places where a file of certificates, keys or lists can stand.
type place int

const (
	chain place = iota
	authority
	between
	key
	lists
)

var placeNames = [...]string{"chain", "authorities", "intermediates", "key", "lists"}

// parse reads octets as the place does and gives how many things it found.
func (p place) parse(octets []byte) (n int, err error) {
	switch p {
	case chain:
		c, err := ParseCertificates("f", octets)
		return len(c), err
	case authority, between:
		parse := ParseCA
		if p == between {
			parse = ParseIntermediates
		}
		a, err := parse("f", octets)
		if err != nil {
			return 0, err
		}
		return len(a.Certificates) + len(a.CRLs), nil
	case key:
		k, err := ParseKey("f", octets)
		if k != nil {
			n = 1
		}
		return n, err
	}
	l, err := ParseCRLs("f", octets)
	return len(l), err
}

// lastLine is the number of lines.
func lastLine(s string) int { return strings.Count(strings.TrimSuffix(s, "\n"), "\n") + 1 }

// shape is what stands at a place, and what comes of it.
type shape struct {
	name  string
	place place
	text  string
	n     int    // how many are found; 0: refused
	want  string // how the error begins
}

// Each shape that a file can have, at each place that it matters for: accepted with
// so many certificates, keys and lists, or refused with this text, file and line.
//
// Rules: P104
func TestShapes(t *testing.T) {
	m := newMaterial()
	noEnd := strings.TrimSuffix(m.caPEM, "\n")
	caLines := strings.Split(noEnd, "\n")
	n := len(caLines) // lines of the CA's block
	lines := func(change func(i int, line string) string) string {
		var out []string
		for i, l := range caLines {
			out = append(out, change(i, l))
		}
		return strings.Join(out, "\n") + "\n"
	}
	line2 := func(text string) string {
		return lines(func(i int, l string) string {
			if i == 1 {
				return text
			}
			return l
		})
	}
	utf16 := func(bigEndian bool) string {
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
	at := func(line int, text string) string { return "f:" + itoa(line) + ": " + text }
	const cert = `expected PEM with "BEGIN CERTIFICATE", got `
	table := []shape{
		// What is right.
		{"one", authority, m.caPEM, 1, ""},
		{"one", chain, m.leafPEM, 1, ""},
		{"two", authority, m.caPEM + string(m.other.CertPEM()), 2, ""},
		{"leaf and CA", chain, m.leafPEM + m.caPEM, 2, ""},
		{"without a last newline", authority, noEnd, 1, ""},
		{"CRLF", authority, strings.ReplaceAll(m.caPEM, "\n", "\r\n"), 1, ""},
		{"CRLF", key, strings.ReplaceAll(m.key, "\n", "\r\n"), 1, ""},
		{"empty lines around", authority, "\n\r\n" + m.caPEM + "\n\n" + string(m.other.CertPEM()) + "\n", 2, ""},
		{"empty line within", authority, lines(func(i int, l string) string { return l + "\n" }), 1, ""},
		{"blanks at the ends of lines", authority, lines(func(i int, l string) string { return l + " \t" }), 1, ""},
		{"one long line of base64", authority, caLines[0] + "\n" + strings.Join(caLines[1:n-1], "") + "\n" + caLines[n-1] + "\n", 1, ""},
		{"DER", chain, string(m.leaf.Certificate.Raw), 1, ""},
		{"DER", authority, string(m.ca.Certificate.Raw), 1, ""},
		{"DER", lists, m.crl, 1, ""},
		{"one", lists, m.crlPEM, 1, ""},
		{"two", lists, m.crlPEM + m.crlPEM, 2, ""},
		{"a list behind a CA", authority, m.caPEM + m.crlPEM, 2, ""},
		{"a list before a CA", authority, m.crlPEM + m.caPEM, 2, ""},
		{"a CA twice", authority, m.caPEM + m.caPEM, 1, ""},
		{"PKCS #8", key, m.key, 1, ""},
		{"SEC 1", key, m.ec, 1, ""},
		{"SEC 1 after its parameters", key, block1("EC PARAMETERS", []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}) + m.ec, 1, ""},
		{"PKCS #1", key, m.rsa, 1, ""},
		{"Ed25519", key, m.ed, 1, ""},

		// Byte order marks.
		{"UTF-8 mark", authority, utf8Mark + m.caPEM, 0, at(1, "a byte order mark (UTF-8) begins the file")},
		{"UTF-8 mark", key, utf8Mark + m.key, 0, at(1, "a byte order mark (UTF-8) begins the file")},
		{"UTF-8 mark", lists, utf8Mark + m.crlPEM, 0, at(1, "a byte order mark (UTF-8) begins the file")},
		{"UTF-8 mark of the second file", authority, m.caPEM + utf8Mark + m.caPEM, 0, at(n+1, "a byte order mark (UTF-8) begins the line")},
		{"UTF-16LE", authority, utf16(false), 0, at(1, "a byte order mark (UTF-16, little endian) begins the file")},
		{"UTF-16BE", authority, utf16(true), 0, at(1, "a byte order mark (UTF-16, big endian) begins the file")},

		// Files put together, and cut.
		{"cat without a last newline", authority, noEnd + m.caPEM, 0, at(n, `"END" and "BEGIN" share the line`)},
		{"cat without a last newline", lists, strings.TrimSuffix(m.crlPEM, "\n") + m.crlPEM, 0, at(lastLine(m.crlPEM), `"END" and "BEGIN" share the line`)},
		{"cut before END", authority, strings.Join(caLines[:n-1], "\n") + "\n", 0, at(1, `"BEGIN CERTIFICATE" has no END: the file is cut short`)},
		{"cut within END", authority, m.caPEM[:len(m.caPEM)-10], 0, at(1, `"BEGIN CERTIFICATE" has no END: the file is cut short`)},
		{"cut within the hyphens of END", authority, strings.Join(caLines[:n-1], "\n") + "\n--", 0, at(1, `"BEGIN CERTIFICATE" has no END: the file is cut short`)},
		{"second cut", authority, m.caPEM + m.caPEM[:200], 0, at(n+1, `"BEGIN CERTIFICATE" has no END: the file is cut short`)},
		{"list cut", lists, m.crlPEM[:100], 0, at(1, `"BEGIN X509 CRL" has no END: the file is cut short`)},
		{"key cut", key, m.key[:100], 0, at(1, `"BEGIN PRIVATE KEY" has no END: the file is cut short`)},
		{"cut and continued", authority, m.caPEM[:strings.Index(m.caPEM, "\n")+1] + m.caPEM, 0, at(2, `"BEGIN" inside the block of line 1`)},
		{"END alone", authority, m.caPEM + caLines[n-1] + "\n", 0, at(n+1, `"END" without a BEGIN before it`)},
		{"BEGIN missing", authority, strings.Join(caLines[1:], "\n"), 0, at(1, `base64 without "-----BEGIN CERTIFICATE-----" before it`)},
		{"BEGIN damaged", authority, m.caPEM[1:], 0, at(1, "a damaged line of a block's beginning or end")},
		{"BEGIN with four hyphens behind", authority, strings.Replace(m.caPEM, "CERTIFICATE-----", "CERTIFICATE----", 1), 0, at(1, "the line is not whole")},
		{"END of another kind", authority, strings.Replace(m.caPEM, "END CERTIFICATE", "END X509 CRL", 1), 0, at(n, `"END X509 CRL" closes "BEGIN CERTIFICATE" of line 1`)},
		{"a line of base64 missing", authority, lines(func(i int, l string) string {
			if i == 2 {
				return ""
			}
			return l
		}), 0, at(1, `the block "CERTIFICATE" is damaged: it is cut short`)},
		{"DER cut", chain, string(m.leaf.Certificate.Raw[:200]), 0, "f: expected a certificate, got DER, and it is cut short"},
		{"DER cut", lists, m.crl[:100], 0, "f: expected a revocation list, got DER, and it is cut short"},
		{"DER and more", chain, string(m.leaf.Certificate.Raw) + "\n", 0, "f: expected a certificate, got DER, and 1 bytes follow its end: expected none"},
		{"DER and more", lists, m.crl + "xy", 0, "f: expected a revocation list, got DER, and 2 bytes follow its end: expected none"},
		{"block with more behind its DER", chain, block1("CERTIFICATE", append(bytes.Clone(m.leaf.Certificate.Raw), 0)), 0, at(1, `the block "CERTIFICATE" is damaged: 1 bytes follow its end`)},
		{"key with more behind its DER", key, block1("PRIVATE KEY", append(bytes.Clone(m.keyDER), 0)), 0, at(1, `the block "PRIVATE KEY" is damaged: 1 bytes follow its end`)},

		// Damaged base64.
		{"character", authority, line2(caLines[1][:10] + "*" + caLines[1][11:]), 0, at(2, "the base64 is damaged: column 11 ")},
		{"short line", authority, line2(caLines[1][:63]), 0, at(3, "the base64 is damaged: the line is cut")},
		{"end within", authority, line2(caLines[1][:63] + "="), 0, at(3, "the base64 is damaged: it goes on after its end")},
		{"= within", authority, line2(caLines[1][:30] + "=" + caLines[1][31:]), 0, at(2, `the base64 is damaged: "=" stands before its end`)},
		{"NUL", authority, line2(caLines[1][:30] + "\x00" + caLines[1][31:]), 0, at(2, "NUL bytes")},
		{"NULs behind", authority, m.caPEM + strings.Repeat("\x00", 100), 0, at(n+1, "NUL bytes")},
		{"nothing but NULs", authority, strings.Repeat("\x00", 100), 0, at(1, "NUL bytes")},
		{"END behind base64", authority, strings.Join(caLines[:n-1], "\n") + caLines[n-1] + "\n", 0, at(n-1, `"END" stands behind base64`)},
		{"empty block", authority, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", 0, at(1, `the block "CERTIFICATE" is empty`)},
		{"no certificate", authority, block1("CERTIFICATE", []byte{0x30, 1, 0}), 0, at(1, "the certificate is damaged: x509: ")},
		{"no list", lists, block1("X509 CRL", []byte{0x30, 1, 0}), 0, at(1, "the revocation list is damaged: x509: ")},
		{"no key", key, block1("PRIVATE KEY", []byte{0x30, 1, 0}), 0, at(1, "expected an ECDSA, RSA or Ed25519 key")},
		{"no DER", chain, block1("CERTIFICATE", []byte("x")), 0, at(1, `the block "CERTIFICATE" is damaged: expected DER, got something else`)},

		// Line ends and indentation.
		{"CR alone", authority, strings.ReplaceAll(m.caPEM, "\n", "\r"), 0, at(1, "carriage returns without line feeds")},
		{"line ends lost", authority, strings.ReplaceAll(m.caPEM, "\n", ""), 0, at(1, `more stands behind "-----BEGIN CERTIFICATE-----" on its line: the file has lost its line ends`)},
		{"line ends turned to blanks", authority, strings.ReplaceAll(m.caPEM, "\n", " "), 0, at(1, `more stands behind "-----BEGIN CERTIFICATE-----" on its line`)},
		{"line ends written as \\n", authority, strings.ReplaceAll(m.caPEM, "\n", `\n`), 0, at(1, `the line ends are written as \n`)},
		{"indented", authority, "  " + strings.ReplaceAll(m.caPEM, "\n", "\n  "), 0, at(1, "the line is indented")},
		{"base64 indented", authority, line2(" " + caLines[1]), 0, at(2, "the line is indented")},

		// Text and headers.
		{"openssl pkcs12", authority, "Bag Attributes\n    localKeyID: 01\n" + m.caPEM, 0, at(1, `"Bag Attributes", which openssl pkcs12 writes, outside of the blocks`)},
		{"openssl x509 -text", authority, "Certificate:\n    Data:\n" + m.caPEM, 0, at(1, "the text of openssl's -text outside of the blocks")},
		{"openssl s_client", chain, m.leafPEM + "subject=CN = x\nissuer=CN = y\n", 0, at(lastLine(m.leafPEM)+1, "the subject and issuer lines of openssl")},
		{"a comment", authority, "# our CA\n" + m.caPEM, 0, at(1, "a comment outside of the blocks")},
		{"text between", authority, m.caPEM + "old\n" + m.caPEM, 0, at(n+1, "text outside of the blocks")},
		{"text behind", lists, m.crlPEM + "\x1a", 0, at(lastLine(m.crlPEM)+1, "text outside of the blocks")},
		{"a header", authority, strings.Replace(m.caPEM, "-----\n", "-----\nComment: x\n\n", 1), 0, at(2, "a header inside the block of line 1")},
		{"an encrypted key of old", key, "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", 0, at(2, "the key is encrypted")},

		// Another kind.
		{"key among certificates", authority, m.caPEM + m.key, 0, at(n+1, cert+`"PRIVATE KEY": a private key belongs into a file of its own`)},
		{"key behind the chain", chain, m.leafPEM + m.key, 0, at(lastLine(m.leafPEM)+1, cert+`"PRIVATE KEY": a private key belongs into a file of its own`)},
		{"key for a chain", chain, m.key, 0, at(1, cert+`"PRIVATE KEY"`)},
		{"chain behind the key", key, m.key + m.leafPEM, 0, at(lastLine(m.key)+1, `expected PEM with "BEGIN PRIVATE KEY", got "CERTIFICATE"`)},
		{"trusted certificate", authority, block1("TRUSTED CERTIFICATE", append(bytes.Clone(m.ca.Certificate.Raw), 0x30, 0)), 0, at(1, cert+`"TRUSTED CERTIFICATE": `+"`openssl x509")},
		{"PKCS #7", chain, block1("PKCS7", m.p7), 0, at(1, cert+`"PKCS7": `+"`openssl pkcs7")},
		{"request", chain, block1("CERTIFICATE REQUEST", m.request), 0, at(1, cert+`"CERTIFICATE REQUEST": a request`)},
		{"list in a chain", chain, m.leafPEM + m.crlPEM, 0, at(lastLine(m.leafPEM)+1, cert+`"X509 CRL": a revocation list belongs into crl`)},
		{"certificate among lists", lists, m.crlPEM + m.caPEM, 0, at(lastLine(m.crlPEM)+1, `expected PEM with "BEGIN X509 CRL", got "CERTIFICATE": a CA belongs into client_ca`)},
		{"key among lists", lists, m.key, 0, at(1, `expected PEM with "BEGIN X509 CRL", got "PRIVATE KEY": a private key does not belong here`)},
		{"lists alone for CAs", authority, m.crlPEM, 0, "f: expected a CA, got revocation lists only"},
		{"a leaf among CAs", authority, m.caPEM + m.leafPEM, 0, at(n+1, "CN=localhost,O=radsec-gw development is not a CA (basicConstraints)")},
		{"a leaf twice", chain, m.leafPEM + m.leafPEM, 0, at(lastLine(m.leafPEM)+1, "the certificate of CN=localhost,O=radsec-gw development is listed twice, it is on line 1 already")},
		{"two keys", key, m.key + m.ec, 0, at(lastLine(m.key)+1, "a second private key: expected one, and it is on line 1")},
		{"encrypted key", key, block1("ENCRYPTED PRIVATE KEY", m.encrypted), 0, at(1, "the key is encrypted")},
		{"OpenSSH key", key, block1("OPENSSH PRIVATE KEY", []byte("openssh-key-v1\x00and more")), 0, at(1, `expected PEM with "BEGIN PRIVATE KEY", got "OPENSSH PRIVATE KEY": `+"`ssh-keygen")},
		{"parameters alone", key, block1("EC PARAMETERS", []byte{6, 1, 0}), 0, at(1, `expected "BEGIN EC PRIVATE KEY" after "BEGIN EC PARAMETERS"`)},
		{"public key", key, block1("PUBLIC KEY", m.public), 0, at(1, `expected PEM with "BEGIN PRIVATE KEY", got "PUBLIC KEY"`)},
		{"DER of a key", chain, string(m.keyDER), 0, "f: expected a certificate, got a private key in DER"},
		{"DER of a key", key, string(m.keyDER), 0, `f: expected PEM with "BEGIN PRIVATE KEY", got a private key in DER: ` + "`openssl pkey -inform DER"},
		{"DER of an encrypted key", key, string(m.encrypted), 0, `f: expected PEM with "BEGIN PRIVATE KEY", got an encrypted private key in DER`},
		{"DER of a list", authority, m.crl, 0, "f: expected a certificate, got a revocation list in DER"},
		{"DER of a certificate", lists, string(m.ca.Certificate.Raw), 0, "f: expected a revocation list, got a certificate in DER"},
		{"DER of a certificate", key, string(m.ca.Certificate.Raw), 0, `f: expected PEM with "BEGIN PRIVATE KEY", got a certificate in DER`},
		{"DER of a request", chain, string(m.request), 0, "f: expected a certificate, got a certificate request in DER"},
		{"DER of PKCS #7", authority, string(m.p7), 0, "f: expected a certificate, got PKCS #7 in DER (.p7b)"},
		{"DER of PKCS #12", key, string(m.p12), 0, `f: expected PEM with "BEGIN PRIVATE KEY", got PKCS #12 (.p12, .pfx)`},

		// Nothing of the sort.
		{"empty", authority, "", 0, `f: expected PEM with "BEGIN CERTIFICATE", got an empty file`},
		{"empty", key, "", 0, `f: expected PEM with "BEGIN PRIVATE KEY", got an empty file`},
		{"empty", lists, "", 0, `f: expected PEM with "BEGIN X509 CRL", got an empty file`},
		{"empty lines", authority, "\n \r\n", 0, `f: expected PEM with "BEGIN CERTIFICATE", got blanks and empty lines only`},
		{"text", authority, "hello", 0, at(1, cert+"5 bytes without")},
		{"gzip", authority, "\x1f\x8b\x08\x00\x00", 0, `f: expected PEM with "BEGIN CERTIFICATE", got a gzip file`},
		{"ZIP", lists, "PK\x03\x04\x00\x00", 0, `f: expected PEM with "BEGIN X509 CRL", got a ZIP file`},
	}
	for _, x := range table {
		if x.place == authority { // both read alike
			table = append(table, shape{x.name, between, x.text, x.n, x.want})
		}
	}
	self := must(NewCA("self", func(t *x509.Certificate) { t.IsCA, t.MaxPathLenZero = false, false }))
	table = append(table, shape{"signed by itself and no CA", authority, string(self.CertPEM()), 1, ""},
		shape{"signed by itself and no CA", between, string(self.CertPEM()), 0, at(1, "CN=self,O=radsec-gw development is not a CA (basicConstraints)")})
	for _, x := range table {
		t.Run(placeNames[x.place]+": "+x.name, func(t *testing.T) {
			n, err := x.place.parse([]byte(x.text))
			switch {
			case x.want == "" && (err != nil || n != x.n):
				t.Errorf("expected %d to be read, got %d and %v", x.n, n, err)
			case x.want != "" && (err == nil || !strings.HasPrefix(err.Error(), x.want)):
				t.Errorf("expected the error\n%s\ngot\n%v", x.want, err)
			case err != nil && n != 0:
				t.Errorf("expected nothing beside an error, got %d", n)
			}
			if err != nil && (strings.Contains(err.Error(), secretPart(m.key)) || strings.Contains(err.Error(), secretPart(m.ec))) {
				t.Errorf("the error shows a key: %v", err)
			}
		})
	}
}

// secretPart is some of a key in PEM.
func secretPart(text string) string { return strings.Split(text, "\n")[2][:16] }

func itoa(n int) string {
	if n >= 10 {
		return itoa(n/10) + string(rune('0'+n%10))
	}
	return string(rune('0' + n))
}
