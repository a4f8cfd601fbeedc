package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/signal"
	"syscall"

	"radsec-gw/audit"
	"radsec-gw/cli"
	"radsec-gw/config"
)

// tapCommand describes radsec-gw tap.
func tapCommand() *cli.Command {
	c := cli.New("tap", "print the packets that pass a running gateway")
	c.Details = `Prints packets decoded, hidden values masked, until it is interrupted or the gateway stops. It must run as root or as the gateway's user. Of several filters all must match. A packet that the terminal is too slow for is left out, and their number is printed.`
	c.Exit = []cli.Entry{{Name: "0", Text: "It was interrupted."}, {Name: "1", Text: "It could not connect to the gateway, or the gateway stopped."}, {Name: "2", Text: "Usage error."}}
	c.Examples = []cli.Example{
		{Text: "Everything", Line: "radsec-gw tap"},
		{Text: "The logins of one user", Line: "radsec-gw tap -user bob@example.org"},
	}
	var path string
	var filter audit.Filter
	c.Flags.StringVar(&path, "socket", config.DefaultTapSocket, "the gateway's [tap].socket, a `FILE`")
	c.Flags.StringVar(&filter.Client, "client", "", "only this client, by its `NAME` in the configuration")
	c.Flags.StringVar(&filter.Realm, "realm", "", "only requests that are routed by this `REALM`")
	c.Flags.StringVar(&filter.User, "user", "", "only this `USER`, by the whole User-Name")
	c.Run = func(_ []string, stdout, stderr io.Writer) int { return runTap(path, filter, stdout, stderr) }
	return c
}

// runTap prints the packets that pass a running gateway, until it is interrupted or the
// gateway stops.
func runTap(path string, filter audit.Filter, stdout, stderr io.Writer) int {
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
