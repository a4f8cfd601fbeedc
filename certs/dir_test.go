package certs

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Files have their modes, and none is overwritten without force.
func TestWriteDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "dev")
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	write := func(o DirOptions, want string) {
		t.Helper()
		entries, err := WriteDir(dir, o)
		got := ""
		for _, e := range entries {
			got += map[bool]string{true: "kept ", false: "made "}[e.Kept] + filepath.Base(e.File) + " "
		}
		if err != nil {
			got += err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("expected %s, got %s", want, got)
		}
	}
	write(DirOptions{Clients: []string{"one"}}, "made ca.pem made server.pem made one.pem")
	for name, mode := range map[string]os.FileMode{"": 0o700, "ca.pem": 0o644, "ca.key": 0o600, "server.pem": 0o644, "server.key": 0o600, "one.pem": 0o644, "one.key": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s/%s has mode %v, expected %v (%v)", dir, name, info.Mode().Perm(), mode, err)
		}
	}
	if !strings.HasPrefix(read("one.key"), "-----BEGIN PRIVATE KEY-----") {
		t.Error("the key is not PKCS #8 in PEM")
	}
	ca, server, one := read("ca.key"), read("server.key"), read("one.key")
	write(DirOptions{Clients: []string{"one", "two"}}, "kept ca.pem kept server.pem kept one.pem made two.pem")
	if read("ca.key") != ca || read("server.key") != server || read("one.key") != one {
		t.Error("a key was overwritten without force")
	}
	write(DirOptions{Clients: []string{"one"}, Force: true}, "kept ca.pem made server.pem made one.pem")
	if read("ca.key") != ca || read("server.key") == server || read("one.key") == one {
		t.Error("force should replace the server's and the client's key, and nothing else")
	}
	if _, err := LoadPair(filepath.Join(dir, "one.pem"), filepath.Join(dir, "one.key")); err != nil {
		t.Errorf("what was written does not load: %v", err)
	}

	os.Remove(filepath.Join(dir, "one.key"))
	write(DirOptions{Clients: []string{"one"}}, "one.pem exists, but ")
	os.Remove(filepath.Join(dir, "two.pem"))
	write(DirOptions{Clients: []string{"two"}}, "two.key exists: -force replaces it")
	os.Remove(filepath.Join(dir, "ca.key"))
	write(DirOptions{}, "the CA cannot sign: cannot read the private key")
	os.Remove(filepath.Join(dir, "ca.pem"))
	write(DirOptions{}, "server.pem was signed by another CA")
	write(DirOptions{Force: true}, "kept ca.pem made server.pem")
	for _, name := range []string{"", "ca", "server", "../x", "a/b", ".x", "-x", "a b", strings.Repeat("x", 65)} {
		write(DirOptions{Clients: []string{name}}, "expected a")
	}
}

// An expired CA signs nothing.
func TestExpiredCA(t *testing.T) {
	dir := t.TempDir()
	ca := newCA(t, validFor(-time.Minute))
	if err := ca.write(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key"), false); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteDir(dir, DirOptions{}); err == nil || !strings.Contains(err.Error(), "valid from") {
		t.Errorf("expected the CA to be refused, got %v", err)
	}
	entries, err := WriteDir(dir, DirOptions{Force: true})
	if err != nil || entries[0].Kept {
		t.Errorf("expected force to make a new CA, got %v", err)
	}
}

// No certificate outlives its CA, and no name that a client could not ask for is in one.
//
// Fault S14.
func TestCertificatesEndWithTheirCA(t *testing.T) {
	entries, err := WriteDir(t.TempDir(), DirOptions{Hosts: []string{"radius_1.example.org", "*.example.org", "192.0.2.1", "::1"}, Clients: []string{"one"}, Validity: 36500 * 24 * time.Hour})
	if err != nil || len(entries) != 3 {
		t.Fatalf("%d certificates, %v", len(entries), err)
	}
	for _, e := range entries[1:] {
		if last := entries[0].Pair.Certificate.NotAfter; !e.Pair.Certificate.NotAfter.Equal(last) {
			t.Errorf("%s ends on %v, its CA on %v", e.File, e.Pair.Certificate.NotAfter, last)
		}
	}
	for _, host := range []string{"", "b c", " a", "a:2083", "a..b", "-a", "192.0.2.300", "*", "a.*.b", "é.example", strings.Repeat("a", 64), "https://a"} {
		dir := filepath.Join(t.TempDir(), "made")
		if _, err := WriteDir(dir, DirOptions{Hosts: []string{"a", host}}); err == nil || !strings.Contains(err.Error(), "expected host names and IP addresses") {
			t.Errorf("%q: %v, want that it is no host", host, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%q: something was made", host)
		}
	}
}

// With force nothing but the files of the certificates is replaced: not a device or a pipe that is named
// as the file for the CA's key, nor a file that somebody has put beside a key.
//
// Fault S5.
func TestForceReplacesFilesOnly(t *testing.T) {
	dir := t.TempDir()
	kept := filepath.Join(dir, "server.key.new")
	if err := os.WriteFile(kept, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := WriteDir(dir, DirOptions{Force: true}); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(kept); err != nil || string(text) != "kept" {
		t.Errorf("%s: %q, %v; expected what was written there", kept, text, err)
	}
	if rest, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(rest) > 0 {
		t.Errorf("left behind: %v", rest)
	}
	socket := filepath.Join(dir, "socket")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = WriteDir(filepath.Join(dir, "other"), DirOptions{CAKey: socket, Force: true})
	if err == nil || !strings.Contains(err.Error(), socket+", which is not a regular file") {
		t.Errorf("a socket as the CA's key: expected that it is not a regular file, got %v", err)
	}
	if info, err := os.Lstat(socket); err != nil || info.Mode().Type() != os.ModeSocket {
		t.Errorf("the socket was replaced: %v", err)
	}
}
