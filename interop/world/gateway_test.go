//go:build linux

package world

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
)

// gateway is the built program, running in its world.
type gateway struct {
	*testbed.Gateway
	world *world
}

// setup is how a gateway is started; the zero value is how an operator does.
type setup struct {
	listen           string   // further keys of [listen], one a line
	metrics          string   // further keys of [metrics]
	clients          string   // further [[client]] tables, which are matched first
	only             bool     // no other [[client]]
	certificate, key string   // the gateway's own; "": a good one
	rest             string   // [[server]], [[route]] and so on
	tap              string   // socket of the tap; "": none
	limits           string   // options of prlimit, as "--nofile=64"
	stderr           *os.File // instead of the log that the test reads
	early            bool     // do not wait until it serves
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
	if s.certificate == "" {
		s.certificate, s.key = built.files.ServerCert, built.files.ServerKey
	}
	if !s.only {
		s.clients += "\n[[client]]\nname = \"world\"\nnetworks = [\"127.0.0.0/8\"]\nmax_connections = 0\n"
	}
	w.write("radsec-gw.toml", withoutKeys(fmt.Sprintf(`
[listen]
address     = ["127.0.0.1:2083"]
certificate = %q
private_key = %q
%s

%s

[metrics]
address = "127.0.0.1:9713"
%s

[tap]
socket = %q

%s
`, s.certificate, s.key, s.listen, s.clients, s.metrics, s.tap, s.rest)))
}

func (w *world) serve(s setup) *gateway {
	w.t.Helper()
	args := []string{testbed.Program(), "serve", "-config", w.path("radsec-gw.toml")}
	if s.limits != "" {
		args = append(append([]string{"prlimit"}, strings.Fields(s.limits)...), args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	if s.stderr != nil {
		cmd.Stderr = s.stderr
	}
	var p *process.Process
	var err error
	w.gateway.do(func() { p, err = process.Start(cmd) })
	w.must(err)
	g := &gateway{Gateway: testbed.NewGateway(w.t, p), world: w}
	g.Address = "127.0.0.1:9713"
	g.HTTP.Transport = &http.Transport{DialContext: w.gateway.dial, DisableKeepAlives: true}
	if !s.early {
		g.awaitServing()
	}
	return g
}

// awaitServing waits until RadSec clients can connect.
func (g *gateway) awaitServing() {
	g.T.Helper()
	for deadline := time.Now().Add(patience); ; {
		conn, err := g.world.gateway.dial(context.Background(), "tcp", "127.0.0.1:2083")
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-g.Exited():
			g.T.Fatalf("radsec-gw serve ended: %v; its log:\n%s", g.Err(), g.Output().Last(25))
		case <-time.After(2 * time.Millisecond): // from outside nothing reports that a port is open now
		}
		if time.Now().After(deadline) {
			g.T.Fatalf("radsec-gw serve does not listen after %v: %v", patience, err)
		}
	}
}

// pause stops the process for a while, as a suspended machine does.
func (g *gateway) pause(d time.Duration) {
	g.Suspend()
	time.Sleep(d)
	g.Resume()
}

// terminate sends SIGTERM and returns the time until the program has ended.
func (g *gateway) terminate(within time.Duration) time.Duration {
	g.T.Helper()
	from := time.Now()
	g.Signal(syscall.SIGTERM)
	select {
	case <-g.Exited():
		if g.Err() != nil {
			g.T.Errorf("after SIGTERM it ends with %v, expected status 0", g.Err())
		}
	case <-time.After(within):
		g.T.Errorf("it has not ended %v after SIGTERM", within)
	}
	return time.Since(from)
}
