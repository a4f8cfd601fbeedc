// Command bench measures RadSec relays on one machine: a load generator, a
// fast UDP answering server, the least a relay can do, and their comparison.
// All traffic stays on 127.0.0.0/8.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"radsec-gw/bench/answer"
	"radsec-gw/bench/compare"
	"radsec-gw/bench/faults"
	"radsec-gw/bench/faulty"
	"radsec-gw/bench/floor"
	"radsec-gw/bench/frontdoor"
	"radsec-gw/bench/load"
	"radsec-gw/bench/material"
	"radsec-gw/bench/packets"
	"radsec-gw/bench/reverse"
	"radsec-gw/bench/scale"
	"radsec-gw/bench/spool"
)

const usage = `usage: bench COMMAND [flags]; bench COMMAND -h lists its flags

  certs    make certificates for a measurement in a directory
  answer   answer RADIUS over UDP, fast
  floor    relay RadSec to UDP, checking and rewriting nothing
  load     make RadSec load and report rate, latencies, lost and bad
  compare  measure the gateway, radsecproxy and the bare relay, interleaved
  faulty   answer RADIUS over UDP, and lose, delay, double, corrupt, stall or die on command
  faults   try the gateway with servers that fail, and report what was expected, measured and met
  frontdoor  try the gateway with hostile peers beside good ones, and report the same
  scrape   measure what a scrape of a gateway with very many clients, servers and routes costs
  callers  measure memory and waiting beside many idle, looping and silent callers of the HTTP side
  reverse  send CoA to very many NASes down their connections, and report the same
  spool    store a million accounting records, send them again beside a live load, and report the same
  hostile  be peers with certificates that are expensive to verify
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	commands := map[string]func(context.Context, *flag.FlagSet, []string, io.Writer) error{
		"certs": runCerts, "answer": runAnswer, "floor": runFloor, "load": runLoad, "compare": compare.Command, "faulty": faulty.Command, "faults": faults.Command, "frontdoor": frontdoor.Command, "hostile": frontdoor.HostileCommand, "scrape": scale.Command, "callers": scale.CallersCommand, "reverse": reverse.Command, "spool": spool.Command,
	}
	switch {
	case len(args) == 0:
		fmt.Fprint(os.Stderr, usage)
		return errors.New("expected a command")
	case slices.Contains([]string{"-h", "-help", "--help"}, args[0]):
		_, err := fmt.Fprint(out, usage)
		return err
	case commands[args[0]] == nil:
		fmt.Fprint(os.Stderr, usage)
		return fmt.Errorf("expected a command, got %q", args[0])
	}
	return commands[args[0]](ctx, flag.NewFlagSet("bench "+args[0], flag.ContinueOnError), args[1:], out)
}

func runCerts(_ context.Context, fs *flag.FlagSet, args []string, out io.Writer) error {
	dir := fs.String("dir", "", "directory to write ca.pem, server.pem, server.key, client.pem and client.key into")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return errors.New("certs: expected -dir DIRECTORY")
	}
	if err := os.MkdirAll(*dir, 0o755); err != nil {
		return err
	}
	files, err := material.Write(*dir)
	if err == nil {
		fmt.Fprintln(out, "wrote", files.CA, "and the rest")
	}
	return err
}

func runAnswer(ctx context.Context, fs *flag.FlagSet, args []string, out io.Writer) error {
	auth := fs.String("auth", "127.0.0.1:1812", "IPv4 address for Access-Request; port 0: any")
	acct := fs.String("acct", "127.0.0.1:1813", "IPv4 address for Accounting-Request; port 0: any")
	secret := fs.String("secret", "radsec", "shared secret")
	delay := fs.Duration("delay", 0, "time between a request and its reply")
	drop := fs.Float64("drop", 0, "percentage of requests that get no reply")
	keys := fs.Bool("keys", false, "accept EAP with MS-MPPE keys instead of challenging")
	verify := fs.Bool("verify", false, "check the requests; wrong ones get no reply")
	if err := fs.Parse(args); err != nil {
		return err
	}
	for _, a := range []string{*auth, *acct} {
		if err := load.OnlyLoopback(a); err != nil {
			return err
		}
	}
	debug.SetGCPercent(400)
	s, err := answer.Listen(answer.Config{Auth: *auth, Acct: *acct, Secret: []byte(*secret), Delay: *delay, Drop: *drop, Keys: *keys, Verify: *verify})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "answering on %d %d\n", s.AuthPort(), s.AcctPort())
	err = s.Serve(ctx)
	fmt.Fprintf(out, "received %d, bad %d, dropped %d\n", s.Received.Load(), s.Bad.Load(), s.Dropped.Load())
	return err
}

func runFloor(ctx context.Context, fs *flag.FlagSet, args []string, _ io.Writer) error {
	listen := fs.String("listen", "127.0.0.1:2083", "address for RadSec")
	auth := fs.String("auth", "127.0.0.1:1812", "UDP server for Access-Request")
	acct := fs.String("acct", "127.0.0.1:1813", "UDP server for Accounting-Request")
	dir := fs.String("certs", "", "directory made by bench certs")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := load.OnlyLoopback(*listen); err != nil {
		return err
	}
	config, err := material.In(*dir).Server()
	if err != nil {
		return err
	}
	return floor.Serve(ctx, floor.Config{Listen: *listen, Auth: *auth, Acct: *acct, TLS: config})
}

func runLoad(ctx context.Context, fs *flag.FlagSet, args []string, out io.Writer) error {
	cfg := load.Config{}
	fs.StringVar(&cfg.Address, "address", "127.0.0.1:2083", "the relay, in 127.0.0.0/8")
	fs.BoolVar(&cfg.DTLS, "dtls", false, "RADIUS/DTLS instead of RadSec")
	secret := fs.String("secret", "", "shared secret of the RadSec side; empty: radsec, and with -dtls radius/dtls")
	fs.IntVar(&cfg.Connections, "connections", 8, "TLS connections, or DTLS sessions")
	fs.IntVar(&cfg.Outstanding, "outstanding", 16, "closed loop: requests in flight on each connection, 1 to 256")
	fs.Float64Var(&cfg.Rate, "rate", 0, "open loop: requests a second over all connections; 0: closed loop")
	mix := fs.String("mix", "mixed", "pap, eap, acct or mixed (half eap, quarter pap, quarter acct)")
	fs.DurationVar(&cfg.Warmup, "warmup", time.Second, "time not counted")
	fs.DurationVar(&cfg.Duration, "duration", 5*time.Second, "time counted")
	fs.DurationVar(&cfg.Timeout, "timeout", 5*time.Second, "a request without a reply for so long is lost")
	fs.IntVar(&cfg.SampleEvery, "verify-every", 16, "verify the signatures of every k-th reply of a connection")
	dir := fs.String("certs", "", "directory made by bench certs: ca.pem, client.pem, client.key; the server's name is radsec-server")
	asJSON := fs.Bool("json", false, "report as JSON")
	err := fs.Parse(args)
	if err != nil {
		return err
	}
	if cfg.Mix, err = packets.ParseMix(*mix); err != nil {
		return err
	}
	if cfg.TLS, err = material.In(*dir).Client(); err != nil {
		return err
	}
	cfg.Secret = []byte(cmp.Or(*secret, map[bool]string{false: "radsec", true: "radius/dtls"}[cfg.DTLS]))
	debug.SetGCPercent(400)
	r, err := load.Run(ctx, cfg)
	if err != nil {
		return err
	}
	if *asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	fmt.Fprint(out, r)
	return nil
}
