package certs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each file has a size limit, which the error names together with the file.
//
// Fault S12.
func TestLargeFilesAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.pem")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil { // sparse
		t.Fatal(err)
	}
	for name, load := range map[string]func() error{
		"LoadCA":           func() error { _, err := LoadCA(path); return err },
		"LoadCertificates": func() error { _, err := LoadCertificates(path); return err },
		"loadKey":          func() error { _, err := loadKey(path); return err },
	} {
		if err := load(); err == nil || !strings.Contains(err.Error(), path+" is too large: expected at most ") {
			t.Errorf("%s: expected an error that names the file and the limit, got %v", name, err)
		}
	}
}
