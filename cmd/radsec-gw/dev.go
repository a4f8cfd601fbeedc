package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"text/template"

	"radsec-gw/certs"
	"radsec-gw/gateway"
	"radsec-gw/logs"
	"radsec-gw/probe"
)

// devOptions are the flags of dev.
type devOptions struct {
	address string // RadSec
	metrics string
	once    bool
	verbose bool
}

// runDev runs everything on this machine without a configuration file: it makes certificates, starts a
// RADIUS server over UDP and the gateway, sends a first request through both, and serves until it is
// interrupted.
func runDev(args []string, stdout, stderr io.Writer) int {
	o := &devOptions{}
	flags := flag.NewFlagSet("radsec-gw dev", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.address, "address", "127.0.0.1:2083", "`host:port` for RadSec; when it is in use, a free port")
	flags.StringVar(&o.metrics, "metrics", "127.0.0.1:9713", "`host:port` for metrics; when it is in use, a free port")
	flags.BoolVar(&o.once, "once", false, "end after the first request")
	flags.BoolVar(&o.verbose, "verbose", false, "print the gateway's whole log")
	if err := flags.Parse(args); err != nil {
		return exitUsage(err)
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "radsec-gw dev: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := dev(ctx, o, &sharedWriter{w: stdout}, stderr); err != nil {
		fmt.Fprintf(stderr, "radsec-gw dev: %v\n", err)
		return 1
	}
	return 0
}

// dev runs everything until ctx ends or, if o.once is set, the first request is answered.
func dev(ctx context.Context, o *devOptions, out io.Writer, stderr io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "radsec-gw-dev-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if _, err := certs.WriteDir(dir, certs.DirOptions{Clients: []string{"client"}}); err != nil {
		return fmt.Errorf("development certificates: %w", err)
	}
	fmt.Fprintf(out, "certificates    %s (removed at the end)\n", dir)

	secret := rand.Text()
	server, err := probe.StartServer([]byte(secret), out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	fmt.Fprintf(out, "RADIUS server   127.0.0.1, UDP ports %d, %d, %d; user %s, password %s\n", server.AuthPort, server.AcctPort, server.CoAPort, probe.ServerUser, probe.ServerPassword)

	p, err := devPlan(ctx, o, dir, secret, server, out)
	if err != nil {
		return err
	}
	return devGateway(ctx, o, p, dir, out, stderr)
}

// devGateway runs the gateway and sends the first request through it.
func devGateway(ctx context.Context, o *devOptions, p *gateway.Plan, dir string, out, stderr io.Writer) (err error) {
	level := slog.LevelWarn
	if o.verbose {
		level = slog.LevelDebug
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := logs.New(stderr, logs.Config{Level: level})
	defer lines.Close()
	v, commit := build()
	gw, err := gateway.Start(ctx, p, gateway.Options{Log: slog.New(lines), Version: v, Commit: commit})
	if err != nil {
		return err
	}
	defer func() {
		cancel()
		err = errors.Join(err, gw.Wait())
	}()
	fmt.Fprintf(out, "gateway         RadSec on %v, metrics on http://%v/metrics\n\n", gw.Addr(), gw.MetricsAddr())

	first := devProbe(dir, gw.Addr().String())
	if _, err := probe.Run(ctx, first, out); err != nil {
		return fmt.Errorf("the first request: %w", err)
	}
	if o.once {
		return nil
	}
	printNextCommands(out, first.Address, dir, gw.MetricsAddr().String())
	<-gw.Ended()
	if ctx.Err() == nil {
		return errors.New("the gateway stopped by itself")
	}
	fmt.Fprintln(out, "\nstopping")
	return nil
}

//go:embed dev.toml
var devText string

// devConfig is the configuration of dev's gateway.
var devConfig = template.Must(template.New("dev.toml").Parse(devText))

// devPlan writes a configuration file like an operator's, and reads it as serve does: all defaults
// apply, and the user can read the file while dev runs.
func devPlan(ctx context.Context, o *devOptions, dir, secret string, server *probe.Server, out io.Writer) (*gateway.Plan, error) {
	address, err := freeAddress(o.address, out)
	if err != nil {
		return nil, err
	}
	metrics, err := freeAddress(o.metrics, out)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "radsec-gw.toml")
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	err = devConfig.Execute(f, map[string]any{"Address": address, "Metrics": metrics, "Server": server, "Secret": secret})
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "configuration   %s\n", file)
	return gateway.Load(ctx, file)
}

// freeAddress returns address if it can be listened on, else the same host with a free port.
func freeAddress(address string, out io.Writer) (string, error) {
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l.Addr().String(), l.Close()
	}
	host, _, splitErr := net.SplitHostPort(address)
	if splitErr != nil || !(errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EACCES)) {
		return "", err
	}
	l, other := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if other != nil {
		return "", errors.Join(err, other)
	}
	fmt.Fprintf(out, "%s cannot be used (%v): using %s\n", address, errors.Unwrap(errors.Unwrap(err)), l.Addr())
	return l.Addr().String(), l.Close()
}

// devProbe returns the configuration of the first request, like that of radsec-gw probe access.
func devProbe(dir, address string) probe.Config {
	return probe.Config{
		Address: address, CAFile: filepath.Join(dir, "ca.pem"),
		CertFile: filepath.Join(dir, "client.pem"), KeyFile: filepath.Join(dir, "client.key"),
		Kind: probe.Access, User: probe.ServerUser, Password: probe.ServerPassword,
	}
}

// sharedWriter lets the RADIUS server print between the lines of the transcript.
type sharedWriter struct {
	mu sync.Mutex // guards w
	w  io.Writer
}

func (s *sharedWriter) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(b)
}
