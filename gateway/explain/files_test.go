package explain

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/audit"
	"radsec-gw/config"
	"radsec-gw/gateway"
	"radsec-gw/gateway/gatewaytest"
)

// nobody is an account that owns no file and is in no group: everybody can read what it can.
var nobody = account{name: "everybody", uid: ^uint32(0) - 1}

// chmod changes a mode, and back at the end.
func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(path, 0o700) })
}

// openTo lets everybody enter the directories above a file that are the test's own.
func openTo(t *testing.T, path string) {
	t.Helper()
	for dir := filepath.Dir(path); strings.HasPrefix(dir, os.TempDir()+string(filepath.Separator)); dir = filepath.Dir(dir) {
		chmod(t, dir, 0o755)
	}
}

// The report says as which user the files were read, and warns about keys and secrets that
// everybody can read and about the CA's key in the CA's directory, each with the line of its
// configuration key.
func TestWarnsAboutReaders(t *testing.T) {
	text := strings.Replace(gatewaytest.TwoServers, `secret = "0123456789abcdef"`, `secret_file = "a.secret"`, 1)
	text = strings.Replace(text, `secret = "0123456789ab"`, `secret_file = "a.secret"`, 1)
	text = strings.Replace(text, "[[client]]", "readable_keys = \"warn\"\n[[client]]", 1)
	dir, file := gatewaytest.Dir(t, text)
	openTo(t, filepath.Join(dir, "certs/dev/server.key"))
	gatewaytest.WriteFile(t, filepath.Join(dir, "a.secret"), []byte("0123456789abcdef\n"))
	report := func() string {
		t.Helper()
		return strings.ReplaceAll(reportOf(t, file), dir+"/", "")
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
	expect(out, "Files\n  read as  ", "c.toml:4: listen.client_ca: the private key of CN=radsec-gw development CA,O=radsec-gw development is in the same directory (certs/dev/ca.key)")
	if strings.Contains(out, "every user of this machine") {
		t.Errorf("closed files are warned of:\n%s", out)
	}
	chmod(t, filepath.Join(dir, "certs/dev/server.key"), 0o644)
	chmod(t, filepath.Join(dir, "a.secret"), 0o604)
	expect(report(), "c.toml:3: listen.private_key: every user of this machine can read certs/dev/server.key",
		"c.toml:19: server[0].secret_file: every user of this machine can read a.secret")
	if out := report(); strings.Count(out, "can read a.secret") != 1 || strings.Count(out, "can read certs/dev/server.key") != 1 {
		t.Errorf("expected each file to be warned of once:\n%s", out)
	}
	chmod(t, filepath.Join(dir, "certs/dev"), 0o750)
	if out := report(); strings.Contains(out, "can read certs/dev/server.key") {
		t.Errorf("a file in a closed folder is warned of:\n%s", out)
	}
	if err := os.Rename(filepath.Join(dir, "certs/dev/ca.key"), filepath.Join(dir, "ca.key")); err != nil {
		t.Fatal(err)
	}
	if out := report(); strings.Contains(out, "is in the same directory") {
		t.Errorf("a CA's key elsewhere is warned of:\n%s", out)
	}
}

// A configuration that holds a secret is itself a secret file. The well-known "radsec" is not
// a secret.
func TestWarnsAboutAReadableConfiguration(t *testing.T) {
	_, file := gatewaytest.Dir(t, gatewaytest.TwoServers)
	openTo(t, file)
	chmod(t, file, 0o644)
	out := reportOf(t, file)
	if want := file + ":18: server[0].secret: every user of this machine can read " + file; !strings.Contains(out, want) {
		t.Errorf("expected %q in\n%s", want, out)
	}
}

// A file at the path of the tap's socket is warned of: serve would not replace it, and have no
// socket. A socket is in order.
//
// Fault S5.
func TestWarnsOfAFileAtTheTapsSocket(t *testing.T) {
	dir, file := gatewaytest.Dir(t, gatewaytest.TwoServers+"[tap]\nsocket = \"tap.sock\"\n")
	path := filepath.Join(dir, "tap.sock")
	want := "tap.socket: " + path + " is not a socket"
	if out := reportOf(t, file); strings.Contains(out, want) {
		t.Errorf("nothing is there, and it is warned of:\n%s", out)
	}
	gatewaytest.WriteFile(t, path, []byte("notes"))
	if out := reportOf(t, file); !strings.Contains(out, want) {
		t.Errorf("expected %q in\n%s", want, out)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	l, err := audit.ListenTap(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if out := reportOf(t, file); strings.Contains(out, want) {
		t.Errorf("a socket is warned of:\n%s", out)
	}
}

// Owner and mode of a file, and of the directories on the way to it, decide who may read it.
func TestWhoMayRead(t *testing.T) {
	dir := t.TempDir()
	inner := filepath.Join(dir, "inner")
	path, link := filepath.Join(inner, "file"), filepath.Join(dir, "link")
	if err := os.Mkdir(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	gatewaytest.WriteFile(t, path, nil)
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
	if got := strings.Join(fileWarnings(&gateway.Plan{Config: cfg}, member), "\n"); !strings.Contains(got, "c.toml: listen.private_key: member cannot read "+path) {
		t.Errorf("expected a warning about a file that the service's user cannot read, got %q", got)
	}
}

// That root can read a file does not mean that the service can.
func TestReadAs(t *testing.T) {
	root, service := account{name: "root"}, account{name: "radsec-gw", uid: 998}
	for _, x := range []struct {
		me, service account
		want        string
	}{
		{root, account{}, "root (uid 0), who may read what the service's user may not: run check as that user, too"},
		{root, service, "root (uid 0); whether radsec-gw (uid 998) may read them was determined from their owners and modes"},
		{account{uid: 65532}, account{}, "uid 65532: the gateway must run as the same user"},
		{service, account{}, "radsec-gw (uid 998): the gateway must run as the same user"},
	} {
		if got := readAs(x.me, x.service); got != x.want {
			t.Errorf("expected %q, got %q", x.want, got)
		}
	}
}
