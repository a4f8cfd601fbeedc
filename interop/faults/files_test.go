package faults

import (
	"os"
	"path/filepath"
	"testing"
)

// The CA's private key can be kept away from the service, and check says whose rights it read the
// files with, which key lies where it should not. It refuses a key that everybody can read.
//
// Fault T7.
func TestTheServiceGetsNoMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	if err := os.Mkdir(b.path("kept"), 0o700); err != nil {
		t.Fatal(err)
	}
	if status, said := b.command("certs", "-dir", "service", "-ca-key", "kept/ca.key"); status != 0 {
		t.Errorf("certs cannot keep the CA's key elsewhere: it exits %d:\n%s", status, said)
	}
	for name, expected := range map[string]bool{"service/server.key": true, "service/ca.key": false, "kept/ca.key": true} {
		if _, err := os.Stat(b.path(name)); (err == nil) != expected {
			t.Errorf("%s is there: %v, expected %v", name, err == nil, expected)
		}
	}
	b.write("ca.key", need(b.ca.KeyPEM()))
	for dir := b.dir; filepath.Dir(dir) != dir && dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil { // else the folder keeps everybody out
			t.Fatal(err)
		}
	}
	b.checkSays(0, "read as  ",
		"listen.client_ca: the private key of CN=the CA,O=radsec-gw development is in the same directory (ca.key)")
	if err := os.Chmod(b.path("server.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	b.checkSays(1, "listen.private_key: every user of this machine can read server.key")
}
