//go:build linux

package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"radsec-gw/gateway/gatewaytest"
)

// logFile is where a gateway's standard error goes, for reading it.
func logFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// awaitLine waits until the log holds each of the texts.
func (g *running) awaitLine(log *os.File, texts ...string) {
	g.t.Helper()
	deadline, tick := time.After(gatewaytest.Patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for {
		b, err := os.ReadFile(log.Name())
		if err != nil {
			g.t.Fatal(err)
		}
		missing := ""
		for _, text := range texts {
			if !strings.Contains(string(b), text) {
				missing = text
			}
		}
		if missing == "" {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			g.t.Fatalf("the log lacks %q:\n%s", missing, events(b))
		}
	}
}

// events returns the lines of a log that are not about requests.
func events(log []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(log)) {
		if !strings.Contains(line, "msg=request ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func (g *running) signal(sig os.Signal) {
	g.t.Helper()
	if err := g.cmd.Process.Signal(sig); err != nil {
		g.t.Fatal(err)
	}
}

// ask gets a page of the HTTP side within two seconds.
func (g *running) ask(path string) (status int, body string) {
	g.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}
	r, err := client.Get("http://" + g.metrics + path)
	if err != nil {
		g.t.Errorf("GET %s: %v", path, err)
		return 0, ""
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		g.t.Errorf("GET %s: %v", path, err)
	}
	return r.StatusCode, string(b)
}

// A reload that meets a file which blocks holds nothing up: the pages and the
// logins go on, the reload is refused after a deadline and names the file, and
// the next one, when the file is back, is taken.
//
// Fault W15.
func TestOutsideAFileThatBlocks(t *testing.T) {
	log := logFile(t)
	g := serveWith(t, builtProgram(t), log)
	c := g.connect()
	good, err := os.ReadFile(g.file)
	if err != nil {
		t.Fatal(err)
	}
	gatewaytest.Block(t, g.file)
	g.signal(syscall.SIGHUP)
	opened := make(chan struct{})
	go func() { // returns when the gateway has the pipe open, or at the test's end
		defer close(opened)
		if f, err := os.OpenFile(g.file, os.O_WRONLY, 0); err == nil {
			t.Cleanup(func() { f.Close() })
		}
	}()
	<-opened // the reload reads, and gets nothing
	for _, path := range []string{"/", "/readyz", "/healthz", "/metrics"} {
		if status, _ := g.ask(path); status != 200 {
			t.Errorf("GET %s while a reload reads: %d, want 200", path, status)
		}
	}
	c.Logins(100)
	g.connect().Logins(100)
	g.awaitLine(log, "reload refused", g.file+" blocks: expected an answer within")
	if err := os.Rename(g.file, g.file+".away"); err != nil {
		t.Fatal(err)
	}
	gatewaytest.WriteFile(t, g.file, good)
	g.signal(syscall.SIGHUP)
	// The first read of the file has not returned: its path is tried when it does.
	pipe, err := os.OpenFile(g.file+".away", os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	pipe.Write([]byte("\n"))
	pipe.Close()
	c.Logins(100)
	g.terminate()
}

// SIGTERM during a reload that reads drains at once; so does a second one end.
//
// Fault W15, W12.
func TestOutsideSignalsDuringAReload(t *testing.T) {
	program := builtProgram(t)
	for signals, want := range map[int]string{1: "SIGTERM", 2: "two SIGTERMs"} {
		log := logFile(t)
		g := serveWith(t, program, log)
		c := g.connect()
		c.Logins(100)
		gatewaytest.Block(t, g.file)
		g.signal(syscall.SIGHUP)
		f, err := os.OpenFile(g.file, os.O_WRONLY, 0) // the reload reads, and gets nothing
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for range signals {
			g.signal(syscall.SIGTERM)
		}
		select {
		case err := <-g.ended:
			if took := time.Since(start); err != nil || took > 3*time.Second {
				t.Errorf("%s during a reload: ended with %v after %v, expected exit status 0 at once", want, err, took)
			}
		case <-time.After(gatewaytest.Patience):
			t.Errorf("%s during a reload: the gateway still runs after %v", want, gatewaytest.Patience)
		}
		f.Close()
	}
}

// SIGHUP moves the addresses: the new ones are served, the old ones are free, and
// a connection that came over an old one goes on.
//
// Fault L5.
func TestOutsideReloadMovesTheAddresses(t *testing.T) {
	log := logFile(t)
	g := serveWith(t, builtProgram(t), log)
	c := g.connect()
	text, err := os.ReadFile(g.file)
	if err != nil {
		t.Fatal(err)
	}
	before := []string{g.radsec, g.metrics}
	g.radsec, g.metrics = gatewaytest.UnusedAddress(t), gatewaytest.UnusedAddress(t)
	moved := strings.NewReplacer(before[0], g.radsec, before[1], g.metrics).Replace(string(text))
	gatewaytest.WriteFile(t, g.file, []byte(moved))
	g.signal(syscall.SIGHUP)
	g.awaitLine(log, "msg=reloaded what=configuration")
	if status, _ := g.ask("/readyz"); status != 200 {
		t.Errorf("GET /readyz at the new address: %d, want 200", status)
	}
	g.connect().Logins(100)
	c.Logins(100)
	if gatewaytest.Listening(before[0]) {
		t.Errorf("%s is still listened on", before[0])
	}
	g.terminate()
}

// status waits for the program's end and returns its exit status.
func status(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Run() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode()
	case <-time.After(2 * gatewaytest.Patience):
		cmd.Process.Kill()
		<-ended
		t.Errorf("%v does not end", cmd.Args)
		return -1
	}
}

// A mistake in the configuration, or in a file that it names, ends with a status
// of its own; what may pass by itself does not. A start that meets a file which
// blocks says which it is.
//
// Faults L6, W15.
func TestOutsideExitStatus(t *testing.T) {
	program := builtProgram(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	good := gatewaytest.ConfigAt(gatewaytest.UnusedAddress(t), 1812, "")
	for _, row := range []struct {
		name   string
		change func(t *testing.T, dir, file string)
		want   int
		says   string
	}{
		{"an unknown key", func(t *testing.T, _, file string) { gatewaytest.WriteFile(t, file, []byte(good+"unheard_of = 1\n")) }, 78, "unheard_of: unknown key"},
		{"no file", func(t *testing.T, _, file string) { os.Remove(file) }, 78, "there is no " /* its name */},
		{"a certificate that is none", func(t *testing.T, dir, _ string) {
			gatewaytest.WriteFile(t, filepath.Join(dir, "certs/dev/server.pem"), []byte("noise"))
		}, 78, "listen.certificate"},
		{"a pipe for a certificate", func(t *testing.T, dir, _ string) { gatewaytest.Block(t, filepath.Join(dir, "certs/dev/server.pem")) }, 78,
			"server.pem is not a regular file"},
		{"a port in use", func(t *testing.T, _, file string) {
			gatewaytest.WriteFile(t, file, []byte(gatewaytest.ConfigAt(taken.Addr().String(), 1812, "")))
		}, 1, "address already in use"},
		{"a file that blocks", func(t *testing.T, _, file string) { gatewaytest.Block(t, file) }, 1, "c.toml blocks: expected an answer within"},
		{"few descriptors", nil, 1, "10 descriptors (RLIMIT_NOFILE) are too few: expected at least"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir, file := gatewaytest.Dir(t, good)
			cmd := exec.Command(program, "serve", "-config", file)
			if row.change != nil {
				row.change(t, dir, file)
			} else {
				cmd = exec.Command("sh", "-c", `ulimit -n 10; exec "$0" "$@"`, program, "serve", "-config", file)
			}
			var said bytes.Buffer
			cmd.Stderr = &said
			if got := status(t, cmd); got != row.want || !strings.Contains(said.String(), row.says) {
				t.Errorf("exit status %d, want %d and %q; it said\n%s", got, row.want, row.says, said.String())
			}
		})
	}
}

// Mistakes end the program also when nobody reads its standard error.
func TestOutsideExitStatusIntoAFullPipe(t *testing.T) {
	_, file := gatewaytest.Dir(t, "nonsense = 1\n")
	_, w := pipe(t)
	fill(t, w)
	cmd := exec.Command(builtProgram(t), "serve", "-config", file)
	cmd.Stderr = w
	if got := status(t, cmd); got != exitConfig {
		t.Errorf("exit status %d, want %d", got, exitConfig)
	}
}

// With 64 descriptors and four times as many idle connections a handful of
// clients is served, the HTTP side answers, and the rest is refused and counted.
//
// Fault W13.
func TestOutsideFewDescriptors(t *testing.T) {
	log := logFile(t)
	g := serveBy(t, log, "sh", "-c", `ulimit -n 64; exec "$0" "$@"`, builtProgram(t))
	c := g.connect()
	c.Logins(100)
	var idle []net.Conn
	for range 256 {
		c, err := net.Dial("tcp", g.radsec)
		if err != nil {
			t.Fatal(err)
		}
		idle = append(idle, c)
	}
	c.Logins(1000)
	for _, path := range []string{"/healthz", "/readyz", "/", "/metrics"} {
		status, body := g.ask(path)
		if status != 200 {
			t.Errorf("GET %s: %d, want 200", path, status)
		}
		if path == "/metrics" && (!strings.Contains(body, `radsec_gw_descriptor_budget{use="radsec"}`) || strings.Contains(body, `radsec_gw_accept_failures_total{listener="http"} 1`)) {
			t.Errorf("/metrics does not show the budget, or HTTP had no descriptor:\n%s", body)
		}
	}
	text, err := os.ReadFile(log.Name())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "too many open files") {
		t.Errorf("a descriptor was lacking:\n%s", events(text))
	}
	g.awaitLine(log, "the process may have 64 descriptors open", "max_connections is 10000")
	for _, c := range idle {
		c.Close()
	}
	g.terminate()
}
