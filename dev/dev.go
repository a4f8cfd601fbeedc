package dev

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"text/template"

	"radsec-gw/certs"
	"radsec-gw/gateway"
	"radsec-gw/logs"
	"radsec-gw/probe"
)

// Options are the flags of radsec-gw dev.
type Options struct {
	// Address and Metrics are host:port for RadSec and for the HTTP side; if one is in use,
	// a free port of the same host is used instead.
	Address, Metrics string

	Once    bool // end after the first request and the Disconnect-Request
	Verbose bool // print the gateway's whole log; otherwise warnings and errors only

	Version, Commit string // of the program, as in [gateway.Options]
}

// Run runs everything until ctx ends or, if o.Once is set, the first request and then the
// RADIUS server's Disconnect-Request are answered. What happens is printed to stdout, the
// gateway's log to stderr. It is an error if one of the two gets no verified positive answer,
// if stdout cannot be written to, or if the gateway stops by itself.
func Run(ctx context.Context, o Options, stdout, stderr io.Writer) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &sharedWriter{w: stdout, failed: cancel}
	dir, err := os.MkdirTemp("", "radsec-gw-dev-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if _, err := certs.WriteDir(dir, certs.DirOptions{Clients: []string{"client"}}); err != nil {
		return fmt.Errorf("development certificates: %w", err)
	}
	fmt.Fprintf(out, "certificates    %s (removed at the end)\n", dir)

	server, err := startServer([]byte(rand.Text()), out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.close()) }()
	fmt.Fprintf(out, "RADIUS server   127.0.0.1, UDP ports %d, %d, %d; user %s, password %s\n", server.AuthPort, server.AcctPort, server.CoAPort, knownUser, knownPassword)

	p, dynamic, err := plan(ctx, o, dir, server, out)
	if err != nil {
		return ended(ctx, out, err)
	}
	server.gateway = dynamic
	return ended(ctx, out, serve(ctx, o, p, dir, server, out, stderr))
}

// ended returns the error of Run for err, with which a part of it failed, or nil: it says why
// if out cannot be written to, or if ctx was canceled before the part was done.
func ended(ctx context.Context, out *sharedWriter, err error) error {
	if failure := out.failure(); failure != nil {
		return fmt.Errorf("standard output: %w", failure)
	}
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("interrupted: %w", err)
	}
	return err
}

// serve runs the gateway, and sends the first request and the Disconnect-Request through it.
func serve(ctx context.Context, o Options, p *gateway.Plan, dir string, server *server, out, stderr io.Writer) (err error) {
	level := slog.LevelWarn
	if o.Verbose {
		level = slog.LevelDebug
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := logs.New(stderr, logs.Config{Level: level})
	defer lines.Close()
	gw, err := gateway.Start(ctx, p, gateway.Options{Log: slog.New(lines), Version: o.Version, Commit: o.Commit})
	if err != nil {
		return err
	}
	defer func() {
		cancel()
		err = errors.Join(err, gw.Wait())
	}()
	dtls := reachable(p.Config.Listeners[0].Listen.Address[0])
	fmt.Fprintf(out, "gateway         RadSec on %v, RADIUS/DTLS on %s over UDP, metrics on http://%v/metrics\n", gw.Addr(), dtls, gw.MetricsAddr())
	fmt.Fprintf(out, "reverse CoA     %s over UDP, where the gateway takes CoA and Disconnect for its clients\n\n", server.gateway)

	first := firstRequest(dir, reachable(gw.Addr()))
	if _, err := probe.Run(ctx, first, out); err != nil {
		return fmt.Errorf("the first request: %w", err)
	}
	if err := reverseCoA(ctx, first, server, out); err != nil {
		return fmt.Errorf("reverse CoA: %w", err)
	}
	if o.Once {
		return nil
	}
	printNextCommands(out, first.Address, dtls, server.gateway, dir, reachable(gw.MetricsAddr()))
	<-gw.Ended()
	if ctx.Err() == nil {
		return errors.New("the gateway stopped by itself")
	}
	fmt.Fprintln(out, "\nstopping")
	return nil
}

//go:embed dev.toml
var configurationText string

// configuration is that of the gateway.
var configuration = template.Must(template.New("dev.toml").Parse(configurationText))

// secretFile holds the secret between the gateway and its server, for a probe that sends as the
// server does.
const secretFile = "server.secret"

// plan writes a configuration file like an operator's, and reads it as serve does: all defaults
// apply, and the user can read the file while dev runs. dynamic is where servers send CoA and
// Disconnect.
func plan(ctx context.Context, o Options, dir string, server *server, out io.Writer) (p *gateway.Plan, dynamic string, err error) {
	address, err := freeAddress(o.Address, out)
	if err != nil {
		return nil, "", err
	}
	metrics, err := freeAddress(o.Metrics, out)
	if err != nil {
		return nil, "", err
	}
	if dynamic, err = freeUDPAddress(); err != nil {
		return nil, "", err
	}
	dtls, err := udpAddress(address)
	if err != nil {
		return nil, "", err
	}
	if err := os.WriteFile(filepath.Join(dir, secretFile), server.secret, 0o600); err != nil {
		return nil, "", err
	}
	file := filepath.Join(dir, "radsec-gw.toml")
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return nil, "", err
	}
	err = configuration.Execute(f, map[string]any{"Address": address, "Metrics": metrics, "Dynamic": dynamic, "DTLS": dtls, "Server": server, "Secret": string(server.secret)})
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, "", err
	}
	fmt.Fprintf(out, "configuration   %s\n", file)
	p, err = gateway.Load(ctx, file)
	return p, dynamic, err
}

// firstRequest returns the configuration of the first request, like that of radsec-gw probe access.
func firstRequest(dir, address string) probe.Config {
	return probe.Config{
		Address: address, CAFile: filepath.Join(dir, "ca.pem"),
		CertFile: filepath.Join(dir, "client.pem"), KeyFile: filepath.Join(dir, "client.key"),
		Kind: probe.Access, User: knownUser, Password: knownPassword,
	}
}

// sharedWriter lets the RADIUS server print between the lines of the transcript.
type sharedWriter struct {
	failed func() // is called after each error of w

	mu  sync.Mutex // guards the fields below
	w   io.Writer
	err error // the first of w
}

func (s *sharedWriter) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.w.Write(b)
	if err != nil {
		s.err = cmp.Or(s.err, err)
		s.failed()
	}
	return n, err
}

// failure returns the first error of w.
func (s *sharedWriter) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
