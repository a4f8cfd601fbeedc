package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"radsec-gw/logs"
)

// runServe is the gateway: it runs until SIGINT or SIGTERM has drained it.
func runServe(args []string, stdout, stderr io.Writer) int {
	// Never touched, so it takes no memory; but the collector counts it, and so
	// waits for 32 MB of garbage at the least. The live heap of a gateway with few
	// connections is some megabytes: without this, handshakes would have it
	// collected every hundred connections.
	ballast := make([]byte, 16<<20)
	defer runtime.KeepAlive(ballast)
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(stderr)
	path := flags.String("config", "", "the configuration `FILE`; config.example.toml explains it")
	if err := flags.Parse(args); err != nil {
		return exitUsage(err)
	}
	if *path == "" || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "radsec-gw serve: expected -config FILE and nothing else")
		return 2
	}
	cfg, _, err := readConfig(*path) // startGateway looks into the files once more
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	lines := logs.New(stderr, logConfig(&cfg.Log))
	defer lines.Close()
	logs.SurviveBrokenPipe()
	stdlog.SetOutput(lines.Std("a library reports an error", nil).Writer())
	stdlog.SetFlags(0)
	defer lines.ObeySignals()()
	log := slog.New(lines)
	for _, w := range cfg.Warnings() {
		log.Warn(w)
	}
	signals := make(chan os.Signal, 8) // before the start: none is to kill a gateway half made
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	given, err := inheritedListeners()
	if err != nil {
		log.Error("cannot start", "error", err)
		return 1
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	gw, err := startGateway(ctx, cfg, log, given...)
	if err != nil {
		log.Error("cannot start", "error", err)
		return 1
	}
	if err := supervise(gw, signals, stop, newSystemd(log)); err != nil {
		log.Error("stopped", "error", err)
		return 1
	}
	log.Info("stopped")
	return 0
}

// supervise carries out what signals ask for until the gateway has ended:
// SIGHUP reloads; SIGINT or SIGTERM drains, and a second one ends at once.
func supervise(gw *gateway, signals <-chan os.Signal, stop func(), sd *systemd) error {
	ended := make(chan error, 1)
	go func() { ended <- gw.Wait() }()
	sd.ready()
	watchdog := sd.watchdog()
	defer watchdog.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-watchdog.C:
			sd.alive()
		case sig := <-signals:
			switch {
			case sig == syscall.SIGHUP && gw.Draining(): // too late for a reload
			case sig == syscall.SIGHUP:
				sd.reloading()
				_ = gw.Reload() // logged and counted
				sd.ready()
			case gw.Draining():
				stop()
			default:
				sd.stopping()
				gw.Drain()
			}
		}
	}
}

// exitUsage is the exit status for what flag.Parse returned: asking for help is no mistake.
func exitUsage(err error) int {
	if err == flag.ErrHelp {
		return 0
	}
	return 2
}
