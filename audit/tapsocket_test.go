package audit

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"radsec-gw/metrics"
)

// socket is a gateway's socket with its hub.
func socket(t *testing.T) (h *Hub, path string) {
	t.Helper()
	h, _ = newHub(t, io.Discard, func(c *Config) { c.Requests = false })
	leaks := goleak.IgnoreCurrent()
	path = filepath.Join(t.TempDir(), "tap.sock")
	l, err := ListenTap(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.ServeTaps(ctx, l)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if _, err := os.Stat(path); err == nil {
			t.Error("the socket is still there")
		}
		goleak.VerifyNone(t, leaks)
	})
	return h, path
}

// look connects with a filter and waits until it is attached.
func look(t *testing.T, path, filter string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintln(c, filter)
	r := bufio.NewReader(c)
	if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "showing ") {
		t.Fatalf("attached with %s: %q, %v", filter, line, err)
	}
	return c, r
}

func TestTheSocketIsTheOwnersOnly(t *testing.T) {
	_, path := socket(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Mode()&os.ModeSocket == 0 {
		t.Errorf("the socket's mode is %v (%v), want a socket of mode 0600", info.Mode(), err)
	}
	if _, err := ListenTap(path); err == nil || !strings.Contains(err.Error(), "another gateway") {
		t.Errorf("a second gateway: %v, want that another listens", err)
	}
	rest, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".tap*"))
	if err != nil || len(rest) > 0 {
		t.Errorf("left behind: %v", rest)
	}
}

// The socket of a gateway that was killed does not keep the next one from listening.
func TestAStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tap.sock")
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	old.SetUnlinkOnClose(false)
	old.Close()
	l, err := ListenTap(path)
	if err != nil {
		t.Fatalf("over a stale socket: %v", err)
	}
	l.Close()
}

// A listener knows whether its path still is its socket.
func TestSocketInPlace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tap.sock")
	l, err := ListenTap(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, step := range []struct {
		name   string
		change func() error
		want   bool
	}{
		{"made", func() error { return nil }, true},
		{"moved", func() error { return os.Rename(path, path+".1") }, false},
		{"moved back", func() error { return os.Rename(path+".1", path) }, true},
		{"removed", func() error { return os.Remove(path) }, false},
		{"replaced", func() error { return os.WriteFile(path, nil, 0o600) }, false},
		{"removed with its directory", func() error { return os.RemoveAll(dir) }, false},
		{"below a file", func() error { return os.WriteFile(dir, nil, 0o600) }, false},
	} {
		if err := step.change(); err != nil {
			t.Fatal(err)
		}
		if got := l.InPlace(); got != step.want {
			t.Errorf("%s: the socket is in place: %v, expected %v", step.name, got, step.want)
		}
	}
}

// A socket that another program receives datagrams at, as syslog does, is not replaced: nobody
// can connect to it, and it is in use all the same.
//
// Fault S5.
func TestASocketForDatagramsIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	other, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	if l, err := ListenTap(path); err == nil {
		l.Close()
		t.Error("the socket of another program was replaced")
	} else if !strings.Contains(err.Error(), "another program may use "+path) {
		t.Errorf("%v, want that another program may use %s", err, path)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the socket of another program is gone: %v", err)
	}
	other.Close()
	l, err := ListenTap(path)
	if err != nil {
		t.Fatalf("over a socket that nobody uses any more: %v", err)
	}
	l.Close()
}

// What is not a socket is neither replaced at the start nor removed at the end, and neither is what has
// replaced the socket meanwhile.
//
// Fault S5.
func TestOnlyItsOwnSocketIsReplacedOrRemoved(t *testing.T) {
	dir := t.TempDir()
	file, link, path := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "tap.sock")
	write := func(path string) {
		if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(file)
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{file, link, dir} {
		if l, err := ListenTap(other); err == nil {
			l.Close()
			t.Errorf("%s was taken for the socket", other)
		} else if !strings.Contains(err.Error(), "is not a socket") {
			t.Errorf("%s: %v, want that it is not a socket", other, err)
		}
	}
	l, err := ListenTap(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(path)
	l.Close()
	for _, one := range []string{file, link, path} {
		if text, err := os.ReadFile(one); err != nil || string(text) != "kept" {
			t.Errorf("%s: %q, %v; want what was written there", one, text, err)
		}
	}
}

func TestTooManyTaps(t *testing.T) {
	_, path := socket(t)
	for range maxTaps {
		look(t, path, `{}`)
	}
	for filter, want := range map[string]string{"{}": errTooManyTaps.Error(), "not JSON": "expected a line of JSON", strings.Repeat("x", longestFilter): "expected a line of JSON"} {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(c, filter)
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if got, _ := io.ReadAll(c); !strings.Contains(string(got), want) {
			t.Errorf("%.20q was answered %q, want %q", filter, got, want)
		}
		c.Close()
	}
}

// A tap that is attached continues after its socket was closed, as by a reload that moves the
// socket. It ends with the hub.
//
// Fault L5.
func TestTapsOutliveTheirSocket(t *testing.T) {
	h, _ := newHub(t, nil, func(c *Config) { c.Requests = false })
	path := filepath.Join(t.TempDir(), "tap.sock")
	l, err := ListenTap(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.ServeTaps(ctx, l)
	}()
	_, lines := look(t, path, "{}")
	l.Close()
	if _, err := net.Dial("unix", path); err == nil {
		t.Error("the closed socket takes connections")
	}
	h.Arrived(&Event{Client: "campus"})
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "campus") {
		t.Errorf("the tap was shown %q, %v", line, err)
	}
	select {
	case <-ended:
		t.Error("the taps have ended with their socket")
	default:
	}
	cancel()
	<-ended
}

// starved is a listener for a process that has no descriptor left for a while.
type starved struct {
	net.Listener
	fails int
}

func (s *starved) Accept() (net.Conn, error) {
	if s.fails--; s.fails >= 0 {
		return nil, fmt.Errorf("accept: %w", syscall.EMFILE)
	}
	return nil, net.ErrClosed
}

func (s *starved) Close() error { return nil }

// A lack of descriptors does not end the taps; it is counted and logged.
//
// Fault S4.
func TestTapsSurviveALackOfDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		var printed strings.Builder
		h := &Hub{metrics: metrics.New(reg), log: slog.New(slog.NewTextHandler(&printed, nil))}
		start := time.Now()
		h.ServeTaps(t.Context(), &starved{fails: 20})
		if took := time.Since(start); took < 10*time.Second || took > 20*time.Second {
			t.Errorf("20 failures took %v, want about a second each", took)
		}
		if n := strings.Count(printed.String(), `level=ERROR msg="cannot accept taps; trying again" error="accept: too many open files"`); n != 1 {
			t.Errorf("logged %d times in a minute, want once:\n%s", n, printed.String())
		}
		const want = "# HELP radsec_gw_accept_failures_total Connections that could not be accepted, most often because the process had no descriptor left.\n" +
			"# TYPE radsec_gw_accept_failures_total counter\n" +
			"radsec_gw_accept_failures_total{listener=\"http\"} 0\nradsec_gw_accept_failures_total{listener=\"radsec\"} 0\nradsec_gw_accept_failures_total{listener=\"tap\"} 20\n"
		if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "radsec_gw_accept_failures_total"); err != nil {
			t.Error(err)
		}
	})
}
