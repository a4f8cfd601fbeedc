//go:build linux

package world

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/bench/scrape"

	"golang.org/x/sys/unix"
)

const loggingRequests = "\n[log]\nrequests = true\n"

// Standard error accepts nothing: its reader hangs (L1) or has closed it (L2), or the disk is
// full. Ten thousand logins each, every one with a log line, must not be affected.
//
// A gateway whose log goes to /dev/null runs beside it, and the two are measured in turn.
func TestBlockedStandardError(t *testing.T) {
	good := newLoggingWorld(t)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	good.must(err)
	defer null.Close()
	good.start(setup{rest: good.loggingConfig(), stderr: null})
	good.hammer(t, "/dev/null", 500, patience) // caches, pools

	for _, test := range []struct {
		name   string
		stderr func(t *testing.T, w *world) *os.File
	}{
		{"a full pipe that nobody reads", fullPipe},
		{"a pipe whose reader has closed it", brokenPipe},
		{"a file on a full disk", fullDisk},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newLoggingWorld(t)
			g := w.start(setup{rest: w.loggingConfig(), stderr: test.stderr(t, w)})
			w.hammer(t, test.name, 500, 5*time.Second)
			noEffect(t, "standard error that is "+test.name,
				func() time.Duration { return good.hammer(t, "/dev/null", 3500, patience) },
				func() time.Duration { return w.hammer(t, test.name, 3500, 5*time.Second) })
			if status, text, _ := g.Get("/metrics", 5*time.Second); status != 200 {
				t.Errorf("/metrics: status %d: %.100s", status, text)
			} else if lost := scrape.Parse(text).Sum("radsec_gw_log_lines_lost_total"); lost == 0 {
				t.Errorf("radsec_gw_log_lines_lost_total is 0 after 10,000 lines that were not accepted, expected it to count them")
			} else {
				t.Logf("log lines lost, as counted: %.0f", lost)
			}
			w.disconnect()
			took := g.terminate(5 * time.Second)
			t.Logf("SIGTERM: ended after %v", round(took))
		})
	}
}

// When the log can be written again, one line reports how many were lost.
func TestUnblockedStandardError(t *testing.T) {
	t.Parallel()
	w := newLoggingWorld(t)
	read, write, err := os.Pipe()
	w.must(err)
	defer read.Close()
	fill(t, write)
	g := w.start(setup{rest: w.loggingConfig(), stderr: write})
	write.Close()
	// More than any queue has space for.
	for range 4 {
		w.hammer(t, "a full pipe", 5000, 5*time.Second)
	}
	text := new(process.Output)
	var reader sync.WaitGroup
	reader.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := read.Read(buf)
			if err != nil {
				return
			}
			_, _ = text.Write(buf[:n])
		}
	})
	defer reader.Wait()
	if !text.Await(patience, func(s string) bool { return strings.Contains(s, "lost") || strings.Contains(s, "suppressed") }) {
		t.Errorf("no line reports that lines were lost, after the pipe was read again; the end is:\n%s", text.Last(3))
	}
	w.disconnect()
	g.terminate(5 * time.Second)
}

func newLoggingWorld(t testing.TB) *world {
	w := newWorld(t)
	w.server("10.0.0.10", nil)
	return w
}

func (w *world) loggingConfig() string {
	return backend("server", "10.0.0.10") + route("*", to("server")) + loggingRequests
}

// hammer makes n logins, one after the other on each of eight connections, and
// returns their p99. It stops at the first that is not granted within d.
func (w *world) hammer(t *testing.T, what string, n int, d time.Duration) time.Duration {
	t.Helper()
	const connections = 8
	w.t = t // a failure belongs to the test that is running
	for len(w.clients) < connections {
		if _, err := w.tryDial(); err != nil {
			t.Errorf("no connection when standard error is %s: %v", what, err)
			return d
		}
	}
	var mu sync.Mutex
	var all exchanges
	var running sync.WaitGroup
	for i, c := range w.clients[:connections] {
		running.Go(func() {
			var mine exchanges
			for k := range n / connections {
				e := c.login(fmt.Sprintf("u%d@test", i*n+k))
				mine = append(mine, e)
				if !e.within(d) {
					break
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
		})
	}
	running.Wait()
	sum := all.sum()
	if !sum.all() {
		t.Errorf("logins when standard error is %s: %v, expected all granted", what, sum)
	}
	return sum.quantile(0.99)
}

// fill writes to a pipe until it accepts no more.
func fill(t *testing.T, write *os.File) {
	t.Helper()
	fd := int(write.Fd()) // which also makes it block
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{4096, 1} {
		for b := make([]byte, size); ; {
			if _, err := unix.Write(fd, b); err != nil {
				break
			}
		}
	}
	// Standard error of a program that docker or systemd starts blocks.
	if err := unix.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
}

func fullPipe(t *testing.T, w *world) *os.File {
	read, write, err := os.Pipe()
	w.must(err)
	t.Cleanup(func() {
		read.Close()
		write.Close()
	})
	fill(t, write)
	return write
}

func brokenPipe(t *testing.T, w *world) *os.File {
	read, write, err := os.Pipe()
	w.must(err)
	read.Close()
	t.Cleanup(func() { write.Close() })
	return write
}

// fullDisk opens a file on a disk of 64 KiB, and fills it.
func fullDisk(t *testing.T, w *world) *os.File {
	disk := w.path("disk")
	w.must(os.Mkdir(disk, 0o700))
	var file *os.File
	var err error
	w.gateway.do(func() {
		if err = unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err == nil {
			file, err = os.OpenFile(disk+"/log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		}
	})
	w.must(err)
	t.Cleanup(func() { file.Close() })
	for b := make([]byte, 4096); ; {
		if _, err := file.Write(b); err != nil {
			return file
		}
	}
}
