package world

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A file that the configuration names blocks whoever reads it (W15): it is on a
// disk that has stalled, or a FIFO stands in its place. Pages, logins and signals
// go on; when the file is there again, a reload takes it.
func TestFileThatBlocks(t *testing.T) {
	for _, what := range []struct {
		name  string
		block func(t *testing.T, w *world, path string) (unblock func())
	}{{"stalled disk", stallDisk}, {"FIFO", putFIFO}} {
		for _, file := range []struct {
			name  string
			quiet bool // found by the watcher, without a signal
		}{{"secret_file", false}, {"client_ca", false}, {"client_ca", true}} {
			name := fmt.Sprintf("%s as %s, SIGHUP %v", what.name, file.name, !file.quiet)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				testBlockedFile(t, file.name, file.quiet, what.block)
			})
		}
	}
}

func testBlockedFile(t *testing.T, named string, quiet bool, block func(*testing.T, *world, string) func()) {
	w := newWorld(t)
	w.server("10.0.0.10", nil)
	w.must(os.Mkdir(w.path("disk"), 0o700))
	ca, err := os.ReadFile(built.files.CA)
	w.must(err)
	w.write("disk/ca.pem", string(ca))
	w.write("disk/secret", secret+"\n")
	path := w.path("disk/ca.pem")
	server := backend("server", "10.0.0.10")
	s := setup{listen: fmt.Sprintf("reload_interval = \"1s\"\nclient_ca = %q", path)}
	if named == "secret_file" {
		path = w.path("disk/secret")
		s.listen = ""
		server = "[[server]]\nname = \"server\"\naddress = \"10.0.0.10\"\nacct_port = 0\ncoa_port = 0\n" + fmt.Sprintf("secret_file = %q\n", path)
	}
	s.rest = server + route("*", to("server"))
	g := w.start(s)
	c := w.dial()
	if e := c.login("before@test"); !e.within(patience) {
		t.Fatalf("before: %v", e)
	}
	unblock := block(t, w, path)
	if !quiet {
		g.signal(syscall.SIGHUP)
	}
	time.Sleep(2 * time.Second) // the watcher looks each second
	slowest := g.pages(t)
	sum := pace([]*client{c}, "u@test", 20, time.Second).wait(patience)
	t.Logf("while a file blocks: pages within %v; logins %v", round(slowest), sum)
	if slowest > atOnce {
		t.Errorf("a page took %v while a file blocks, expected at most %v", slowest, atOnce)
	}
	if !sum.all() {
		t.Errorf("logins while a file blocks: %v, expected all granted", sum)
	}
	unblock()
	took := g.reload()
	t.Logf("the file is there again: reloaded %v after SIGHUP", round(took))

	block(t, w, path)
	g.signal(syscall.SIGHUP)
	time.Sleep(300 * time.Millisecond)
	held := c.login("waits@nowhere.test") // answered at once; so that the connection is not idle
	held.within(patience)
	g.signal(syscall.SIGTERM)
	time.Sleep(300 * time.Millisecond)
	took = g.terminate(5 * time.Second)
	t.Logf("two SIGTERMs while a file blocks: ended %v after the second", round(took))
	if took > atOnce {
		t.Errorf("ended %v after a second SIGTERM while a file blocks, expected at most %v", took, atOnce)
	}
}

// pages asks for each page three times, and returns the longest that one took.
func (g *gateway) pages(t *testing.T) (slowest time.Duration) {
	t.Helper()
	for range 3 {
		for _, page := range []string{"/", "/readyz", "/healthz", "/metrics"} {
			status, text, took := g.get(page, 3*time.Second)
			slowest = max(slowest, took)
			if status != http.StatusOK {
				t.Errorf("%s while a file blocks: status %d: %.100s", page, status, text)
			}
		}
	}
	return slowest
}

// putFIFO puts a FIFO in the place of a file: opening it blocks.
func putFIFO(t *testing.T, w *world, path string) (unblock func()) {
	was, err := os.ReadFile(path)
	w.must(err)
	w.must(unix.Mkfifo(path+".fifo", 0o600))
	w.must(os.Rename(path+".fifo", path))
	return func() {
		w.must(os.WriteFile(path+".file", was, 0o600))
		w.must(os.Rename(path+".file", path))
	}
}

// stallDisk mounts a file system that never answers over the file's directory:
// whoever looks for the file blocks, as with a network disk that has stalled.
func stallDisk(t *testing.T, w *world, path string) (unblock func()) {
	device, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		t.Fatalf("missing: /dev/fuse, for a disk that stalls (CONFIG_FUSE_FS): %v", err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device.Fd())
	directory := filepath.Dir(path)
	w.gateway.do(func() { err = unix.Mount("stalled", directory, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options) })
	if err != nil {
		t.Fatalf("mounting a file system that never answers: %v", err)
	}
	closed := false
	unblock = func() {
		if closed {
			return
		}
		closed = true
		w.gateway.do(func() { err = unix.Unmount(directory, unix.MNT_DETACH) })
		device.Close() // those that wait get ENOTCONN
		if err != nil {
			t.Errorf("unmounting the stalled file system: %v", err)
		}
	}
	t.Cleanup(unblock)
	return unblock
}
