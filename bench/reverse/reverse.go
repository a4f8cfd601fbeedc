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
	Steady float64       // and beside the CoA whose CPU is measured
	Phase  time.Duration // of all that the gateway takes, without CoA and with it
	Rounds int           // of the trial of NASes that do not answer
	Round  time.Duration
}

// Full is what the bounds hold for.
func Full() Size {
	return Size{NASes: 1000, Rate: 5000, Mixed: 5000, Steady: 10000, Phase: time.Minute, Rounds: 7, Round: 3 * time.Second}
}

// Small is a fraction of that.
func Small() Size {
	return Size{NASes: 50, Rate: 500, Mixed: 500, Steady: 1000, Phase: time.Second, Rounds: 1, Round: 500 * time.Millisecond}
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
	fs.Float64Var(&size.Steady, "steady", size.Steady, "requests a second of other clients beside the CoA whose CPU is measured")
	fs.DurationVar(&size.Phase, "phase", size.Phase, "how long all that the gateway takes is sent, without CoA and with it")
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

// many sends CoA to very many NASes: beside as much load as the gateway takes, then beside a
// steady load, where the CPU of one is measured.
func (b *bed) many(ctx context.Context, client *tls.Config, size Size) ([]faults.Row, error) {
	nases, err := connect(ctx, b.address, client, size.NASes)
	if err != nil {
		return nil, err
	}
	defer nases.close()
	alone, err := b.spend(ctx, client, size, 0, size.Phase, false)
	if err != nil {
		return nil, err
	}
	full, err := b.spend(ctx, client, size, 0, size.Phase, true)
	if err != nil {
		return nil, err
	}
	memory, _, err := b.gateway.Memory()
	if err != nil {
		return nil, err
	}
	each, err := b.cost(ctx, client, size)
	if err != nil {
		return nil, err
	}
	sent, lost := full.sent, alone.report.Lost+full.report.Lost+full.report.Bad
	mixed := alone.cpu / time.Duration(max(1, alone.report.Counted))
	atMost := (full.cpu - mixed*time.Duration(full.report.Counted)) / time.Duration(max(1, sent.counted))
	return []faults.Row{
		row("CoA to many", fmt.Sprintf("%.0f/s to %d NASes, all answered", size.Rate, size.NASes), sent.String(),
			sent.answered == sent.sent && sent.bad == 0 && float64(sent.counted) > 0.9*size.Rate*size.Phase.Seconds(), false),
		row("at the right NAS", "each at the one that it names, once", fmt.Sprintf("%d at another, %d bad", nases.wrong.Load(), nases.bad.Load()), nases.wrong.Load() == 0 && nases.bad.Load() == 0, false),
		row("beside it", "nothing lost", fmt.Sprintf("%.0f/s mixed, %d lost or bad", full.report.Rate, lost), lost == 0, false),
		row("CPU of one", fmt.Sprintf("at most %v", mostCPU), each.String(), each.median <= mostCPU, true),
		row("CPU of one, full", "said", fmt.Sprintf("%v beside all that the gateway takes; of one of the mixed load %v", atMost.Round(100*time.Nanosecond), mixed.Round(100*time.Nanosecond)), true, false),
		row("memory", fmt.Sprintf("at most %d MB", mostMemory>>20), fmt.Sprintf("%d MB", memory>>20), memory <= mostMemory, false),
		row("latency of one", "said", fmt.Sprintf("p50 %v, p99 %v", sent.latencies.Quantile(0.5), sent.latencies.Quantile(0.99)), true, false),
	}, nil
}

// phase is what a time of load has taken of the gateway's CPU.
type phase struct {
	cpu    time.Duration
	report load.Report
	sent   *sending // nil: no CoA
}

// spend makes load, at a rate or, if that is 0, as much as the gateway takes, with CoA beside
// it or without.
func (b *bed) spend(ctx context.Context, client *tls.Config, size Size, rate float64, d time.Duration, coa bool) (p phase, err error) {
	if coa {
		if p.sent, err = startSending(ctx, b.dynamic, size, nasName); err != nil {
			return p, err
		}
		defer p.sent.finish()
	}
	var failed error
	p.report, err = b.load(ctx, client, rate, d, nil, func(end bool) {
		now, err := b.gateway.CPU()
		failed = errors.Join(failed, err)
		if !end {
			now = -now
		}
		p.cpu += now
		if p.sent != nil {
			p.sent.measured(end)
		}
	})
	return p, errors.Join(err, failed)
}

// cost is the CPU of one CoA and its answer, of several rounds.
type cost struct {
	least, median, most time.Duration
	mixed               time.Duration // of one request of the steady load
}

func (c cost) String() string {
	return fmt.Sprintf("%v (%v to %v); of one of the steady load %v", c.median.Round(100*time.Nanosecond),
		c.least.Round(100*time.Nanosecond), c.most.Round(100*time.Nanosecond), c.mixed.Round(100*time.Nanosecond))
}

// cost measures the CPU of one CoA: what the gateway takes beside a steady load, less what it
// takes for that load alone. Beside all that the gateway takes the figure is the small difference
// of two that are ten times as large, of different loads: it is said, and has no bound.
func (b *bed) cost(ctx context.Context, client *tls.Config, size Size) (c cost, err error) {
	var list, mixed []time.Duration
	for range size.Rounds {
		alone, err := b.spend(ctx, client, size, size.Steady, size.Round, false)
		if err != nil {
			return c, err
		}
		both, err := b.spend(ctx, client, size, size.Steady, size.Round, true)
		if err != nil {
			return c, err
		}
		list = append(list, (both.cpu-alone.cpu)/time.Duration(max(1, both.sent.counted)))
		mixed = append(mixed, alone.cpu/time.Duration(max(1, alone.report.Counted)))
	}
	c.median, c.mixed = median(list), median(mixed)
	c.least, c.most = list[0], list[len(list)-1]
	return c, nil
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
