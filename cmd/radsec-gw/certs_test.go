package main

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
)

// runCommand runs one of the commands as the shell would.
func runCommand(run func([]string, *bytes.Buffer, *bytes.Buffer) int, args ...string) (status int, out, errs string) {
	var stdout, stderr bytes.Buffer
	status = run(args, &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

func certsCommand(args ...string) (int, string, string) {
	return runCommand(func(a []string, o, e *bytes.Buffer) int { return runCerts(a, o, e) }, args...)
}

// The first run makes everything, the second keeps it, a third adds a client.
func TestCertsMakesAndKeeps(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs", "dev")
	status, out, errs := certsCommand("-dir", dir)
	if status != 0 || strings.Count(out, "made  ") != 3 || !strings.Contains(out, "localhost radsec-server 127.0.0.1 ::1") {
		t.Fatalf("expected a CA, a server's and a client's certificate, got %d:\n%s%s", status, out, errs)
	}
	before, err := os.ReadFile(filepath.Join(dir, "client.key"))
	if err != nil {
		t.Fatal(err)
	}
	status, out, errs = certsCommand("-dir", dir, "client", "campus")
	if status != 0 || strings.Count(out, "kept  ") != 3 || strings.Count(out, "made  ") != 1 || !strings.Contains(out, "campus.pem") {
		t.Fatalf("expected one more certificate, got %d:\n%s%s", status, out, errs)
	}
	after, err := os.ReadFile(filepath.Join(dir, "client.key"))
	if err != nil || !bytes.Equal(before, after) {
		t.Error("the client's key was not kept")
	}
	status, out, _ = certsCommand("-dir", dir, "-force")
	again, err := os.ReadFile(filepath.Join(dir, "client.key"))
	if err != nil || status != 0 || bytes.Equal(before, again) || strings.Count(out, "kept  ") != 1 {
		t.Errorf("expected -force to replace the client's key and keep the CA, got %d:\n%s", status, out)
	}
}

func TestCertsFingerprint(t *testing.T) {
	dir := t.TempDir()
	entries, err := certs.WriteDir(dir, certs.DirOptions{Clients: []string{"campus"}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "campus.pem")
	want := certs.FormatFingerprint(sha256.Sum256(entries[2].Pair.Certificate.Raw))
	status, out, _ := certsCommand("-fingerprint", file)
	if status != 0 || !strings.HasPrefix(out, want+"  "+file) || !strings.HasPrefix(out, "sha256:") {
		t.Errorf("expected %s, got %d: %s", want, status, out)
	}
	status, out, errs := certsCommand("-fingerprint", filepath.Join(dir, "campus.key"), file)
	if status != 1 || !strings.Contains(errs, `campus.key:1: expected PEM with "BEGIN CERTIFICATE", got "PRIVATE KEY"`) || !strings.HasPrefix(out, want) {
		t.Errorf("expected one refusal and one fingerprint, got %d: %s%s", status, out, errs)
	}
}

// The CA's private key may lie apart, so that a gateway that reads the directory
// does not have it; check accepts what is there, and has nothing to say about keys.
func TestCertsKeepsTheKeyOfTheCAApart(t *testing.T) {
	dir, file := gatewaytest.Dir(t, gatewaytest.TwoServers)
	apart, fresh := filepath.Join(dir, "apart.key"), filepath.Join(dir, "fresh")
	for range 2 { // the second finds it there
		if status, _, errs := certsCommand("-dir", fresh, "-ca-key", apart, "one"); status != 0 {
			t.Fatalf("expected certificates, got %d: %s", status, errs)
		}
	}
	if status, _, errs := certsCommand("-dir", fresh, "-ca-key", apart, "two"); status != 0 {
		t.Fatalf("expected another one of the same CA, got %d: %s", status, errs)
	}
	names := ""
	entries, err := os.ReadDir(fresh)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names += e.Name() + " "
	}
	if want := "ca.pem one.key one.pem server.key server.pem two.key two.pem "; names != want {
		t.Errorf("expected the files %s, got %s", want, names)
	}
	gatewaytest.WriteFile(t, file, []byte(strings.ReplaceAll(gatewaytest.TwoServers, "certs/dev", "fresh")))
	status, out, errs := checkCommand("-config", file)
	if status != 0 || strings.Contains(out, "lies beside it") {
		t.Errorf("expected nothing about the CA's key, got %d:\n%s%s", status, out, errs)
	}
}

func TestCertsUsage(t *testing.T) {
	for _, x := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"-nope"}, 2, "not defined: -nope"},
		{[]string{"-help"}, 0, "-fingerprint FILE..."},
		{[]string{"-fingerprint"}, 2, "expected certificate files"},
		{[]string{"-days", "0"}, 2, "expected -days from 1"},
		{[]string{"-dir", t.TempDir(), "../x"}, 1, `expected a client's name of at most 64`},
		{[]string{"-dir", t.TempDir(), "server"}, 1, `expected another name`},
	} {
		if status, _, errs := certsCommand(x.args...); status != x.status || !strings.Contains(errs, x.want) {
			t.Errorf("certs %q: expected %d and %q, got %d: %s", x.args, x.status, x.want, status, errs)
		}
	}
}
