// Package scale measures what a scrape costs a gateway with very many clients, servers
// and routes, all of which have traffic.
package scale

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"radsec-gw/bench/answer"
	"radsec-gw/bench/faults"
	"radsec-gw/bench/process"
)

// Size is how much is configured, and how often it is read.
type Size struct {
	Clients, Servers, Routes int

	Scrapes int           // of which the costs are measured
	Pause   time.Duration // between two
}

// Full is what the bounds hold for. Eight scrapes in a row leave as much garbage as those
// every 15 s do at most: after two minutes the Go runtime collects it in any case.
func Full() Size {
	return Size{Clients: 1000, Servers: 1000, Routes: 10_000, Scrapes: 8, Pause: 250 * time.Millisecond}
}

// Small is a tenth of that.
func Small() Size {
	return Size{Clients: 100, Servers: 100, Routes: 1000, Scrapes: 8, Pause: 50 * time.Millisecond}
}

// The bounds, at Full.
const (
	mostCPU    = 400 * time.Millisecond // of one scrape
	mostBytes  = 6_000_000              // likewise, uncompressed
	mostMemory = 1.3                    // times that of a gateway without scrapes
	mostPage   = 300_000                // bytes of the status page
)

const secret = "secret-of-the-answering-server"

// Command is bench scrape.
func Command(ctx context.Context, fs *flag.FlagSet, args []string, out io.Writer) error {
	small := fs.Bool("small", false, "a tenth of each")
	scrapes, pause := fs.Int("scrapes", 0, "how many; 0: 8"), fs.Duration("pause", 0, "between two; 0: 250 ms, and 50 ms with -small")
	gateway := fs.String("gateway", "", "path of radsec-gw; empty: it is built")
	if err := fs.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "scale-")
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
	size := Full()
	if *small {
		size = Small()
	}
	size.Scrapes, size.Pause = cmp.Or(*scrapes, size.Scrapes), cmp.Or(*pause, size.Pause)
	rows, err := Try(ctx, env, size)
	if err != nil {
		return err
	}
	if !faults.Print(out, rows) {
		return errors.New("not everything was as expected")
	}
	return nil
}

// Try measures a gateway that is scraped beside one that is not, after the same traffic.
func Try(ctx context.Context, env *faults.Env, size Size) (rows []faults.Row, err error) {
	if err := process.RaiseFileLimit(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	server, err := answer.Listen(answer.Config{Auth: "127.0.0.1:0", Acct: "127.0.0.1:0", Secret: []byte(secret)})
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
	var both [2]*bed
	for i := range both {
		if both[i], err = start(ctx, env, size, 0, server.AuthPort(), server.AcctPort()); err != nil {
			return nil, err
		}
		defer both[i].stop()
	}
	for _, b := range both {
		if err := b.touch(ctx, env, size); err != nil {
			return nil, err
		}
	}
	return measure(ctx, both, size)
}

// costs are what two gateways have used.
type costs struct {
	cpu    [2]time.Duration
	memory [2]int64 // bytes
}

func costsOf(both [2]*bed) (c costs, err error) {
	for i, b := range both {
		if c.cpu[i], err = b.gateway.CPU(); err != nil {
			return c, err
		}
		if c.memory[i], _, err = b.gateway.Memory(); err != nil {
			return c, err
		}
	}
	return c, nil
}

// since returns what the first has spent more than the second since before: what a gateway
// does without scrapes is not their cost.
func (c costs) since(before costs) time.Duration {
	return c.cpu[0] - before.cpu[0] - (c.cpu[1] - before.cpu[1])
}

// measure reads the metrics of the first gateway, and compares it with the second.
func measure(ctx context.Context, both [2]*bed, size Size) ([]faults.Row, error) {
	first, err := both[0].get(ctx, "/metrics") // what it allocates once
	if err != nil {
		return nil, err
	}
	before, err := costsOf(both)
	if err != nil {
		return nil, err
	}
	largest := len(first)
	for range size.Scrapes {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(size.Pause):
		}
		text, err := both[0].get(ctx, "/metrics")
		if err != nil {
			return nil, err
		}
		largest = max(largest, len(text))
	}
	after, err := costsOf(both)
	if err != nil {
		return nil, err
	}
	page, err := both[0].get(ctx, "/")
	if err != nil {
		return nil, err
	}
	rendered, err := costsOf(both)
	if err != nil {
		return nil, err
	}
	cpu := after.since(before) / time.Duration(size.Scrapes)
	ratio := float64(after.memory[0]) / float64(after.memory[1])
	have, want := counts(first), fmt.Sprintf("%d clients, %d servers, %d routes", size.Clients, size.Servers, size.Routes)
	return []faults.Row{
		row("with traffic", want, have, have == want, false),
		row("CPU of a scrape", fmt.Sprintf("at most %v", mostCPU), cpu.Round(time.Millisecond/10).String(), cpu <= mostCPU, true),
		row("its size", fmt.Sprintf("at most %d bytes", mostBytes), fmt.Sprint(largest), largest <= mostBytes, false),
		row(fmt.Sprintf("memory after %d", size.Scrapes), fmt.Sprintf("at most %.1f times that without scrapes", mostMemory),
			fmt.Sprintf("%d MB, without %d MB: %.2f times", after.memory[0]>>20, after.memory[1]>>20, ratio), ratio <= mostMemory, true),
		row("status page", fmt.Sprintf("at most %d bytes", mostPage), fmt.Sprintf("%d bytes, %v of CPU", len(page), rendered.since(after).Round(time.Millisecond)), len(page) <= mostPage, false),
	}, nil
}

func row(what, expected, measured string, met, loose bool) faults.Row {
	return faults.Row{Trial: "scrape", What: what, Expected: expected, Measured: measured, Met: met, Loose: loose}
}

// httpClient reads pages of the gateways, over a new connection each time.
var httpClient = http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
