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
// that a group can read are in order.
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

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
