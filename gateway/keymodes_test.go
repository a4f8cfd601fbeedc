//go:build unix

package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/gateway/gatewaytest"
)

// Keys that every user of the machine can read are refused, unless the configuration says otherwise:
// with the ticket keys anybody can resume the session of a client whose certificate he has seen. Those
// that a group can read are accepted.
//
// Fault S3.
func TestKeysThatEverybodyCanReadAreRefused(t *testing.T) {
	keys := []string{"certs/dev/server.key", "tickets"}
	configuration := strings.Replace(gatewaytest.Config(1812), "[[client]]", "session_ticket_keys = \"tickets\"\n[[client]]", 1)
	dir, file := gatewaytest.Dir(t, configuration)
	gatewaytest.WriteFile(t, filepath.Join(dir, "tickets"), []byte("01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b"))
	for at := dir; strings.HasPrefix(at, os.TempDir()+string(filepath.Separator)); at = filepath.Dir(at) {
		chmod(t, at, 0o755)
	}
	chmod(t, filepath.Join(dir, "certs"), 0o755)
	chmod(t, filepath.Join(dir, "certs/dev"), 0o755)
	for _, key := range keys {
		path := filepath.Join(dir, key)
		for mode, refused := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o604: true} {
			chmod(t, path, mode)
			_, err := Load(t.Context(), file)
			if (err != nil) != refused || refused && !strings.Contains(err.Error(), "every user of this machine can read "+path) {
				t.Errorf("%s with mode %o: %v, want it to be refused: %v", key, mode, err, refused)
			}
		}
		chmod(t, path, 0o600)
	}
	chmod(t, filepath.Join(dir, "tickets"), 0o644)
	gatewaytest.WriteFile(t, file, []byte(strings.Replace(configuration, "session_ticket_keys", "readable_keys = \"warn\"\nsession_ticket_keys", 1)))
	if _, err := Load(t.Context(), file); err != nil {
		t.Errorf("allowed by readable_keys, and refused: %v", err)
	}
}

// openConfiguration writes a configuration into a directory that everybody can enter, with a
// secret in a file, and the ticket keys.
func openConfiguration(t *testing.T) (dir, file string) {
	t.Helper()
	configuration := strings.Replace(gatewaytest.Config(1812), `secret = "`+gatewaytest.Secret+`"`, `secret_file = "a.secret"`, 1)
	dir, file = gatewaytest.Dir(t, configuration)
	gatewaytest.WriteFile(t, filepath.Join(dir, "a.secret"), []byte("0123456789abcdef"))
	for at := dir; strings.HasPrefix(at, os.TempDir()+string(filepath.Separator)); at = filepath.Dir(at) {
		chmod(t, at, 0o755)
	}
	chmod(t, filepath.Join(dir, "certs"), 0o755)
	chmod(t, filepath.Join(dir, "certs/dev"), 0o755)
	return dir, file
}

// Files that every user of the machine can write to or replace, and secrets that he can read, are
// warned of, by serve as by check: keys, secrets, certificates and the configuration.
//
// Fault S11.
func TestFilesThatEverybodyCanChangeAreWarnedOf(t *testing.T) {
	dir, file := openConfiguration(t)
	if out := warningsOf(t, file); strings.Contains(out, "every user") {
		t.Fatalf("before any mode is wrong: %s", out)
	}
	for _, row := range []struct {
		name string
		mode os.FileMode
		want string
	}{
		{"certs/dev/server.key", 0o602, "listen.private_key: every user of this machine can write to %s: run chmod o-w on it"},
		{"certs/dev/ca.pem", 0o602, "listen.client_ca: every user of this machine can write to %s"},
		{"a.secret", 0o622, "server[0].secret_file: every user of this machine can write to %s"},
		{"a.secret", 0o644, "server[0].secret_file: every user of this machine can read %s: run chmod o-r on it"},
		{"c.toml", 0o646, "c.toml: every user of this machine can write to %s"},
		{"c.toml", 0o644, ""},
		{"a.secret", 0o660, ""},
		{"certs/dev", 0o757, "listen.private_key: every user of this machine can replace " + dir + "/certs/dev/server.key, because of the mode of %s: run chmod o-w on it"},
		{"certs/dev", 0o757 | os.ModeSticky, ""},
		{"certs/dev", 0o752, ""},
	} {
		path := filepath.Join(dir, row.name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		chmod(t, path, row.mode)
		out := warningsOf(t, file)
		want := strings.ReplaceAll(row.want, "%s", path)
		if want == "" && strings.Contains(out, "every user") || !strings.Contains(out, want) {
			t.Errorf("%s with mode %v: expected %q, got %s", row.name, row.mode, want, out)
		}
		chmod(t, path, info.Mode())
	}
	chmod(t, filepath.Join(dir, "a.secret"), 0o646)
	_, log := runLogged(t, planOf(t, file))
	gatewaytest.Await(t, log, "every user of this machine can write to "+filepath.Join(dir, "a.secret"))
	gatewaytest.Await(t, log, "every user of this machine can read "+filepath.Join(dir, "a.secret"))
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
