//go:build linux

package world

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for what should be there at once; a loaded machine is slow.
const patience = 30 * time.Second

// gateway is the built program, running in its world.
type gateway struct {
	// static after construction
	t      testing.TB
	world  *world
	cmd    *exec.Cmd
	log    *log          // standard error, unless it is given a file
	exited chan struct{} // closed when it has ended and err is set
	http   http.Client

	err error
}

// setup is how a gateway is started; the zero value is as an operator would.
type setup struct {
	listen  string   // further keys of [listen], one a line
	metrics string   // further keys of [metrics]
	clients string   // further [[client]] tables, which are matched first
	rest    string   // [[server]], [[route]] and so on
	limits  string   // options of prlimit, as "--nofile=64"
	stderr  *os.File // instead of the log that the test reads
	early   bool     // do not wait until it serves
}

// start writes the configuration and runs radsec-gw serve.
func (w *world) start(s setup) *gateway {
	w.t.Helper()
	w.configure(s)
	return w.serve(s)
}

// configure writes the configuration only.
func (w *world) configure(s setup) {
	w.t.Helper()
	if !strings.Contains(s.listen, "client_ca") {
		s.listen += fmt.Sprintf("\nclient_ca = %q", built.files.CA)
	}
	w.write("radsec-gw.toml", withoutKeys(fmt.Sprintf(`
[listen]
address     = ["127.0.0.1:2083"]
certificate = %q
private_key = %q
%s

%s
[[client]]
name     = "world"
networks = ["127.0.0.0/8"]
max_connections = 0

[metrics]
address = "127.0.0.1:9713"
%s

[tap]
socket = ""

%s
`, built.files.ServerCert, built.files.ServerKey, s.listen, s.clients, s.metrics, s.rest)))
}

func (w *world) serve(s setup) *gateway {
	w.t.Helper()
	g := &gateway{t: w.t, world: w, log: newLog(), exited: make(chan struct{})}
	g.http = http.Client{Timeout: patience, Transport: &http.Transport{DialContext: w.gateway.dial, DisableKeepAlives: true}}
	args := []string{built.binary, "serve", "-config", w.path("radsec-gw.toml")}
	if s.limits != "" {
		args = append(append([]string{"prlimit"}, strings.Fields(s.limits)...), args...)
	}
	g.cmd = exec.Command(args[0], args[1:]...)
	g.cmd.Stderr = g.log
	if s.stderr != nil {
		g.cmd.Stderr = s.stderr
	}
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	var err error
	w.gateway.do(func() { err = g.cmd.Start() })
	w.must(err)
	go func() {
		g.err = g.cmd.Wait()
		close(g.exited)
	}()
	w.t.Cleanup(func() {
		g.signal(syscall.SIGKILL)
		<-g.exited
		if w.t.Failed() && s.stderr == nil {
			w.t.Logf("the gateway's log:\n%s", g.log.tail(25))
		}
	})
	if !s.early {
		g.awaitServing()
	}
	return g
}

// awaitServing waits until RadSec clients can connect.
func (g *gateway) awaitServing() {
	g.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		conn, err := g.world.gateway.dial(context.Background(), "tcp", "127.0.0.1:2083")
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-g.exited:
			g.t.Fatalf("radsec-gw serve ended: %v; its log:\n%s", g.err, g.log.tail(25))
		case <-time.After(2 * time.Millisecond): // nothing tells from outside that a port is open now
		}
		if time.Now().After(deadline) {
			g.t.Fatalf("radsec-gw serve does not listen after %v: %v", patience, err)
		}
	}
}

func (g *gateway) signal(sig syscall.Signal) { _ = syscall.Kill(-g.cmd.Process.Pid, sig) }

// pause stops the process for a while, as a suspended machine does.
func (g *gateway) pause(d time.Duration) {
	g.signal(syscall.SIGSTOP)
	time.Sleep(d)
	g.signal(syscall.SIGCONT)
}

// reload sends SIGHUP and returns the time until the log says that it is in force.
func (g *gateway) reload() time.Duration {
	g.t.Helper()
	before := g.log.count("msg=reloaded what=configuration")
	from := time.Now()
	g.signal(syscall.SIGHUP)
	if !g.log.await(patience, func(text string) bool { return strings.Count(text, "msg=reloaded what=configuration") > before }) {
		g.t.Fatalf("no reload within %v of SIGHUP; the log:\n%s", patience, g.log.tail(25))
	}
	return time.Since(from)
}

// terminate sends SIGTERM and returns the time until the program has ended.
func (g *gateway) terminate(within time.Duration) time.Duration {
	g.t.Helper()
	from := time.Now()
	g.signal(syscall.SIGTERM)
	select {
	case <-g.exited:
		if g.err != nil {
			g.t.Errorf("after SIGTERM it ends with %v, expected status 0", g.err)
		}
	case <-time.After(within):
		g.t.Errorf("it has not ended %v after SIGTERM", within)
	}
	return time.Since(from)
}

// get asks for a page and returns its status, 0 when there is no answer, its text, and the time it took.
func (g *gateway) get(path string, within time.Duration) (status int, text string, took time.Duration) {
	from := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:9713"+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	response, err := g.http.Do(request)
	if err != nil {
		return 0, err.Error(), time.Since(from)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error(), time.Since(from)
	}
	return response.StatusCode, string(body), time.Since(from)
}

// metrics reads /metrics.
func (g *gateway) metrics() metrics {
	g.t.Helper()
	status, text, _ := g.get("/metrics", patience)
	if status != http.StatusOK {
		g.t.Fatalf("/metrics: status %d: %s", status, text)
	}
	return parseMetrics(text)
}

// eventually asks again and again, and reports whether the answer was yes in time.
func eventually(within time.Duration, yes func() bool) bool {
	for deadline := time.Now().Add(within); ; {
		if yes() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(10 * time.Millisecond) // what is asked is outside of this process
	}
}
