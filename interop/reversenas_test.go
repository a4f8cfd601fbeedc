package interop

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/bench/process"
)

// testdata/reversenas.py is a NAS that is sent CoA and Disconnect down the RadSec connection that
// it has opened. It is written from the documents alone, in another language.

// versionsByALPN are the names under which the versions of RADIUS are negotiated.
var versionsByALPN = []string{"radius/1.0", "radius/1.1"}

// The NAS's packets are those that were published.
func TestReverseNASPackets(t *testing.T) {
	r := run(time.Minute, "", "python3", "-B", "-m", "unittest", "discover", "-s", "testdata", "-p", "test_*.py")
	if r.Status != 0 || !strings.Contains(r.Output, "OK") {
		t.Errorf("exit status %d:\n%s", r.Status, r.Output)
	}
}

// pythonNAS is the running program.
type pythonNAS struct {
	*process.Process
	t        *testing.T
	cmd      *exec.Cmd
	commands io.WriteCloser // its standard input
}

// nasEvent is a line that it printed.
type nasEvent struct {
	Event                string
	Version              string // of connected
	Code                 radius.Code
	Attributes           []nasAttribute
	Clear                [][2]string // of request: name and value, as hex, of what was hidden
	Verified             bool
	MessageAuthenticator bool `json:"message_authenticator"`
	Requests             int  // of ended
}

// nasAttribute is printed as [type, "hex"].
type nasAttribute struct {
	Type  radius.Type
	Value []byte
}

func (a *nasAttribute) UnmarshalJSON(text []byte) error {
	var value string
	if err := json.Unmarshal(text, &[2]any{&a.Type, &value}); err != nil {
		return err
	}
	var err error
	a.Value, err = hex.DecodeString(value)
	return err
}

// startReverseNAS runs the NAS of user bob, until the test ends at the latest; options are further ones.
func startReverseNAS(t *testing.T, port int, version, password string, options ...string) *pythonNAS {
	t.Helper()
	cmd := exec.Command("python3", append([]string{"-B", "testdata/reversenas.py",
		"--connect", fmt.Sprintf("127.0.0.1:%d", port), "--server-name", "localhost", "--versions", version,
		"--ca", shared.path("certs/ca.pem"), "--certificate", shared.path("certs/client.pem"), "--key", shared.path("certs/client.key"),
		"--user", "bob", "--password", password, "--nas-identifier", "ap-7", "--nas-ip-address", "192.0.2.7",
		"--calling-station-id", "02-00-00-00-00-01", "--called-station-id", "02-00-00-00-00-02:net",
		"--session-id", "session-1", "--multi-session-id", "multi-1", "--timeout", fmt.Sprint(patience.Seconds())}, options...)...)
	commands, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return &pythonNAS{Process: p, t: t, cmd: cmd, commands: commands}
}

// events are what it has printed so far.
func (n *pythonNAS) events(text string) (all []nasEvent) {
	for line := range strings.Lines(text) {
		var e nasEvent
		if strings.HasPrefix(line, "{") && strings.HasSuffix(line, "\n") {
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				n.t.Errorf("%v: %s", err, line)
			}
			all = append(all, e)
		}
	}
	return all
}

// await waits for its event of that name, the first being 1.
func (n *pythonNAS) await(event string, which int) (e nasEvent) {
	n.t.Helper()
	named := func(text string) bool {
		all := slices.DeleteFunc(n.events(text), func(e nasEvent) bool { return e.Event != event })
		if len(all) < which {
			return false
		}
		e = all[which-1]
		return true
	}
	if !n.Output().Await(patience, named) {
		n.t.Fatalf("the NAS has no event %q number %d; it printed:\n%s", event, which, n.Printed())
	}
	return e
}

// stop tells it to send Accounting-Stop.
func (n *pythonNAS) stop() {
	n.t.Helper()
	if _, err := io.WriteString(n.commands, "stop\n"); err != nil {
		n.t.Error(err)
	}
}

// end waits for its end with that status, and returns what it printed.
func (n *pythonNAS) end(status int) string {
	n.t.Helper()
	n.commands.Close()
	select {
	case <-n.Exited():
	case <-time.After(2 * patience):
		n.Kill()
		n.t.Error("the NAS does not end")
	}
	if got := n.cmd.ProcessState.ExitCode(); got != status {
		n.t.Errorf("the NAS has exit status %d, expected %d; it printed:\n%s", got, status, n.Printed())
	}
	return n.Printed()
}

// has reports whether a packet had an attribute with this value.
func (e nasEvent) has(kind radius.Type, value string) bool {
	return slices.ContainsFunc(e.Attributes, func(a nasAttribute) bool { return a.Type == kind && string(a.Value) == value })
}
