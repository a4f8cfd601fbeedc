package gateway

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/gateway/gatewaytest"
)

// dialTap connects to a socket, and closes the connection.
func dialTap(path string) error {
	c, err := net.Dial("unix", path)
	if err != nil {
		return err
	}
	return c.Close()
}

// A socket for taps that something has removed is made again, by the next poll of the files
// and by a reload, and that is logged. Whatever else is at its path is left there, with one
// line in the log.
func TestTapSocketIsMadeAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tap.sock")
	_, file := gatewaytest.Dir(t, strings.NewReplacer("[listen]\n", "[listen]\nreload_interval = \"0s\"\n", `socket = ""`, `socket = "`+path+`"`).Replace(gatewaytest.Config(1812)))
	g, log := runWritten(t, planOf(t, file))
	connects := func(when string, want bool) {
		t.Helper()
		if err := dialTap(path); (err == nil) != want {
			t.Errorf("%s: connecting gives %v, expected it to work: %v", when, err, want)
		}
	}
	said := func(when, text string, times int) {
		t.Helper()
		if n := strings.Count(log.String(), text); n != times {
			t.Errorf("%s: expected %d lines with %q, got %d in\n%s", when, times, text, n, log)
		}
	}
	const again, cannot = "was gone, and was made again", "is gone and cannot be made again"
	poll := func() {
		t.Helper()
		if err := g.reloadFiles(); err != nil {
			t.Error(err)
		}
	}
	remove := func() {
		t.Helper()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	poll()
	connects("at the start", true)
	said("at the start", again, 0)
	remove()
	poll()
	connects("removed", true)
	said("removed", again, 1)
	remove()
	if err := g.Reload(); err != nil {
		t.Error(err)
	}
	connects("removed before a reload", true)
	said("removed before a reload", again, 2)

	remove()
	gatewaytest.WriteFile(t, path, []byte("a file"))
	poll()
	poll()
	connects("replaced by a file", false)
	said("replaced by a file", cannot, 1)
	said("replaced by a file", "is not a socket", 1)
	if b, err := os.ReadFile(path); err != nil || string(b) != "a file" {
		t.Errorf("the file has %q (%v), expected it as it was", b, err)
	}
	remove()
	poll()
	connects("the file is removed", true)
	said("the file is removed", again, 3)
}
