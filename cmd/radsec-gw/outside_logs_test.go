package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"radsec-gw/certs"
)

// running is the built binary, serving with its standard error somewhere.
type running struct {
	t       *testing.T
	file    string // the configuration
	radsec  string
	metrics string
	client  *tls.Config
	cmd     *exec.Cmd
	ended   chan error
}

const runningConfig = `[listen]
address = [%q]
certificate = "certs/dev/server.pem"
private_key = "certs/dev/server.key"
client_ca = "certs/dev/ca.pem"
[[client]]
name = "campus"
networks = ["127.0.0.0/8"]
[[server]]
name = "udp"
address = "127.0.0.1"
auth_port = %d
acct_port = 0
coa_port = 0
secret = %q
health = "none"
[[route]]
realms = ["example.org"]
packets = ["access"]
servers = ["udp"]
[metrics]
address = %q
[log]
level = "debug"
requests = true
[tap]
socket = ""
`

// runningText is runningConfig on ports of the system's choice.
func runningText(auth int) string {
	return fmt.Sprintf(runningConfig, "127.0.0.1:0", auth, outsideSecret, "127.0.0.1:0")
}

// builtProgram builds the binary.
func builtProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "radsec-gw")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
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
	g := &running{t: t, radsec: unusedAddress(t), metrics: unusedAddress(t), ended: make(chan error, 1)}
	dir, file := checkDir(t, fmt.Sprintf(runningConfig, g.radsec, answeringWith(t, accept), outsideSecret, g.metrics))
	pair, err := certs.LoadPair(filepath.Join(dir, "certs/dev/client.pem"), filepath.Join(dir, "certs/dev/client.key"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := certs.LoadCA(filepath.Join(dir, "certs/dev/ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	g.client = &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: ca.Pool(), ServerName: "radsec-server"}
	g.file = file
	g.cmd = exec.Command(command[0], append(command[1:], "serve", "-config", file)...)
	g.cmd.Stderr = stderr
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { g.ended <- g.cmd.Wait() }()
	t.Cleanup(func() { g.cmd.Process.Kill() })
	return g
}

// unusedAddress is a loopback address with a port that nobody listened on just now.
func unusedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// connect opens a connection as soon as the gateway listens.
func (g *running) connect() *outsideConn {
	g.t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for {
		c, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", g.radsec, g.client)
		if err == nil {
			g.t.Cleanup(func() { c.Close() })
			return &outsideConn{g.t, c}
		}
		select {
		case <-tick.C:
		case err := <-g.ended:
			g.t.Fatalf("the gateway has ended: %v", err)
		case <-deadline:
			g.t.Fatalf("no connection to the gateway: %v", err)
		}
	}
}

// logins does so many logins on c, many at a time.
func (g *running) logins(c *outsideConn, n int) {
	g.t.Helper()
	const atATime = 100
	for range n / atATime {
		var all [][]byte
		for id := range byte(atATime) {
			all = append(all, rawRequest(1, id, emptyMAC, nameOf("a-user-with-a-name-of-some-length@example.org"), tlv(31, []byte("02-00-5E-00-53-01")...)))
		}
		c.write(bytes.Join(all, nil))
		for range all {
			if a := c.read(); a == nil || a[0] != 2 {
				g.t.Fatalf("a login got %.1x, expected an Access-Accept", a)
			}
		}
	}
}

// lost returns how many lines /metrics counts as lost for the reason.
func (g *running) lost(reason string) (n float64) {
	g.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	r, err := client.Get("http://" + g.metrics + "/metrics")
	if err != nil {
		g.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, m := range seriesLine.FindAllStringSubmatch(string(text), -1) {
		if m[1] == "radsec_gw_log_lines_lost_total" && strings.Contains(m[2], `reason="`+reason+`"`) {
			v, err := strconv.ParseFloat(m[3], 64)
			if err != nil {
				g.t.Fatal(err)
			}
			n += v
		}
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
	case <-time.After(patience):
		g.t.Errorf("the gateway still runs %v after SIGTERM", patience)
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
				g.logins(c, each)
				total += each
				lost = g.lost(row.reason)
			}
			if lost == 0 {
				t.Errorf("after %d logins /metrics counts no line as lost for %s", total, row.reason)
			}
			g.logins(g.connect(), 100)
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
	g.logins(g.connect(), logins)
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
