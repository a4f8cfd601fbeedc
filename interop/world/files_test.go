//go:build linux

package world

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"radsec-gw/bench/process"

	"golang.org/x/sys/unix"
)

// A file that the configuration names blocks whoever reads it (W15): it is on a
// disk that has stalled, or a FIFO is in its place. Pages, logins and signals
// still work; when the file is there again, a reload reads it.
func TestFileThatBlocks(t *testing.T) {
	for _, what := range []struct {
		name  string
		block func(t *testing.T, w *world, path string) (unblock func())
	}{{"stalled disk", stallDisk}, {"FIFO", putFIFO}} {
		for _, file := range []struct {
			key, by string
		}{{"secret_file", "SIGHUP"}, {"client_ca", "SIGHUP"}, {"client_ca", "the watcher"}} {
			t.Run(what.name+" in the place of "+file.key+", found by "+file.by, func(t *testing.T) {
				t.Parallel()
				testBlockedFile(t, file.key, file.by == "SIGHUP", what.block)
			})
		}
	}
}

// The certificate, its key and the CA are opened once at the start and once at a reload:
// what was checked is what is served (L3).
func TestFilesAreReadOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.server("10.0.0.10", nil)
	w.must(os.Mkdir(w.path("disk"), 0o700))
	names := map[string]string{"ca.pem": built.files.CA, "server.pem": built.files.ServerCert, "server.key": built.files.ServerKey}
	for name, from := range names {
		b, err := os.ReadFile(from)
		w.must(err)
		w.write("disk/"+name, string(b))
	}
	opened := w.watchOpens(w.path("disk"))
	table := backend("server", "10.0.0.10") + route("*", to("server"))
	s := setup{listen: fmt.Sprintf("reload_interval = \"1h\"\nclient_ca = %q", w.path("disk/ca.pem")), rest: table}
	w.configure(s)
	text, err := os.ReadFile(w.path("radsec-gw.toml"))
	w.must(err)
	moved := strings.NewReplacer(built.files.ServerCert, w.path("disk/server.pem"), built.files.ServerKey, w.path("disk/server.key")).Replace(string(text))
	w.write("radsec-gw.toml", moved)
	g := w.serve(s)
	if e := w.dial().login("u@test"); !e.within(patience) {
		t.Fatalf("a login: %v", e)
	}
	atStart := opened()
	g.Reload()
	atReload := opened()
	for name := range names {
		if atStart[name] != 1 || atReload[name] != 1 {
			t.Errorf("%s was opened %d times at the start and %d times at a reload, expected once each", name, atStart[name], atReload[name])
		}
	}
}

// watchOpens returns a function that says which files of a directory were opened since
// it was last called, and how often.
func (w *world) watchOpens(dir string) func() map[string]int {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	w.must(err)
	w.t.Cleanup(func() { unix.Close(fd) })
	_, err = unix.InotifyAddWatch(fd, dir, unix.IN_OPEN)
	w.must(err)
	return func() map[string]int {
		counts, buf := map[string]int{}, make([]byte, 64<<10)
		for {
			n, err := unix.Read(fd, buf)
			if err != nil { // EAGAIN: those were all
				return counts
			}
			for at := 0; at < n; { // struct inotify_event: its name's length at 12, the name at 16
				length := int(binary.NativeEndian.Uint32(buf[at+12:]))
				name, _, _ := strings.Cut(string(buf[at+16:at+16+length]), "\x00")
				counts[name]++
				at += 16 + length
			}
		}
	}
}

func testBlockedFile(t *testing.T, key string, signal bool, block func(*testing.T, *world, string) func()) {
	w := newWorld(t)
	server := w.server("10.0.0.10", nil)
	w.must(os.Mkdir(w.path("disk"), 0o700))
	ca, err := os.ReadFile(built.files.CA)
	w.must(err)
	w.write("disk/ca.pem", string(ca))
	w.write("disk/secret", secret+"\n")
	path := w.path("disk/ca.pem")
	table := backend("server", "10.0.0.10")
	s := setup{listen: fmt.Sprintf("reload_interval = \"1s\"\nclient_ca = %q", path)}
	if key == "secret_file" {
		path = w.path("disk/secret")
		s.listen = ""
		table = "[[server]]\nname = \"server\"\naddress = \"10.0.0.10\"\nacct_port = 0\ncoa_port = 0\n" + fmt.Sprintf("secret_file = %q\n", path)
	}
	s.rest = table + route("*", to("server"))
	g := w.start(s)
	c := w.dial()
	if e := c.login("before@test"); !e.within(patience) {
		t.Fatalf("before: %v", e)
	}
	unblock := block(t, w, path)
	if signal {
		g.Signal(syscall.SIGHUP)
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
	took := g.Reload()
	t.Logf("the file is there again: reloaded %v after SIGHUP", round(took))

	block(t, w, path)
	g.Signal(syscall.SIGHUP)
	time.Sleep(300 * time.Millisecond)
	server.hang(true)
	c.login("waits@test") // for drain_timeout, unless there is a second signal
	time.Sleep(300 * time.Millisecond)
	g.Signal(syscall.SIGTERM)
	time.Sleep(300 * time.Millisecond)
	took = g.terminate(5 * time.Second)
	t.Logf("two SIGTERMs while a file blocks: ended %v after the second", round(took))
	// A blocked read is given up after five seconds, a drain after thirty.
	if took > 2*atOnce {
		t.Errorf("ended %v after a second SIGTERM while a file blocks, expected at most %v", took, 2*atOnce)
	}
}

// Signals are handled while a disk stalls. The kernel gives a signal to the
// process's first thread when that is alive, and one that waits for a disk is not
// woken by it: a gateway that read files there would ignore signals. Which thread a
// goroutine runs on is random, so there are twenty rounds.
func TestSignalsWhileDiskStalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(os.Mkdir(w.path("disk"), 0o700))
	ca, err := os.ReadFile(built.files.CA)
	w.must(err)
	w.write("disk/ca.pem", string(ca))
	path := w.path("disk/ca.pem")
	g := w.start(setup{listen: fmt.Sprintf("client_ca = %q", path), rest: backend("server", "10.0.0.10") + route("*", to("server"))})
	w.server("10.0.0.10", nil)
	conns := []*client{w.dial(), w.dial(), w.dial(), w.dial()}
	const heard = "the log level was changed by a signal"
	var slowest time.Duration
	for turn := range 20 {
		unblock := stallDisk(t, w, path)
		g.Signal(syscall.SIGHUP)
		pace(conns, "u@test", 100, 100*time.Millisecond).wait(patience) // so that threads change
		from := time.Now()
		g.Signal(syscall.SIGUSR1)
		if !g.Output().Await(2*atOnce, func(text string) bool { return process.CountLines(text, heard) > turn }) {
			t.Fatalf("SIGUSR1 was not heard within %v while a disk stalls, in round %d", 2*atOnce, turn+1)
		}
		slowest = max(slowest, time.Since(from))
		unblock()
	}
	t.Logf("SIGUSR1 while a disk stalls: heard within %v, twenty times", round(slowest))
}

// pages asks for each page, up to three times when it is slow, and returns the
// longest time that one takes.
func (g *gateway) pages(t *testing.T) (slowest time.Duration) {
	t.Helper()
	for _, page := range []string{"/", "/readyz", "/healthz", "/metrics"} {
		slowest = max(slowest, quickest(func() time.Duration {
			status, text, took := g.Get(page, 3*time.Second)
			if status != http.StatusOK {
				t.Errorf("%s while a file blocks: status %d: %.100s", page, status, text)
			}
			return took
		}))
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
// opening the file blocks, as with a network disk that has stalled.
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
