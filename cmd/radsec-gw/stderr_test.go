//go:build linux

package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"radsec-gw/gateway/gatewaytest"
)

// lost returns how many lines /metrics counts as lost for the reason.
func (g *process) lost(reason string) (n float64) {
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

// fill writes to a pipe until it is full, as if its reader hung.
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

// blocking lists standard errors that block, or fail, once the gateway serves. serving is
// called when the gateway was started.
var blocking = []struct {
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
}

// Whatever standard error is, logins are answered, new connections are accepted, lost lines
// are counted, and SIGTERM ends the gateway in time.
func TestStandardErrorThatBlocks(t *testing.T) {
	program := builtProgram(t)
	for _, row := range blocking {
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
				t.Errorf("expected lines lost after %d logins for %s, got none", total, row.reason)
			}
			g.connect().Logins(100)
			if r, err := http.Get("http://" + g.metrics + "/healthz"); err != nil || r.StatusCode != 200 {
				t.Errorf("/healthz: %v, %v", r, err)
			}
			g.terminate()
		})
	}
}

// Lines that are queued when the gateway ends are written, completely.
func TestTheLogIsCompleteAtTheEnd(t *testing.T) {
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
			t.Fatalf("expected complete lines in the log, got %q", line)
		}
		if strings.Contains(line, "msg=request ") {
			requests++
		}
	}
	if requests != logins || !strings.HasSuffix(string(text), "msg=stopped\n") {
		t.Errorf("the log has %d lines of requests and ends with %q, expected %d and msg=stopped", requests, text[max(0, len(text)-80):], logins)
	}
}
