package main

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/config"
)

// chmod changes a mode, and back at the end.
func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(path, 0o700) })
}

// openTo makes the folders above a file enterable for everybody, as far as the
// test's own go.
func openTo(t *testing.T, path string) {
	t.Helper()
	for dir := filepath.Dir(path); strings.HasPrefix(dir, os.TempDir()+string(filepath.Separator)); dir = filepath.Dir(dir) {
		chmod(t, dir, 0o755)
	}
}

// check says as whom it read, and warns of keys and secrets that everybody can read
// and of the CA's key beside the CA, each with the line of its key.
func TestCheckWarnsAboutReaders(t *testing.T) {
	text := strings.Replace(checkConfig, `secret = "0123456789abcdef"`, `secret_file = "a.secret"`, 1)
	text = strings.Replace(text, `secret = "0123456789ab"`, `secret_file = "a.secret"`, 1)
	dir, file := checkDir(t, text)
	openTo(t, filepath.Join(dir, "certs/dev/server.key"))
	writeTestFile(t, filepath.Join(dir, "a.secret"), []byte("0123456789abcdef\n"))
	report := func() string {
		t.Helper()
		status, out, errs := checkCommand("-config", file)
		if status != 0 {
			t.Fatalf("expected no mistakes, got %d: %s", status, errs)
		}
		return strings.ReplaceAll(out, dir+"/", "")
	}
	expect := func(out string, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if !strings.Contains(out, text) {
				t.Errorf("expected %q in\n%s", text, out)
			}
		}
	}
	out := report()
	expect(out, "Files\n  read as  ", "c.toml:4: listen.client_ca: the private key of CN=radsec-gw development CA,O=radsec-gw development lies beside it (certs/dev/ca.key)")
	if strings.Contains(out, "everybody on this machine") {
		t.Errorf("closed files are warned of:\n%s", out)
	}
	chmod(t, filepath.Join(dir, "certs/dev/server.key"), 0o644)
	chmod(t, filepath.Join(dir, "a.secret"), 0o604)
	expect(report(), "c.toml:3: listen.private_key: everybody on this machine can read certs/dev/server.key",
		"c.toml:18: server[0].secret_file: everybody on this machine can read a.secret")
	chmod(t, filepath.Join(dir, "certs/dev"), 0o750)
	if out := report(); strings.Contains(out, "can read certs/dev/server.key") {
		t.Errorf("a file in a closed folder is warned of:\n%s", out)
	}
	if err := os.Rename(filepath.Join(dir, "certs/dev/ca.key"), filepath.Join(dir, "ca.key")); err != nil {
		t.Fatal(err)
	}
	if out := report(); strings.Contains(out, "lies beside it") {
		t.Errorf("a CA's key elsewhere is warned of:\n%s", out)
	}
}

// A configuration with a secret in it is a secret file itself; the well-known
// "radsec" is none.
func TestCheckWarnsAboutAReadableConfiguration(t *testing.T) {
	_, file := checkDir(t, checkConfig)
	openTo(t, file)
	chmod(t, file, 0o644)
	_, out, _ := checkCommand("-config", file)
	if want := file + ":18: server[0].secret: everybody on this machine can read " + file; !strings.Contains(out, want) {
		t.Errorf("expected %q in\n%s", want, out)
	}
}

// Whom owner and mode keep away from a file, on the way to it included.
func TestWhoMayRead(t *testing.T) {
	dir := t.TempDir()
	inner := filepath.Join(dir, "inner")
	path, link := filepath.Join(inner, "file"), filepath.Join(dir, "link")
	if err := os.Mkdir(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	writeTestFile(t, path, nil)
	openTo(t, path)
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	me, group := uint32(os.Getuid()), uint32(os.Getgid())
	owner := account{name: "owner", uid: me}
	member := account{name: "member", uid: nobody.uid, groups: []uint32{group}}
	for _, x := range []struct {
		folder, file fs.FileMode
		who          account
		path, want   string // stopped at
	}{
		{0o755, 0o644, nobody, path, ""},
		{0o755, 0o644, nobody, link, ""},
		{0o755, 0o640, nobody, path, path},
		{0o755, 0o640, nobody, link, link},
		{0o755, 0o640, member, path, ""},
		{0o755, 0o604, member, path, path},
		{0o750, 0o644, nobody, path, inner},
		{0o750, 0o644, nobody, link, inner},
		{0o750, 0o640, member, path, ""},
		{0o700, 0o640, member, path, inner},
		{0o755, 0o600, owner, path, ""},
		{0o755, 0o000, account{name: "root"}, path, ""},
	} {
		chmod(t, inner, x.folder)
		chmod(t, path, x.file)
		if got := x.who.stoppedAt(x.path); got != x.want {
			t.Errorf("folder %o, file %o: expected %s to be stopped at %q, got %q", x.folder, x.file, x.who.name, x.want, got)
		}
		chmod(t, inner, 0o755)
	}
	cfg := &config.Config{Path: "c.toml"}
	cfg.Listen.PrivateKey = path
	chmod(t, path, 0o600)
	if got := strings.Join(fileWarnings(cfg, member), "\n"); !strings.Contains(got, "c.toml: listen.private_key: member cannot read "+path) {
		t.Errorf("expected a warning about what the service's user cannot read, got %q", got)
	}
}

// What root reads says little about the service.
func TestReadAs(t *testing.T) {
	root, service := account{name: "root"}, account{name: "radsec-gw", uid: 998}
	for _, x := range []struct {
		me, service account
		want        string
	}{
		{root, account{}, "root (uid 0), who may read what the service's user may not: run check as that user, too"},
		{root, service, "root (uid 0); whether radsec-gw (uid 998) may read them was told by their owners and modes"},
		{account{uid: 65532}, account{}, "uid 65532: the gateway must run as the same user"},
		{service, account{}, "radsec-gw (uid 998): the gateway must run as the same user"},
	} {
		if got := readAs(x.me, x.service); got != x.want {
			t.Errorf("expected %q, got %q", x.want, got)
		}
	}
}

// What check warns of in certificates and lists stands in the log, too, at the start as
// at a reload: nobody runs check on a gateway that has started.
//
// Rules: P104
func TestTheStartTellsWhatCheckWarnsOf(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "c.toml")
	text := strings.Replace(shapesConfig, "[listen]\n", "[listen]\naddress = [\"127.0.0.1:0\"]\n", 1)
	writeTestFile(t, file, []byte(strings.Replace(text, "[metrics]\n", "[metrics]\naddress = \"127.0.0.1:0\"\n", 1)))
	ca, stranger := mustMake(certs.NewCA("CA")), mustMake(certs.NewCA("stranger"))
	soon := mustMake(certs.NewCA("soon", certs.Valid(time.Hour)))
	over := mustMake(ca.ServerWith([]string{"localhost"}, certs.Valid(-time.Minute)))
	for _, p := range shapePlaces(t) {
		writeTestFile(t, filepath.Join(dir, p.file), []byte(p.good))
	}
	put := func(name string, parts ...[]byte) {
		writeTestFile(t, filepath.Join(dir, name), bytes.Join(parts, nil))
	}
	der := bytes.Clone(ca.Certificate.Raw)
	der[len(der)-1] ^= 1
	put("cas.pem", ca.CertPEM(), ca.CertPEM(), soon.CertPEM())
	put("other.pem", pemOf("CERTIFICATE", der))
	put("own.pem", ca.CertPEM(), ca.CertPEM())
	gone, near := mustMake(certs.NewCA("gone", certs.Valid(-time.Hour))), mustMake(certs.NewCA("near", certs.Valid(48*time.Hour)))
	put("more.pem", gone.CertPEM())
	put("between.pem", stranger.CertPEM(), near.CertPEM())
	put("metrics.pem", over.CertPEM())
	put("metrics.key", mustMake(over.KeyPEM()))
	put("ca.crl", mustMake(ca.CRL(time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour))))
	want := []string{
		"listen.client_ca: " + dir + "/cas.pem:12: the certificate of CN=CA,O=radsec-gw development is listed twice",
		"listen.client_ca: " + dir + "/cas.pem: the certificate of CN=soon,O=radsec-gw development expires on ",
		"client[0].ca: " + dir + "/own.pem:12: the certificate of CN=CA,O=radsec-gw development is listed twice",
		"client[1].ca[0]: " + dir + "/other.pem:1: the certificate of CN=CA,O=radsec-gw development is self-signed, and its signature does not verify",
		"client[1].ca[1]: " + dir + "/more.pem: the certificate of CN=gone,O=radsec-gw development expired on ",
		"listen.intermediates[0]: " + dir + "/between.pem: the certificate of CN=near,O=radsec-gw development expires on ",
		"listen.intermediates: the certificate of CN=stranger,O=radsec-gw development, issued by ",
		"metrics.certificate: the certificate of CN=localhost,O=radsec-gw development expired on ",
		"listen.crl: the revocation list of CN=CA,O=radsec-gw development has been out of date since ",
		"listen.crl: there is no revocation list of CN=soon,O=radsec-gw development",
	}
	if status, out, errs := checkCommand("-config", file); status != 0 {
		t.Fatalf("expected check to accept the file, got %s", errs)
	} else {
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("expected check to warn with %q, got\n%s", w, out)
			}
		}
	}
	log := new(lockedBuffer)
	ctx, cancel := context.WithCancel(t.Context())
	gw, err := startGateway(ctx, planOf(t, file), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = gw.Wait()
	}()
	for i, when := range []string{"start", "reload"} {
		if i > 0 {
			if err := gw.Reload(); err != nil {
				t.Fatal(err)
			}
		}
		for _, w := range want {
			deadline := time.Now().Add(patience)
			for strings.Count(log.String(), w) <= i && time.Now().Before(deadline) {
				runtime.Gosched() // lines are written by a goroutine
			}
			if n := strings.Count(log.String(), w); n != i+1 {
				t.Errorf("expected the %s to log %q once, got %d times in all", when, w, n)
			}
		}
	}
}

func mustMake[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
