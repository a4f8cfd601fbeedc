package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"radsec-gw/dev"
	"radsec-gw/logs"
)

// runDev runs everything on this machine without a configuration file, until it is
// interrupted.
func runDev(args []string, stdout, stderr io.Writer) int {
	var o dev.Options
	flags := flag.NewFlagSet("radsec-gw dev", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.Address, "address", "127.0.0.1:2083", "`host:port` for RadSec; when it is in use, a free port")
	flags.StringVar(&o.Metrics, "metrics", "127.0.0.1:9713", "`host:port` for metrics; when it is in use, a free port")
	flags.BoolVar(&o.Once, "once", false, "end after the first request")
	flags.BoolVar(&o.Verbose, "verbose", false, "print the gateway's whole log")
	if err := flags.Parse(args); err != nil {
		return exitUsage(err)
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "radsec-gw dev: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	o.Version, o.Commit = build()
	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as with nohup
		signals = append(signals, syscall.SIGHUP) // the terminal is closed
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	logs.SurviveBrokenPipe() // dev removes its private keys also when nobody reads what it prints
	if err := dev.Run(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "radsec-gw dev: %v\n", err)
		return 1
	}
	return 0
}
