package radsecproxy

import (
	"fmt"
	"reflect"
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

// dtlsText has a client of each type at one address, and a tls block of its own for DTLS.
const dtlsText = `
ListenTLS  192.0.2.50
ListenDTLS 192.0.2.50:2084
ListenDTLS [2001:db8::50]
tls default {
	CertificateFile    /none/gw.pem
	CertificateKeyFile /none/gw.key
	CACertificateFile  /none/ca.pem
}
tls datagrams {
	CertificateFile    /none/dtls.pem
	CertificateKeyFile /none/dtls.key
	CACertificateFile  /none/dtls-ca.pem
}
client ap-tls {
	type tls
	host 192.0.2.1
}
client ap {
	type   DTLS
	host   192.0.2.1
	tls    datagrams
	secret radius/dtls
}
client old {
	type   dtls
	host   192.0.2.2
	secret radsec
}
`

// Clients of type dtls get a listener, at the addresses of ListenDTLS and with the certificate of
// their tls block. Their secret is radius/dtls unless they have another.
// Rules: DT1
func TestClientsOverDTLS(t *testing.T) {
	d, err := importText(dtlsText, nil)
	if err != nil {
		t.Fatal(err)
	}
	v := importertest.Decode(t, d)
	listener, client := v["listener"].([]map[string]any), v["client"].([]map[string]any)
	want := map[string]any{
		"name": "dtls", "transport": "dtls", "address": []any{"192.0.2.50:2084", "[2001:db8::50]:2083"},
		"certificate": "/none/dtls.pem", "private_key": "/none/dtls.key",
	}
	if len(listener) != 1 || !reflect.DeepEqual(listener[0], want) {
		t.Errorf("the listeners are %v, expected %v", listener, want)
	}
	for i, want := range []struct {
		name, transports, ca string
		secret               bool
	}{{"ap-tls", "[]", "", false}, {"ap", "[dtls]", "/none/dtls-ca.pem", false}, {"old", "[dtls]", "", true}} {
		c := client[i]
		transports, _ := c["transports"].([]any)
		ca, _ := c["ca"].(string)
		_, secret := c["secret"]
		if c["name"] != want.name || fmt.Sprint(transports) != want.transports || ca != want.ca || secret != want.secret {
			t.Errorf("client %d is %v, expected %+v", i, c, want)
		}
	}
	if notes := noteTexts(d); strings.Contains(notes, "DTLS") || strings.Contains(notes, "datagrams") {
		t.Errorf("what is carried over is noted:%s", notes)
	}
	importertest.CheckLoads(t, importertest.Text(t, d)+"\n[[server]]\nname = 'a'\naddress = '127.0.0.1'\nsecret = 'a-Secret-0123456789'\n[[route]]\nrealms = ['*']\nservers = ['a']\n")
}

// Where all clients are of type dtls, [listen] has their tls block, too; a block that has no
// certificate leaves [listen]'s.
// Rules: DT1
func TestCertificateOverDTLS(t *testing.T) {
	alone, err := importText("tls default {\n CertificateFile /none/gw.pem\n CertificateKeyFile /none/gw.key\n CACertificateFile /none/ca.pem\n}\nclient a {\n type dtls\n}\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	if text := importertest.Text(t, alone); strings.Count(text, "/none/gw.pem") != 1 || !strings.Contains(text, "[listen]\naddress = [\"[::]:2083\"]\n") {
		t.Errorf("expected the certificate in [listen], got\n%s", text)
	}
	without, err := importText(strings.Replace(dtlsText, "	CertificateKeyFile /none/dtls.key\n", "", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = "\ntls datagrams: expected CertificateFile and CertificateKeyFile; without both, clients over DTLS get the certificate of tls default\n"
	if notes := noteTexts(without); !strings.Contains(notes, want) {
		t.Errorf("expected the note %q, got%s", want, notes)
	}
}
