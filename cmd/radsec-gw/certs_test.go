package main

import (
	"bytes"
	"crypto/sha256"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/certs"
)

// The fingerprint is the SHA-256 of the certificate.
func TestCertsFingerprint(t *testing.T) {
	dir := t.TempDir()
	entries, err := certs.WriteDir(dir, certs.DirOptions{Clients: []string{"campus"}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "campus.pem")
	want := certs.FormatFingerprint(sha256.Sum256(entries[2].Pair.Certificate.Raw)) + "  " + file
	var stdout, stderr bytes.Buffer
	if status := run([]string{"certs", "-fingerprint", file}, &stdout, &stderr); status != 0 || !strings.HasPrefix(stdout.String(), want) {
		t.Errorf("exit status %d and %q, want 0 and %q", status, stdout.String(), want)
	}
}
