// Package frontdoor tries the gateway's side of TLS and DTLS with hostile peers of all kinds at
// once beside good clients, and reports what the good ones noticed.
package frontdoor

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"radsec-gw/bench/answer"
	"radsec-gw/bench/faults"
	"radsec-gw/bench/load"
	"radsec-gw/bench/packets"
	"radsec-gw/bench/peers"
	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
)

// Size is how many peers of each kind there are, and the good clients' load.
type Size struct {
	Unfinished int // handshakes that never finish
	Halves     int // half packets
	Deaf       int // peers that send and do not read
	Noisy      int // garbage after the handshake

	Hostile    int    // peers with certificates that are expensive to verify
	Handshakes int    // of these one after the other, to measure one
	FewSources int    // of silent and of half-begun connections, in one trial
	Sources    int    // likewise in another
	EachSource int    // connections of each
	Newcomers  int    // good clients that connect meanwhile
	ListenKeys string // of the gateway's configuration

	Hellos       float64 // ClientHellos of DTLS a second
	HelloSources int     // addresses that they come from

	Rate        float64 // requests a second of the good clients
	Connections int
	Phase       time.Duration // of load without and with the bad peers
	Patience    time.Duration // for memory to return: the runtime collects garbage every two minutes at least
}

// Full is what the gateway has to withstand.
func Full() Size {
	return Size{Unfinished: 200, Halves: 200, Deaf: 200, Noisy: 50,
		Hostile: 512, Handshakes: 300, FewSources: 2, Sources: 20, EachSource: 300, Newcomers: 20, Hellos: 10_000, HelloSources: 10_000, Rate: 1000, Connections: 16, Phase: 30 * time.Second, Patience: 4 * time.Minute}
}

// Small is a few of each.
func Small() Size {
	return Size{Unfinished: 10, Halves: 10, Deaf: 10, Noisy: 5,
		Hostile: 20, Handshakes: 40, FewSources: 2, Sources: 20, EachSource: 20, Newcomers: 5, ListenKeys: "max_handshakes = 32\n", Hellos: 2000, HelloSources: 1000, Rate: 200, Connections: 4, Phase: 2 * time.Second, Patience: 20 * time.Second}
}

// The bounds. memorySlack is what the runtime may keep of the memory that it had.
const (
	mostSlower  = 2
	memorySlack = 16 << 20
)

// Command is bench frontdoor.
func Command(ctx context.Context, fs *flag.FlagSet, args []string, out io.Writer) error {
	small := fs.Bool("small", false, "a few peers of each kind: half a minute instead of five")
	gateway := fs.String("gateway", "", "path of radsec-gw; empty: it is built")
	size := Full()
	fs.IntVar(&size.Unfinished, "unfinished", size.Unfinished, "handshakes that never finish")
	fs.IntVar(&size.Halves, "halves", size.Halves, "half packets")
	fs.IntVar(&size.Deaf, "deaf", size.Deaf, "peers that send and do not read")
	fs.IntVar(&size.Noisy, "noisy", size.Noisy, "peers that send garbage after the handshake")
	fs.IntVar(&size.Hostile, "hostile", size.Hostile, "peers with expensive certificates")
	fs.IntVar(&size.Handshakes, "handshakes", size.Handshakes, "handshakes one after the other, to measure what one costs")
	fs.IntVar(&size.EachSource, "each", size.EachSource, "silent or half-begun connections of each source")
	only := fs.Bool("flood", false, "the flood of ClientHellos alone: a minute")
	fs.Float64Var(&size.Hellos, "hellos", size.Hellos, "ClientHellos of DTLS a second")
	fs.IntVar(&size.HelloSources, "sources", size.HelloSources, "addresses that they come from, 1 to 60,000")
	fs.DurationVar(&size.Phase, "phase", size.Phase, "how long the good clients are measured, alone and beside the bad")
	if err := fs.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "frontdoor-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bench, err := os.Executable()
	if err != nil {
		return err
	}
	env, err := faults.NewEnv(ctx, dir, *gateway, bench)
	if err != nil {
		return err
	}
	if size.HelloSources < 1 || size.HelloSources > 60_000 {
		return fmt.Errorf("-sources: expected 1 to 60,000, got %d", size.HelloSources)
	}
	if *small {
		size = Small()
	}
	if *only {
		rows, err := withGateway(ctx, env, size, flood)
		return printed(out, rows, err)
	}
	rows, err := Try(ctx, env, size)
	return printed(out, rows, err)
}

// printed prints rows, and returns an error if not all is as expected.
func printed(out io.Writer, rows []faults.Row, err error) error {
	if err != nil {
		return err
	}
	if !faults.Print(out, rows) {
		return errors.New("not everything was as expected")
	}
	return nil
}

// Try tries everything, each with a gateway of its own: the peers of all
// kinds, those with expensive certificates, those that are silent or do not go on,
// and a flood of ClientHellos over UDP.
func Try(ctx context.Context, env *faults.Env, size Size) (rows []faults.Row, err error) {
	for _, trial := range []func(context.Context, *faults.Env, Size, string, *process.Process) ([]faults.Row, error){phases, hostile, newcomers, flood} {
		more, err := withGateway(ctx, env, size, trial)
		if err != nil {
			return rows, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// withGateway runs a trial with a gateway and an answering server.
func withGateway(ctx context.Context, env *faults.Env, size Size, trial func(context.Context, *faults.Env, Size, string, *process.Process) ([]faults.Row, error)) ([]faults.Row, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	set := peers.Setup{Dir: env.Dir, Files: env.Files, Bench: env.Bench, Gateway: env.Gateway, Secret: "secret-of-the-answering-server", ListenKeys: size.ListenKeys, DTLS: true}
	server, err := answer.Listen(answer.Config{Auth: "127.0.0.1:0", Acct: "127.0.0.1:0", Secret: []byte(set.Secret)})
	if err != nil {
		return nil, err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	defer func() {
		cancel()
		<-served
	}()
	set.Auth, set.Acct = server.AuthPort(), server.AcctPort()
	if set.Listen, err = ports.Address(); err != nil {
		return nil, err
	}
	gateway, err := peers.Gateway.Start(set)
	if err != nil {
		return nil, err
	}
	defer gateway.Stop(2 * time.Second)
	err = gateway.Until(ctx, "listening", func() bool { return peers.Listening(set.Listen) })
	if err != nil {
		return nil, err
	}
	rows, err := trial(ctx, env, size, set.Listen, gateway)
	if ended := gateway.Alive(); ended != nil {
		return nil, ended
	}
	return rows, err
}

// good is the load of the good clients. It is made by a process of its own, if
// this command can be started again: otherwise the hostile peers would delay the good ones
// within this process.
func (s Size) good(ctx context.Context, env *faults.Env, address string, dtls bool) (r load.Report, err error) {
	cfg := load.Config{Address: address, DTLS: dtls, TLS: env.Client, Secret: []byte("radsec"), Connections: s.Connections, Rate: s.Rate,
		Mix: packets.Mix{packets.PAP}, Warmup: time.Second, Duration: s.Phase, Timeout: 5 * time.Second}
	if dtls {
		cfg.Secret = []byte("radius/dtls")
	}
	if env.Bench == "" {
		return load.Run(ctx, cfg)
	}
	out, err := exec.CommandContext(ctx, env.Bench, "load", "-address", address, "-certs", filepath.Dir(env.Files.CA), "-dtls="+strconv.FormatBool(dtls), "-json", "-mix", "pap",
		"-connections", fmt.Sprint(cfg.Connections), "-rate", fmt.Sprint(cfg.Rate),
		"-warmup", cfg.Warmup.String(), "-duration", cfg.Duration.String(), "-timeout", cfg.Timeout.String()).Output()
	if err != nil {
		return r, fmt.Errorf("the good clients' load: %w", err)
	}
	return r, json.Unmarshal(out, &r)
}

func row(what, expected, measured string, met, loose bool) faults.Row {
	return faults.Row{Trial: "front door", What: what, Expected: expected, Measured: measured, Met: met, Loose: loose}
}

// compared is the rows of good clients alone and beside bad ones.
func compared(alone, beside load.Report, bad string) []faults.Row {
	found := func(r load.Report) (string, bool) {
		return fmt.Sprintf("p99 %v, %d lost, %d bad of %d", r.P99, r.Lost, r.Bad, r.Sent), r.Lost+r.Bad == 0 && r.Broken == 0
	}
	aloneText, aloneMet := found(alone)
	besideText, besideMet := found(beside)
	return []faults.Row{
		row("good clients alone", "none lost or bad", aloneText, aloneMet, false),
		row("good clients beside "+bad, "none lost or bad", besideText, besideMet, false),
		row("their p99", fmt.Sprintf("at most %d times that alone", mostSlower), fmt.Sprintf("%.1f times", float64(beside.P99)/float64(alone.P99)), beside.P99 <= mostSlower*alone.P99, true),
	}
}

// phases measures good clients alone, then beside the bad ones, and then whether
// the gateway's memory returns.
func phases(ctx context.Context, env *faults.Env, size Size, address string, gateway *process.Process) ([]faults.Row, error) {
	alone, err := size.good(ctx, env, address, false)
	if err != nil {
		return nil, err
	}
	before, _, err := gateway.Memory()
	if err != nil {
		return nil, err
	}
	bad := newCrowd(ctx, address, env.Client, size.kinds()...)
	bad.start()
	err = gateway.Until(ctx, "connected to all hostile peers", bad.allConnected)
	if err != nil {
		bad.stop()
		return nil, err
	}
	beside, err := size.good(ctx, env, address, false)
	during, highest, memoryErr := gateway.Memory()
	bad.stop()
	if err = errors.Join(err, memoryErr); err != nil {
		return nil, err
	}
	after, err := settled(ctx, gateway, before+memorySlack, size.Patience)
	if err != nil {
		return nil, err
	}
	return append(compared(alone, beside, "the bad"),
		row("memory", fmt.Sprintf("returns to within %d MB", memorySlack>>20), fmt.Sprintf("%d MB before, %d beside the bad (at most %d), %d after", before>>20, during>>20, highest>>20, after>>20), after <= before+memorySlack, true),
		row("bad connections", "all kinds disconnected or waiting", bad.String(), bad.allConnected(), false)), nil
}

// settled waits until the gateway's memory is below, and returns what it is.
func settled(ctx context.Context, gateway *process.Process, below int64, patience time.Duration) (now int64, err error) {
	deadline := time.After(patience)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if now, _, err = gateway.Memory(); err != nil || now <= below {
			return now, err
		}
		select {
		case <-tick.C:
		case <-deadline:
			return now, nil
		case <-ctx.Done():
			return now, ctx.Err()
		}
	}
}
