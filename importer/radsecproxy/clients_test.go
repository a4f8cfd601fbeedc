package radsecproxy

import (
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
