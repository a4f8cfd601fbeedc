package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"radsec-gw/gateway"
	"radsec-gw/logs"
	"radsec-gw/probe"
)

// devOptions is dev's command line.
type devOptions struct {
	address string // RadSec
	metrics string
	once    bool
	verbose bool
}

// runDev brings up everything on this machine with no file: certificates, a RADIUS server on UDP, the
// gateway; it sends a first request through both and keeps serving until it is interrupted.
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

// dev is the whole of it, until ctx ends, or the first request is answered and o.once is set.
func dev(ctx context.Context, o *devOptions, out io.Writer, stderr io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "radsec-gw-dev-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := devCertificates(dir); err != nil {
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

// devGateway runs the gateway, and sends a first request through it.
func devGateway(ctx context.Context, o *devOptions, p *gateway.Plan, dir string, out, stderr io.Writer) (err error) {
	level := slog.LevelWarn
	if o.verbose {
		level = slog.LevelDebug
	}
	ctx, cancel := context.WithCancel(ctx)
	lines := logs.New(stderr, logs.Config{Level: level})
	defer lines.Close()
	v, commit := build()
	gw, err := gateway.Start(ctx, p, gateway.Options{Log: slog.New(lines), Version: v, Commit: commit})
	if err != nil {
		cancel()
		return err
	}
	var gwErr error // written before ended is closed
	ended := make(chan struct{})
	go func() {
		gwErr = gw.Wait()
		close(ended)
	}()
	defer func() {
		cancel()
		<-ended
		err = errors.Join(err, gwErr)
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
	select {
	case <-ctx.Done():
		fmt.Fprintln(out, "\nstopping")
		return nil
	case <-ended:
		return errors.New("the gateway stopped by itself")
	}
}

// devPlan writes the configuration that an operator would, and reads it as serve does: so all
// defaults hold, and the file can be looked at while dev runs.
func devPlan(ctx context.Context, o *devOptions, dir, secret string, server *probe.Server, out io.Writer) (*gateway.Plan, error) {
	address, err := freeAddress(o.address, out)
	if err != nil {
		return nil, err
	}
	metrics, err := freeAddress(o.metrics, out)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf(`# Written by radsec-gw dev; removed when it ends.
[listen]
address     = [%q]
certificate = "server.pem"
private_key = "server.key"
client_ca   = "ca.pem"

[[client]]
name     = "dev"
networks = ["127.0.0.0/8", "::1/128"]

[[server]]
name      = "embedded"
address   = "127.0.0.1"
auth_port = %d
acct_port = %d
coa_port  = %d
secret    = %q

[[route]]
realms  = ["*", ""]
packets = ["access", "accounting", "coa", "disconnect"]
servers = ["embedded"]

[metrics]
address = %q
`, address, server.AuthPort, server.AcctPort, server.CoAPort, secret, metrics)
	file := filepath.Join(dir, "radsec-gw.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "configuration   %s\n", file)
	return gateway.Load(ctx, file)
}

// freeAddress returns address when it can be listened on, else the same host with a free port.
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
	fmt.Fprintf(out, "%s cannot be used (%v): taking %s\n", address, errors.Unwrap(errors.Unwrap(err)), l.Addr())
	return l.Addr().String(), l.Close()
}

// devProbe is the first request: what `radsec-gw probe access` with these flags would send.
func devProbe(dir, address string) probe.Config {
	return probe.Config{
		Address: address, CAFile: filepath.Join(dir, "ca.pem"),
		CertFile: filepath.Join(dir, "client.pem"), KeyFile: filepath.Join(dir, "client.key"),
		Kind: probe.Access, User: probe.ServerUser, Password: probe.ServerPassword,
	}
}

// printNextCommands prints commands that work when pasted into another terminal.
func printNextCommands(out io.Writer, address, dir, metrics string) {
	tls := fmt.Sprintf("-address %s -certs %s", address, shellQuote(dir))
	command := thisCommand()
	fmt.Fprint(out, "\nServing until ctrl-C. To try next, in another terminal in the same folder:\n\n")
	for _, c := range []struct{ what, kind, flags string }{
		{"the same request again", "access", "-user bob -password hello"},
		{"CHAP instead of PAP", "access", "-user bob -password hello -chap"},
		{"a wrong password: rejected, exit status 1", "access", "-user bob -password wrong"},
		{"is the gateway alive? (a health check would add -quiet)", "status", ""},
		{"accounting", "accounting", "-user bob -status-type start"},
		{"a change of authorization", "coa", "-user bob -attr Session-Timeout=60"},
		{"end the session of a user who has none: refused, exit status 1", "disconnect", "-user alice"},
	} {
		fmt.Fprintf(out, "# %s\n%s\n\n", c.what, strings.TrimSpace(fmt.Sprintf("%s probe %s %s %s", command, c.kind, tls, c.flags)))
	}
	fmt.Fprintf(out, "# what became of every packet\ncurl -s http://%s/metrics | grep '^radsec_gw_requests_total' | grep -v ' 0$'\n\n", metrics)
}

// thisCommand is how this program was started: go run leaves no program behind that could be named.
func thisCommand() string {
	if program, err := os.Executable(); err != nil || strings.Contains(program, string(filepath.Separator)+"go-build") {
		return "go run ./cmd/radsec-gw"
	}
	return shellQuote(os.Args[0])
}

// shellQuote quotes s for a shell where it must be.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+=:@%", r)
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
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
