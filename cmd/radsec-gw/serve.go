package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"radsec-gw/cli"
	"radsec-gw/gateway"
	"radsec-gw/logs"
	"radsec-gw/service"
)

// serveCommand describes radsec-gw serve.
func serveCommand(p *cli.Program) *cli.Command {
	c := cli.New("serve", "run the gateway")
	c.Details = `Runs until SIGTERM or SIGINT: then /readyz turns to 503, no connection is accepted, requests in flight are finished (drain_timeout), and the exit status is 0. A second such signal ends it at once.

SIGHUP reads the configuration again; one with mistakes is refused, and the old one stays. SIGUSR1 has the log say one level more, such as debug where it said info; SIGUSR2 ends that.

The log goes to standard error. Where that is systemd's journal, each line has its priority, so that "journalctl -p warning" selects by it. The configuration is explained in radsec-gw.toml(5).`
	c.Exit = []cli.Entry{
		{Name: "0", Text: "It was ended by a signal."},
		{Name: "1", Text: "A failure that may be temporary, such as a port in use."},
		{Name: "2", Text: "Usage error."},
		{Name: "78", Text: "A mistake in the configuration or in a file that it names, or GODEBUG forbids MD5: starting again does not help."},
	}
	c.Examples = []cli.Example{
		{Text: "With the configuration in the current directory, or that of the system", Line: "radsec-gw serve"},
		{Text: "With another one", Line: "radsec-gw serve -config /etc/radsec-gw/radsec-gw.toml"},
	}
	path := configFlag(c)
	c.Run = func(_ []string, _, stderr io.Writer) int {
		// The ballast is never touched, so that it takes no memory, but the garbage collector
		// counts it as live, and so lets the heap grow by at least as much before it
		// collects. The live heap of a gateway with few connections is a few megabytes:
		// without the ballast, handshakes would have it collected every hundred connections.
		ballast := make([]byte, 16<<20)
		defer runtime.KeepAlive(ballast)
		file, err := configPath(*path)
		if err != nil {
			fmt.Fprintf(stderr, "radsec-gw serve: %v\n", err)
			return exitConfig
		}
		return serve(file, stderr)
	}
	return c
}

// Exit statuses of serve, beside 0 for a drained gateway and 2 for a usage error.
const (
	// exitFailed is for a failure that may be temporary, such as a port in use: systemd
	// starts the gateway again.
	exitFailed = 1
	// exitConfig is for a mistake in the configuration or in a file that it names:
	// EX_CONFIG of sysexits(3). Starting again would not help; the systemd unit has it
	// in RestartPreventExitStatus=.
	exitConfig = 78
)

// serve runs the gateway until it ends, and returns the exit status.
func serve(path string, stderr io.Writer) int {
	journal := logs.IsJournal(stderr, os.Getenv("JOURNAL_STREAM"))
	p, err := gateway.Load(context.Background(), path)
	if err != nil {
		status := exitConfig
		if errors.As(err, new(gateway.BlockedError)) {
			status = exitFailed
		}
		defer exitAnyway(status)() // before there is a log, which never waits for long
		text := err.Error() + "\n"
		if journal {
			text = logs.WithPriorities(text)
		}
		io.WriteString(stderr, text)
		return status
	}
	cfg := p.LogConfig()
	cfg.Journal = journal
	lines := logs.New(stderr, cfg)
	defer lines.Close()
	logs.SurviveBrokenPipe()
	stdlog.SetOutput(lines.Std("a library reports an error", nil).Writer())
	stdlog.SetFlags(0)
	defer lines.ObeySignals()()
	log := slog.New(lines)
	for _, w := range p.Config.Warnings() {
		log.Warn(w)
	}
	signals := make(chan os.Signal, 8) // before the start: a signal must not kill a half-started gateway
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	listeners, err := service.Listeners()
	if err != nil {
		log.Error("cannot start", "error", err)
		return exitFailed
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	v, commit := build()
	gw, err := gateway.Start(ctx, p, gateway.Options{Log: log, Listeners: listeners, Version: v, Commit: commit})
	if err != nil {
		log.Error("cannot start", "error", err)
		if errors.As(err, new(gateway.ConfigurationError)) {
			return exitConfig
		}
		return exitFailed
	}
	if err := service.Supervise(gw, signals, stop, log); err != nil {
		log.Error("stopped", "error", err)
		return exitFailed
	}
	log.Info("stopped")
	return 0
}

// exitAnyway ends the process after service.EndTimeout, even if something hangs, such as writing
// to a standard error that is not read. The returned function stops the timer.
func exitAnyway(status int) (stop func() bool) {
	return time.AfterFunc(service.EndTimeout, func() { os.Exit(status) }).Stop
}
