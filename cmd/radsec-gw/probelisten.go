package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"

	"radsec-gw/cli"
	"radsec-gw/probe"
)

// listenFlags are the flags of radsec-gw probe for requests of the gateway.
type listenFlags struct {
	duration time.Duration
	probe.ListenOptions
}

// register adds the flags to the command.
func (l *listenFlags) register(c *cli.Command) {
	c.Flags.DurationVar(&l.duration, "listen", 0, "play the NAS for this `DURATION`, or until it is interrupted: answer the CoA-Requests and Disconnect-Requests of the gateway")
	c.Flags.StringVar((*string)(&l.Answer.Kind), "answer", string(probe.ACK), "with -listen, the `ANSWER` to a request: ack, nak, none")
	c.Flags.Func("error-cause", fmt.Sprintf("with -answer nak, the `NUMBER` for Error-Cause (default %d)", probe.DefaultErrorCause), func(s string) error {
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil || n == 0 {
			return fmt.Errorf("expected a number from 1 to %d", uint32(math.MaxUint32))
		}
		l.Answer.ErrorCause = uint32(n)
		return nil
	})
	c.Flags.DurationVar(&l.Answer.Delay, "delay", 0, "with -listen, the `DURATION` between a request and its answer; other requests do not wait")
	c.Flags.BoolVar(&l.Answer.Twice, "twice", false, "with -listen, send each answer twice, the same octets")
	c.Flags.StringVar((*string)(&l.Answer.Wrong), "wrong", "", "with -listen, the `FIELD` that is wrong in answers: code (that of the other kind), authenticator (not in RADIUS/1.1), identifier (or Token, of no request)")
	c.Flags.IntVar(&l.Count, "count", 0, "with -listen, end after `COUNT` requests; fewer are a failure (default: no limit)")
	c.Values["answer"] = []string{string(probe.ACK), string(probe.NAK), string(probe.None)}
	c.Values["wrong"] = []string{string(probe.WrongCode), string(probe.WrongAuthenticator), string(probe.WrongIdentifier)}
}

// check returns an error if the flags do not go together, or not with the others.
func (l *listenFlags) check(o *probeFlags) error {
	has := func(name string) bool { return slices.Contains(o.given, name) }
	if !has("listen") {
		for _, name := range []string{"answer", "error-cause", "delay", "twice", "wrong", "count"} {
			if has(name) {
				return fmt.Errorf("-%s goes with -listen only", name)
			}
		}
		return nil
	}
	switch {
	case l.duration <= 0:
		return fmt.Errorf("-listen: expected a duration above 0, such as 1m, got %v", l.duration)
	case o.udp || o.server != "":
		return errors.New("-listen needs a RadSec connection: it does not go with -udp and -server")
	case o.Kind == probe.CoA || o.Kind == probe.Disconnect:
		return fmt.Errorf("-listen plays the NAS, which does not send %s: it goes with access, accounting and status", o.Kind)
	case l.Answer.Wrong == probe.WrongAuthenticator && o.Version == "1.1":
		return errors.New("-wrong authenticator does not go with -radius-version 1.1, which has no authenticators")
	}
	return l.Check()
}

// runListen sends the request over RadSec, and then answers requests of the gateway.
func (o *probeFlags) runListen(stdout io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	conn, _, err := probe.Open(ctx, o.Config, stdout)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.listen.duration)
	defer cancel()
	return conn.Listen(ctx, o.listen.ListenOptions)
}
