//go:build linux

package main

import (
	"context"
	"io"
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

// process is radsec-gw serve in a process of its own.
type process struct {
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
func serveWith(t *testing.T, program string, stderr *os.File) *process {
	t.Helper()
	return serveBy(t, stderr, program)
}

// serveBy is serveWith for a command that has the program at its end.
func serveBy(t *testing.T, stderr *os.File, command ...string) *process {
	t.Helper()
	g := &process{t: t, radsec: gatewaytest.UnusedAddress(t), metrics: gatewaytest.UnusedAddress(t), ended: make(chan error, 1)}
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
func (g *process) connect() *gatewaytest.Client {
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

func (g *process) signal(sig os.Signal) {
	g.t.Helper()
	if err := g.cmd.Process.Signal(sig); err != nil {
		g.t.Fatal(err)
	}
}

// ask gets a page over HTTP, within two seconds.
func (g *process) ask(path string) (status int, body string) {
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

// terminate sends SIGTERM, and wants the process to end with exit status 0. The log has a
// second for that, the rest is for a busy machine.
func (g *process) terminate() {
	g.t.Helper()
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		g.t.Fatal(err)
	}
	select {
	case err := <-g.ended:
		if err != nil {
			g.t.Errorf("expected exit status 0, got %v", err)
		}
	case <-time.After(gatewaytest.Patience):
		g.t.Errorf("expected the end within %v of SIGTERM, the gateway still runs", gatewaytest.Patience)
	}
}

// logFile is a file for a gateway's standard error.
func logFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// awaitLine waits until the log has each of the texts.
func (g *process) awaitLine(log *os.File, texts ...string) {
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
			g.t.Fatalf("expected %q in the log, got\n%s", missing, events(b))
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
