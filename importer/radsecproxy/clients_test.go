package radsecproxy

import (
	"strings"
	"testing"
	"testing/fstest"

	"radsec-gw/importer"
	"radsec-gw/importer/importertest"
)

// A client that becomes several, and names that differ in what a file's name does not have,
// get a file for each secret.
func TestSecretFiles(t *testing.T) {
	const text = `
client aps {
	type tls
	host 192.0.2.0/24
	host 198.51.100.1
	host aps.example.org
	secret secret-of-aps
}
client a/b {
	type tls
	host 192.0.2.1
	secret secret-of-a/b
}
client a-b {
	type tls
	host 192.0.2.2
	secret secret-of-a-b
}
`
	d := &importer.Draft{Source: "radsecproxy.conf", SecretDir: "/secrets"}
	source := importer.NewSource(fstest.MapFS{"r.conf": {Data: []byte(text)}})
	if err := Import(source, "/r.conf", d); err != nil {
		t.Fatal(err)
	}
	importertest.CheckSecretFiles(t, d, map[string]string{
		"aps": "secret-of-aps", "aps-2": "secret-of-aps", "aps-3": "secret-of-aps", "a/b": "secret-of-a/b", "a-b": "secret-of-a-b",
	})
}

// noteTexts returns the texts of the notes, a line for each.
func noteTexts(d *importer.Draft) string {
	var b strings.Builder
	for _, n := range d.Notes() {
		b.WriteString("\n" + n.Text)
	}
	return b.String() + "\n"
}

// furtherTLS has a client for each tls block, and one whose block is missing.
const furtherTLS = `
tls default {
	CertificateFile /none/gw.pem
	CertificateKeyFile /none/gw.key
	CACertificateFile /none/ca.pem
	TlsVersion TLS1_2:TLS1_3
}
tls strict {
	CertificateFile /none/gw.pem
	CertificateKeyFile /none/gw.key
	CertificateKeyPassword Hidden-0123
	CACertificateFile /none/strict.pem
	CACertificatePath /none/strict.d
	CRLCheck on
	CipherList HIGH
}
tls directory {
	CACertificatePath /none/ca.d
	TlsVersion TLS1_2:TLS1_3
}
client first {
	type tls
	host 192.0.2.1
}
client second {
	type tls
	host 192.0.2.2
	tls Strict
}
client third {
	type tls
	host 192.0.2.3
	tls directory
}
client fourth {
	type tls
	host 192.0.2.4
	tls missing
}
`

// A client whose CA cannot be carried over is written as a comment, because another CA
// would be that of more clients. What else tls blocks differ in is noted.
func TestFurtherTLSBlocks(t *testing.T) {
	d, err := importText(furtherTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	notes, written := noteTexts(d), importertest.Text(t, d)
	const once = ": [listen] has this once, for all clients, as tls default says\n"
	for _, want := range []string{
		"\nCertificateKeyPassword … of tls strict" + once, "\nCRLCheck on of tls strict" + once, "\nCipherList HIGH of tls strict" + once,
		"\ntls strict without TlsVersion" + once, "\nCACertificatePath /none/strict.d of tls strict: ", "\ntls directory without CACertificateFile: ",
		"\ntls missing: expected the name of a tls block",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("expected the note %q, got%s", want, notes)
		}
	}
	for _, want := range []string{"\nname = \"first\"", "\nname = \"second\"", "\nca = \"/none/strict.pem\"", "\n# name = \"third\"", "\n# name = \"fourth\""} {
		if !strings.Contains(written, want+"\n") {
			t.Errorf("expected the line %s, got\n%s", want, written)
		}
	}
	if strings.Contains(written, "Hidden") {
		t.Errorf("expected no password, got\n%s", written)
	}
}
