// Package spool measures the accounting spool: how fast it acknowledges, what a million records
// cost, and what their replay costs the requests beside it.
package spool

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"radsec-gw/bench/answer"
	"radsec-gw/bench/faults"
	"radsec-gw/bench/process"
)

// Size is how much is tried, and for how long.
type Size struct {
	Records int           // in the spool
	Rate    int           // records a second that are sent again
	Live    float64       // requests a second beside that
	Rounds  int           // each without replay and with it
	Round   time.Duration // of one
}

// Full is what the bounds hold for.
func Full() Size {
	return Size{Records: 1_000_000, Rate: 1000, Live: 5000, Rounds: 7, Round: 5 * time.Second}
}

// Small is a fraction of that.
func Small() Size {
	return Size{Records: 5000, Rate: 200, Live: 200, Rounds: 1, Round: time.Second}
}

// The bounds, at Full.
const (
	leastStored = 20_000    // records a second that are acknowledged
	mostMemory  = 300 << 20 // bytes that are not the pages of the file: of a million records, and of the live load
	mostP99     = 1.2       // times that without replay
	rateSlack   = 0.05      // of the rate of replay
)

const serverSecret = "secret-of-the-answering-server"

// Command is bench spool.
func Command(ctx context.Context, fs *flag.FlagSet, args []string, out io.Writer) error {
	size := Full()
	small := fs.Bool("small", false, "a fraction of everything")
	gateway := fs.String("gateway", "", "path of radsec-gw; empty: it is built")
	dir := fs.String("dir", "", "directory for the spool, on the disk that is to be measured; empty: a temporary one")
	fs.IntVar(&size.Records, "records", size.Records, "records in the spool")
	fs.IntVar(&size.Rate, "rate", size.Rate, "records a second that are sent again")
	fs.Float64Var(&size.Live, "live", size.Live, "requests a second beside that")
	fs.IntVar(&size.Rounds, "rounds", size.Rounds, "rounds without replay and with it")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *small {
		size = Small()
	}
	work, err := os.MkdirTemp(*dir, "spool-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	env, err := faults.NewEnv(ctx, work, *gateway, "none")
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

// Try measures a spool.
func Try(ctx context.Context, env *faults.Env, size Size) (rows []faults.Row, err error) {
	if err := process.RaiseFileLimit(); err != nil {
		return nil, err
	}
	full, empty := filepath.Join(env.Dir, "full"), filepath.Join(env.Dir, "empty")
	rows, err = fill(ctx, full, size)
	if err != nil {
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
	more, err := beside(ctx, env, size, []string{empty, full}, server)
	return append(rows, more...), err
}

// beside measures the live load without replay and beside it, by turns.
func beside(ctx context.Context, env *faults.Env, size Size, directories []string, server *answer.Server) (rows []faults.Row, err error) {
	p99 := make([][]time.Duration, 2)
	lost, sent, memory := uint64(0), 0.0, int64(0)
	var openings []time.Duration
	for range size.Rounds {
		for i, directory := range directories {
			b, err := start(ctx, env, size, directory, server)
			if err != nil {
				return nil, err
			}
			report, err := b.load(ctx, env, size)
			if err == nil && i == 1 {
				openings = append(openings, b.opened)
				err = b.finish(&sent, &memory)
			}
			b.stop()
			if err != nil {
				return nil, err
			}
			p99[i] = append(p99[i], report.P99)
			lost += report.Lost + report.Bad
		}
	}
	alone, got := median(p99[0]), median(p99[1])
	ratio := float64(got) / float64(alone)
	return append(rows,
		row("the live load beside the replay", fmt.Sprintf("p99 at most %.1f times that without", mostP99), fmt.Sprintf("%v, without %v: %.2f times", got, alone, ratio), ratio <= mostP99, true),
		row("the live load", "nothing lost", fmt.Sprintf("%d lost or bad", lost), lost == 0, false),
		row("the rate of replay", fmt.Sprintf("%d a second", size.Rate), fmt.Sprintf("%.0f a second", sent/float64(size.Rounds)), within(sent/float64(size.Rounds), float64(size.Rate)), true),
		row("memory with the records", fmt.Sprintf("at most %d MB", mostMemory>>20), fmt.Sprintf("%d MB", memory>>20), memory <= mostMemory, true),
		row("opening the spool", "less than the 20 s that the gateway waits", fmt.Sprint(median(openings)), median(openings) < 20*time.Second, true),
	), nil
}

func within(got, want float64) bool { return got >= want*(1-rateSlack) && got <= want*(1+rateSlack) }

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

func row(what, expected, measured string, met, loose bool) faults.Row {
	return faults.Row{Trial: "spool", What: what, Expected: expected, Measured: measured, Met: met, Loose: loose}
}
