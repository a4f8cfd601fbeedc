package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"radsec-gw/cli"
	"radsec-gw/dev"
	"radsec-gw/logs"
)

// devCommand describes radsec-gw dev.
func devCommand() *cli.Command {
	c := cli.New("dev", "run everything on this machine, without a configuration: certificates, a RADIUS server, the gateway")
	c.Details = `Makes certificates in a temporary directory, starts a RADIUS server with one user and a gateway in front of it, sends a first request through both, and then a Disconnect-Request the other way: from the server down the connection of a NAS, as reverse CoA does. It prints all that, and commands to try next. It runs until it is interrupted, and then removes what it made.`
	c.Exit = []cli.Entry{{Name: "0", Text: "It was interrupted, or with -once: the request was accepted, and the Disconnect-Request acknowledged."}, {Name: "1", Text: "Failure."}, {Name: "2", Text: "Usage error."}}
	c.Examples = []cli.Example{
		{Text: "A gateway to try things with, until you interrupt it", Line: "radsec-gw dev"},
		{Text: "Does it work on this machine?", Line: "radsec-gw dev -once"},
	}
	var o dev.Options
	c.Flags.StringVar(&o.Address, "address", "127.0.0.1:2083", "`HOST:PORT` for RadSec; when it is in use, a free port")
	c.Flags.StringVar(&o.Metrics, "metrics", "127.0.0.1:9713", "`HOST:PORT` for metrics; when it is in use, a free port")
	c.Flags.BoolVar(&o.Once, "once", false, "end after the first request and the Disconnect-Request")
	c.Flags.BoolVar(&o.Verbose, "verbose", false, "print the gateway's whole log")
	c.Run = func(_ []string, stdout, stderr io.Writer) int { return runDev(o, stdout, stderr) }
	return c
}

// runDev runs everything on this machine without a configuration file, until it is
// interrupted.
func runDev(o dev.Options, stdout, stderr io.Writer) int {
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
