// Package reverse measures reverse CoA: requests from a UDP server to very many NASes, each
// behind a RadSec connection of its own, beside the traffic of other clients; and what a NAS
// that does not answer costs the requests up its own connection.
package reverse

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"radsec-gw/bench/answer"
	"radsec-gw/bench/faults"
	"radsec-gw/bench/load"
	"radsec-gw/bench/packets"
	"radsec-gw/bench/process"
)

// Size is how much is tried, and for how long.
type Size struct {
	NASes  int           // connections, each of a NAS of its own
	Rate   float64       // CoA-Requests a second
	Mixed  float64       // requests a second of the other clients beside silent NASes
	Phase  time.Duration // with and without CoA
	Rounds int           // of the trial of NASes that do not answer
	Round  time.Duration
}

// Full is what the bounds hold for.
func Full() Size {
	return Size{NASes: 1000, Rate: 5000, Mixed: 5000, Phase: time.Minute, Rounds: 7, Round: 3 * time.Second}
}

// Small is a fraction of that.
func Small() Size {
	return Size{NASes: 50, Rate: 500, Mixed: 500, Phase: time.Second, Rounds: 1, Round: 500 * time.Millisecond}
}

// The bounds, at Full.
const (
	mostCPU    = 15 * time.Microsecond // of one CoA and its answer
	mostMemory = 256 << 20             // bytes resident: of 1,000 connections and the mixed load, and of 330,000 answers that are kept for duplicates
	mostP99    = 1.2                   // times that without silent NASes
)

const (
	serverSecret = "secret-of-the-answering-server"
	patience     = 5 * time.Second // of the sender
)

// Command is bench reverse.
func Command(ctx context.Context, fs *flag.FlagSet, args []string, out io.Writer) error {
	size := Full()
	small := fs.Bool("small", false, "a fraction of everything")
	gateway := fs.String("gateway", "", "path of radsec-gw; empty: it is built")
	fs.IntVar(&size.NASes, "nases", size.NASes, "NASes that are connected")
	fs.Float64Var(&size.Rate, "rate", size.Rate, "CoA-Requests a second")
	fs.Float64Var(&size.Mixed, "mixed", size.Mixed, "requests a second of other clients beside silent NASes")
	fs.DurationVar(&size.Phase, "phase", size.Phase, "how long, with and without CoA")
	fs.IntVar(&size.Rounds, "rounds", size.Rounds, "rounds with and without NASes that do not answer")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *small {
		size = Small()
	}
	dir, err := os.MkdirTemp("", "reverse-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	env, err := faults.NewEnv(ctx, dir, *gateway, "none")
	if err != nil {
		return err
	}
	rows, err := Try(ctx, env, size)
	if err != nil {
		return err
	}
	if !faults.Print(out, rows) {
		return errors.New("not everything was as expected")
	}
	return nil
}

// Try measures a gateway.
func Try(ctx context.Context, env *faults.Env, size Size) (rows []faults.Row, err error) {
	if err := process.RaiseFileLimit(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	server, err := answer.Listen(answer.Config{Auth: "127.0.0.1:0", Acct: "127.0.0.1:0", Secret: []byte(serverSecret)})
	if err != nil {
		cancel()
		return nil, err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	defer func() {
		cancel()
		<-served
	}()
	b, err := start(ctx, env, size, server.AuthPort(), server.AcctPort())
	if err != nil {
		return nil, err
	}
	defer b.stop()
	client, err := env.Files.Client()
	if err != nil {
		return nil, err
	}
	rows, err = b.many(ctx, client, size)
	if err != nil {
		return nil, err
	}
	more, err := b.silent(ctx, client, size)
	return append(rows, more...), err
}

// load makes the load of the other clients: at a rate, or, if that is 0, as much as the gateway
// takes with 16 requests in flight on each connection.
func (b *bed) load(ctx context.Context, client *tls.Config, rate float64, d time.Duration, reverse *load.Reverse, measured func(end bool)) (load.Report, error) {
	mix, err := packets.ParseMix("mixed")
	if err != nil {
		return load.Report{}, err
	}
	return load.Run(ctx, load.Config{Address: b.address, TLS: client, Secret: []byte("radsec"), Connections: loadConnections, Outstanding: 16, Rate: rate, Mix: mix,
		Warmup: d / 10, Duration: d, Timeout: patience, Reverse: reverse, Measured: measured})
}

// loadConnections are the connections of the other clients.
const loadConnections = 8

// many sends CoA to very many NASes beside as much load as the gateway takes, and compares the
// gateway's CPU with what the same requests cost without CoA.
func (b *bed) many(ctx context.Context, client *tls.Config, size Size) ([]faults.Row, error) {
	nases, err := connect(ctx, b.address, client, size.NASes)
	if err != nil {
		return nil, err
	}
	defer nases.close()
	cpu, report := [2]time.Duration{}, [2]load.Report{}
	var sent *sending
	for i := range report {
		var failed error
		if i == 1 {
			if sent, err = startSending(ctx, b.dynamic, size, nasName); err != nil {
				return nil, err
			}
		}
		report[i], err = b.load(ctx, client, 0, size.Phase, nil, func(end bool) {
			now, err := b.gateway.CPU()
			failed = errors.Join(failed, err)
			if !end {
				now = -now
			}
			cpu[i] += now
			if sent != nil {
				sent.measured(end)
			}
		})
		if err = errors.Join(err, failed); err != nil {
			return nil, err
		}
	}
	sent.finish()
	memory, _, err := b.gateway.Memory()
	if err != nil {
		return nil, err
	}
	mixed := cpu[0] / time.Duration(max(1, report[0].Counted))
	each := (cpu[1] - mixed*time.Duration(report[1].Counted)) / time.Duration(max(1, sent.counted))
	lost := report[0].Lost + report[1].Lost + report[1].Bad
	return []faults.Row{
		row("CoA to many", fmt.Sprintf("%.0f/s to %d NASes, all answered", size.Rate, size.NASes), sent.String(),
			sent.answered == sent.sent && sent.bad == 0 && float64(sent.counted) > 0.9*size.Rate*size.Phase.Seconds(), false),
		row("at the right NAS", "each at the one that it names, once", fmt.Sprintf("%d at another, %d bad", nases.wrong.Load(), nases.bad.Load()), nases.wrong.Load() == 0 && nases.bad.Load() == 0, false),
		row("beside it", "nothing lost", fmt.Sprintf("%.0f/s mixed, %d lost or bad", report[1].Rate, lost), lost == 0, false),
		row("CPU of one", fmt.Sprintf("at most %v", mostCPU), fmt.Sprintf("%v; of one of the mixed load %v", each.Round(100*time.Nanosecond), mixed.Round(100*time.Nanosecond)), each <= mostCPU, true),
		row("memory", fmt.Sprintf("at most %d MB", mostMemory>>20), fmt.Sprintf("%d MB", memory>>20), memory <= mostMemory, false),
		row("latency of one", "said", fmt.Sprintf("p50 %v, p99 %v", sent.latencies.Quantile(0.5), sent.latencies.Quantile(0.99)), true, false),
	}, nil
}

// silent sends CoA down the connections of the load itself, which are answered never or late,
// in turns with none.
func (b *bed) silent(ctx context.Context, client *tls.Config, size Size) (rows []faults.Row, err error) {
	kinds := []struct {
		name    string
		reverse *load.Reverse
	}{{"none", nil}, {"silent", &load.Reverse{Silent: true}}, {"slow", &load.Reverse{Delay: time.Second}}}
	p99 := make([][]time.Duration, len(kinds))
	asked, lost := make([]uint64, len(kinds)), uint64(0)
	for range size.Rounds {
		for i, k := range kinds {
			var sent *sending
			if k.reverse != nil {
				few := size
				few.Rate = 500
				if sent, err = startSending(ctx, b.dynamic, few, func(int) string { return loadName }); err != nil {
					return nil, err
				}
			}
			report, err := b.load(ctx, client, size.Mixed, size.Round, k.reverse, nil)
			if err != nil {
				return nil, err
			}
			if sent != nil {
				sent.stop()
			}
			p99[i] = append(p99[i], report.P99)
			asked[i] += report.Asked
			lost += report.Lost + report.Bad
		}
	}
	alone := median(p99[0])
	for i, k := range kinds[1:] {
		got := median(p99[i+1])
		ratio := float64(got) / float64(alone)
		rows = append(rows, row("a "+k.name+" NAS", fmt.Sprintf("p99 at most %.1f times that without", mostP99),
			fmt.Sprintf("%v, without %v: %.2f times (%d CoA)", got, alone, ratio, asked[i+1]), ratio <= mostP99 && asked[i+1] > 0, true))
	}
	return append(rows, row("up the same connections", "nothing lost", fmt.Sprintf("%d lost or bad, %d CoA arrived", lost, asked[1]+asked[2]), lost == 0 && asked[1] > 0 && asked[2] > 0, false)), nil
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

func row(what, expected, measured string, met, loose bool) faults.Row {
	return faults.Row{Trial: "reverse", What: what, Expected: expected, Measured: measured, Met: met, Loose: loose}
}
