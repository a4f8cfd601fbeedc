package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os/signal"
	"syscall"

	"radsec-gw/audit"
	"radsec-gw/config"
)

// runTap prints the packets that pass a running gateway, until it is interrupted or the
// gateway stops.
func runTap(args []string, stdout, stderr io.Writer) int {
	var path string
	var filter audit.Filter
	flags := flag.NewFlagSet("radsec-gw tap", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&path, "socket", config.DefaultTapSocket, "the gateway's `PATH` of [tap].socket")
	flags.StringVar(&filter.Client, "client", "", "only this client, by its `NAME` in the configuration")
	flags.StringVar(&filter.Realm, "realm", "", "only requests that are routed by this `REALM`")
	flags.StringVar(&filter.User, "user", "", "only this `USER`, by the whole User-Name")
	flags.Usage = func() {
		fmt.Fprint(stderr, "radsec-gw tap prints the packets that pass a running gateway, decoded, hidden values masked.\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return exitUsage(err)
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "radsec-gw tap: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := tapInto(ctx, stdout, path, filter); err != nil {
		fmt.Fprintf(stderr, "radsec-gw tap: %v\n", err)
		return 1
	}
	return 0
}

// tapInto copies what the gateway shows to out until ctx is done, and then returns nil. It
// is an error if the gateway ends the tap first.
func tapInto(ctx context.Context, out io.Writer, path string, filter audit.Filter) error {
	c, err := net.Dial("unix", path)
	if err != nil {
		return fmt.Errorf("cannot connect to the gateway: %w; is it running, is this its [tap].socket, and are you root or its user?", err)
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if err := json.NewEncoder(c).Encode(filter); err != nil {
		return err
	}
	_, err = io.Copy(out, c)
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(err, errors.New("the gateway has ended the tap"))
}
