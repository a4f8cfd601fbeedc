package tlsfront

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/bench/process"
)

// sorted returns the lines of a key log in order, each once.
func sorted(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return slices.Compact(lines)
}

// The key log has the same secrets as the client's own, for TLS 1.2 and 1.3.
//
// Fault O9.
// Rules: TR10
func TestKeyLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.log")
	keys := NewKeyLog(must(OpenKeyLogFile(path)), slog.New(slog.DiscardHandler))
	f := startTCP(t, func(_ *front, c *Config) { c.KeyLog = keys })
	var clients bytes.Buffer
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		cfg := f.clientConfig()
		cfg.MaxVersion, cfg.KeyLogWriter = version, &clients
		c := must(tls.Dial("tcp", f.addr, cfg))
		await(t, f.opened, "the server to accept the connection")
		c.Close()
	}
	keys.Close()
	got, want := sorted(string(must(os.ReadFile(path)))), sorted(clients.String())
	if !slices.Equal(got, want) || len(want) != 5 || keys.Lost() != 0 {
		t.Errorf("the file has\n%s\nexpected the client's secrets\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, label := range []string{"CLIENT_RANDOM ", "SERVER_TRAFFIC_SECRET_0 ", "CLIENT_HANDSHAKE_TRAFFIC_SECRET "} {
		if !slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, label) }) {
			t.Errorf("the file has no %s", label)
		}
	}
	if mode := must(os.Stat(path)).Mode().Perm(); mode != 0o600 {
		t.Errorf("the file has the mode %#o, expected 0600", mode)
	}
}

// hanging is a file on a disk that does not answer until it is released.
type hanging struct{ release chan struct{} }

func (h hanging) Write(b []byte) (int, error) { <-h.release; return len(b), nil }
func (h hanging) Close() error                { return nil }

// A full disk, and one that hangs, keep no client out. What is lost is counted and logged.
//
// Fault O9.
func TestKeyLogOfABadDisk(t *testing.T) {
	release := make(chan struct{})
	for name, file := range map[string]io.WriteCloser{"full": must(os.OpenFile("/dev/full", os.O_WRONLY, 0)), "hanging": hanging{release}} {
		var keys *KeyLog
		f := startTCP(t, func(_ *front, c *Config) {
			keys = NewKeyLog(file, c.Log)
			c.KeyLog = keys
		})
		c, _ := f.dial()
		c.Close()
		for range keyLogLines + 1 {
			keys.Write([]byte("line\n"))
		}
		c, _ = f.dial()
		c.Close()
		for end := time.Now().Add(patience); keys.Lost() == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		}
		if keys.Lost() == 0 {
			t.Errorf("%s: no line was lost", name)
		}
		f.wantLine("could not be written to key_log_file")
		if name == "hanging" {
			close(release)
		}
		keys.Close()
	}
}

// A disk that hangs is reported by the first line that is written three seconds later, long
// before the queue is full, and once a minute; Close says how many lines are not written.
//
// Fault O9.
func TestKeyLogOfADiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log process.Output
		release := make(chan struct{})
		keys := NewKeyLog(hanging{release}, slog.New(slog.NewTextHandler(&log, nil)))
		expect := func(when string, times int, text string) {
			t.Helper()
			if got := strings.Count(log.String(), text); got != times {
				t.Errorf("%s: expected %d lines with %q, got the log\n%s", when, times, text, log.String())
			}
		}
		const slow = "lost when the queue is full"
		for range 2 {
			keys.Write([]byte("line\n"))
			synctest.Wait()
		}
		time.Sleep(keyLogSlow - time.Nanosecond)
		keys.Write([]byte("line\n"))
		expect("before three seconds", 0, slow)
		time.Sleep(time.Nanosecond)
		for range 2 {
			keys.Write([]byte("line\n"))
		}
		expect("after three seconds", 1, slow+"\" unanswered=3s lines_waiting=4 queue=4096")
		keys.Close()
		expect("at the end", 1, "lines_not_written=5")
		close(release)
		synctest.Wait()
		time.Sleep(time.Hour) // what was suppressed is logged
		if keys.Lost() != 0 {
			t.Errorf("%d lines are counted as lost, expected none", keys.Lost())
		}
	})
}

// A file with something else than keys is refused; one with keys is appended to.
//
// Fault O9.
func TestKeyLogFileWithSomethingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	secret := strings.Repeat("0a", 32)
	for text, ok := range map[string]bool{
		"":                                    true,
		"# comment\n":                         true,
		"CLIENT_RANDOM " + secret + " 0b0c\n": true,
		"# one\r\nSERVER_TRAFFIC_SECRET_0 " + secret + " 0b0c\r\n": true,
		"CLIENT_RANDOM " + secret:                                  true, // cut by a full disk
		secret + "\n":                                              false,
		"-----BEGIN PRIVATE KEY-----\n":                            false,
		"# configuration\n[listen]\n":                              false,
		"\x30\x82\x01":                                             false,
		"# " + strings.Repeat("x", 2*keyLogBegin):                  true,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := OpenKeyLogFile(path)
		if err == nil {
			f.WriteString("more\n")
			f.Close()
		}
		checked := CheckKeyLogFile(path)
		if (err == nil) != ok || !ok && (checked == nil || !strings.Contains(err.Error(), "something else")) {
			t.Errorf("%.40q: opening gives %v and checking %v, expected it to be taken: %v", text, err, checked, ok)
		}
		if got := string(must(os.ReadFile(path))); ok && got != text+"more\n" || !ok && got != text {
			t.Errorf("%.40q: the file has %.80q", text, got)
		}
	}
}

// A handshake that began before a reload replaced the file writes after Close: that is
// counted as lost.
func TestKeyLogAfterItsEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.log")
	keys := NewKeyLog(must(OpenKeyLogFile(path)), slog.New(slog.DiscardHandler))
	keys.Write([]byte("before\n"))
	keys.Close()
	keys.Write([]byte("after\n"))
	if got := string(must(os.ReadFile(path))); got != "before\n" || keys.Lost() != 1 {
		t.Errorf("the file has %q, and %d lines are lost; expected the first line, and 1", got, keys.Lost())
	}
}

// A file that others may read is refused, and so is what is not a file.
//
// Fault O9.
func TestKeyLogFileThatOthersRead(t *testing.T) {
	dir := t.TempDir()
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620} {
		path := filepath.Join(dir, mode.String())
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKeyLogFile(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %v: %v, expected it refused, and what to do", mode, err)
		}
	}
	for _, path := range []string{dir, "/dev/full"} {
		if _, err := OpenKeyLogFile(path); err == nil {
			t.Errorf("%s is not a file: expected it refused", path)
		}
	}
}
