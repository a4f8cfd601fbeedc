//go:build linux

package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"radsec-gw/gateway/gatewaytest"
)

// running is the built binary, serving with its standard error somewhere.
type running struct {
	t       *testing.T
	dir     string
	file    string // the configuration
	radsec  string
	metrics string
	cmd     *exec.Cmd
	ended   chan error
}

// builtProgram returns the path of radsec-gw: TestMain has put one into PATH that is this test's
// binary under another name.
func builtProgram(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("radsec-gw")
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// serveWith starts program as serve, with stderr as its standard error.
func serveWith(t *testing.T, program string, stderr *os.File) *running {
	t.Helper()
	return serveBy(t, stderr, program)
}

// serveBy is serveWith for a command that has the program at its end.
func serveBy(t *testing.T, stderr *os.File, command ...string) *running {
	t.Helper()
	g := &running{t: t, radsec: gatewaytest.UnusedAddress(t), metrics: gatewaytest.UnusedAddress(t), ended: make(chan error, 1)}
	g.dir, g.file = gatewaytest.Dir(t, gatewaytest.ConfigAt(g.radsec, gatewaytest.Serve(t, gatewaytest.Accept), g.metrics))
	g.cmd = exec.Command(command[0], append(command[1:], "serve", "-config", g.file)...)
	g.cmd.Stderr = stderr
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { g.ended <- g.cmd.Wait() }()
	t.Cleanup(func() { g.cmd.Process.Kill() })
	return g
}

// connect opens a connection as soon as the gateway listens.
func (g *running) connect() *gatewaytest.Client {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), gatewaytest.Patience)
	defer cancel()
	c, err := gatewaytest.DialContext(ctx, g.t, g.dir, g.radsec)
	if err == nil {
		return c
	}
	select {
	case ended := <-g.ended:
		g.t.Fatalf("the gateway has ended: %v", ended)
	default:
		g.t.Fatalf("no connection to the gateway: %v", err)
	}
	return nil
}

// lost returns how many lines /metrics counts as lost for the reason.
func (g *running) lost(reason string) (n float64) {
	g.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: gatewaytest.Patience}
	r, err := client.Get("http://" + g.metrics + "/metrics")
	if err != nil {
		g.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	series := regexp.MustCompile(`(?m)^radsec_gw_log_lines_lost_total\{.*reason="` + reason + `".*\} (\S+)$`)
	for _, m := range series.FindAllStringSubmatch(string(text), -1) {
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			g.t.Fatal(err)
		}
		n += v
	}
	return n
}

// terminate sends SIGTERM and wants the end, with exit status 0. The log has a
// second for it, the rest is what a busy machine needs.
func (g *running) terminate() {
	g.t.Helper()
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		g.t.Fatal(err)
	}
	select {
	case err := <-g.ended:
		if err != nil {
			g.t.Errorf("the gateway ended with %v, expected exit status 0", err)
		}
	case <-time.After(gatewaytest.Patience):
		g.t.Errorf("the gateway still runs %v after SIGTERM", gatewaytest.Patience)
	}
}

// fill writes to a pipe until it takes no more, as a reader that hangs leaves it.
func fill(t *testing.T, w *os.File) {
	t.Helper()
	fd := int(w.Fd())
	setNonblock(t, w, true)
	chunk := bytes.Repeat([]byte("x"), 4096)
	for {
		if _, err := syscall.Write(fd, chunk); err == syscall.EAGAIN {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	setNonblock(t, w, false)
}

func setNonblock(t *testing.T, w *os.File, on bool) {
	t.Helper()
	if err := syscall.SetNonblock(int(w.Fd()), on); err != nil {
		t.Fatal(err)
	}
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return r, w
}

// Whatever standard error is, logins go on, new connections are accepted, what
// is lost of the log is counted, and SIGTERM ends the gateway in time.
func TestOutsideAStandardErrorThatTakesNothing(t *testing.T) {
	program := builtProgram(t)
	for _, row := range []struct {
		name   string
		open   func(t *testing.T) (stderr *os.File, serving func())
		reason string
	}{
		{"a pipe that nobody reads", func(t *testing.T) (*os.File, func()) {
			_, w := pipe(t)
			fill(t, w)
			return w, func() {}
		}, "queue_full"},
		{"a full pipe that does not block", func(t *testing.T) (*os.File, func()) {
			_, w := pipe(t)
			fill(t, w)
			return w, func() { setNonblock(t, w, true) } // as another process that has the pipe may do
		}, "queue_full"},
		{"a pipe whose reader goes away", func(t *testing.T) (*os.File, func()) {
			r, w := pipe(t)
			return w, func() {
				w.Close()
				for text := ""; !strings.Contains(text, "msg=serving"); {
					b := make([]byte, 4096)
					n, err := r.Read(b)
					if err != nil {
						t.Fatalf("the log ends before the gateway serves: %v\n%s", err, text)
					}
					text += string(b[:n])
				}
				r.Close()
			}
		}, "write_failed"},
		{"a full disk", func(t *testing.T) (*os.File, func()) {
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { full.Close() })
			return full, func() {}
		}, "queue_full"},
	} {
		t.Run(row.name, func(t *testing.T) {
			stderr, serving := row.open(t)
			g := serveWith(t, program, stderr)
			serving()
			c := g.connect()
			const each = 2000
			lost, total := 0.0, 0
			for lost == 0 && total < 40*each { // 20,000 lines are more than the queue holds
				c.Logins(each)
				total += each
				lost = g.lost(row.reason)
			}
			if lost == 0 {
				t.Errorf("after %d logins /metrics counts no line as lost for %s", total, row.reason)
			}
			g.connect().Logins(100)
			if r, err := http.Get("http://" + g.metrics + "/healthz"); err != nil || r.StatusCode != 200 {
				t.Errorf("/healthz: %v, %v", r, err)
			}
			g.terminate()
		})
	}
}

// What is queued when the gateway ends is written, in whole lines.
func TestOutsideTheLogIsCompleteAtTheEnd(t *testing.T) {
	program := builtProgram(t)
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	g := serveWith(t, program, file)
	const logins = 3000
	g.connect().Logins(logins)
	g.terminate()
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	requests := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "time=") || !strings.HasSuffix(line, "\n") {
			t.Fatalf("the log holds %q, expected whole lines", line)
		}
		if strings.Contains(line, "msg=request ") {
			requests++
		}
	}
	if requests != logins || !strings.HasSuffix(string(text), "msg=stopped\n") {
		t.Errorf("the log has %d lines of requests and ends with %q, expected %d and msg=stopped", requests, text[max(0, len(text)-80):], logins)
	}
}
