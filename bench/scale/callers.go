package scale

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/bench/answer"
	"radsec-gw/bench/faults"
	"radsec-gw/bench/process"
)

// Crowd is who calls the HTTP side at once.
type Crowd struct {
	Gateway Size
	Idle    int           // connections with one request, kept open; a new one for each that is closed
	Looping int           // callers that ask again as soon as they have an answer
	Silent  int           // connections that send nothing, kept open; a new one for each that is closed
	Rate    int           // likewise, but this many new ones a second, of which none is kept for long
	Phase   time.Duration // how long
	Every   time.Duration // the scraper's interval meanwhile
}

// FullCrowd is what the bounds hold for.
func FullCrowd() Crowd {
	return Crowd{Gateway: Size{Clients: 100, Servers: 100, Routes: 100}, Idle: 1000, Looping: 50, Silent: 1000, Rate: 200, Phase: 30 * time.Second, Every: 2 * time.Second}
}

// The bounds for a crowd.
const (
	mostCrowdMemory = 1.5 // times that at rest
	mostScrape      = time.Second
)

// CallersCommand is bench callers.
func CallersCommand(ctx context.Context, fs *flag.FlagSet, args []string, out io.Writer) error {
	crowd := FullCrowd()
	gateway := fs.String("gateway", "", "path of radsec-gw; empty: it is built")
	fs.IntVar(&crowd.Idle, "idle", crowd.Idle, "idle connections")
	fs.IntVar(&crowd.Looping, "looping", crowd.Looping, "callers that ask again and again")
	fs.IntVar(&crowd.Silent, "silent", crowd.Silent, "silent connections")
	fs.IntVar(&crowd.Rate, "rate", crowd.Rate, "new silent connections a second")
	fs.DurationVar(&crowd.Phase, "phase", crowd.Phase, "how long")
	if err := fs.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "callers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	env, err := faults.NewEnv(ctx, dir, *gateway, "none")
	if err != nil {
		return err
	}
	rows, err := TryCrowd(ctx, env, crowd)
	if err != nil {
		return err
	}
	if !faults.Print(out, rows) {
		return errors.New("not everything was as expected")
	}
	return nil
}

// TryCrowd measures a gateway's memory at rest and beside a crowd, and whether the scraper
// and an orchestrator are answered meanwhile.
func TryCrowd(ctx context.Context, env *faults.Env, crowd Crowd) ([]faults.Row, error) {
	if err := process.RaiseFileLimit(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server, err := answer.Listen(answer.Config{Auth: "127.0.0.1:0", Acct: "127.0.0.1:0", Secret: []byte(secret)})
	if err != nil {
		return nil, err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	defer func() {
		cancel()
		<-served
	}()
	b, err := start(ctx, env, crowd.Gateway, descriptors, server.AuthPort(), server.AcctPort())
	if err != nil {
		return nil, err
	}
	defer b.stop()
	if err := b.touch(ctx, env, crowd.Gateway); err != nil {
		return nil, err
	}
	for range 5 {
		for _, path := range []string{"/metrics", "/"} {
			if _, err := b.get(ctx, path); err != nil {
				return nil, err
			}
		}
	}
	rest, _, err := b.gateway.Memory()
	if err != nil {
		return nil, err
	}
	speaking, silent := crowd, crowd
	speaking.Silent, speaking.Rate = 0, 0
	rows, err := speaking.beside(ctx, b, rest, "")
	if err != nil {
		return nil, err
	}
	more, err := silent.beside(ctx, b, rest, fmt.Sprintf(", %d silent ones and %d more a second", crowd.Silent, crowd.Rate))
	return append(rows, more...), err
}

// descriptors is the limit of the gateway: the usual one.
const descriptors = 1024

// call has the crowd call an address until ctx is done.
func (crowd Crowd) call(ctx context.Context, callers *sync.WaitGroup, address string, answers *atomic.Int64) {
	for i := range crowd.Idle {
		callers.Go(func() { keepOpen(ctx, address, sourceOf(i), "GET /healthz HTTP/1.1\r\nHost: "+address+"\r\n\r\n") })
	}
	for i := range crowd.Looping {
		callers.Go(func() { loop(ctx, address, i, answers) })
	}
	for i := range crowd.Silent {
		callers.Go(func() { keepOpen(ctx, address, sourceOf(i), "") })
	}
	if crowd.Rate > 0 {
		callers.Go(func() { floodSilently(ctx, address, crowd.Rate) })
	}
}

// beside measures the gateway while the crowd calls it. silent names its silent ones in the rows.
func (crowd Crowd) beside(ctx context.Context, b *bed, rest int64, silent string) ([]faults.Row, error) {
	ctx, cancel := context.WithTimeout(ctx, crowd.Phase)
	defer cancel()
	var callers sync.WaitGroup
	defer callers.Wait()
	var answers atomic.Int64
	crowd.call(ctx, &callers, b.metrics, &answers)
	var asked, again, failed int
	var why string
	var slowest time.Duration
	var highest int64
	for at := time.Now(); ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		now, _, err := b.gateway.Memory()
		if err != nil {
			return nil, err
		}
		if highest = max(highest, now); time.Since(at) < crowd.Every {
			continue
		}
		at = time.Now()
		for _, path := range []string{"/metrics", "/readyz", "/healthz"} {
			start := time.Now()
			asked++
			_, err := b.get(context.WithoutCancel(ctx), path)
			for err != nil && time.Since(start) < mostScrape {
				// The flood comes from this address, too: on a busy machine it may have
				// taken the place before the request was sent.
				again++
				_, err = b.get(context.WithoutCancel(ctx), path)
			}
			if err != nil {
				failed++
				why = fmt.Sprintf("; the last failed after %v: %v", time.Since(start).Round(time.Millisecond), err)
			}
			slowest = max(slowest, time.Since(start))
		}
	}
	ratio := float64(highest) / float64(rest)
	scraped := fmt.Sprintf("%d of %d, the slowest in %v, after %d tries more", asked-failed, asked, slowest.Round(time.Millisecond), again) + why
	return []faults.Row{
		{Trial: "callers", What: fmt.Sprintf("memory beside %d idle and %d looping callers%s", crowd.Idle, crowd.Looping, silent), Expected: fmt.Sprintf("at most %.1f times that at rest", mostCrowdMemory),
			Measured: fmt.Sprintf("%.1f MB, at rest %.1f MB: %.2f times", float64(highest)/1e6, float64(rest)/1e6, ratio), Met: ratio <= mostCrowdMemory, Loose: true},
		{Trial: "callers", What: "the scraper and an orchestrator" + silentBeside(silent), Expected: "all answered", Measured: scraped, Met: failed == 0},
		{Trial: "callers", What: "how long they wait" + silentBeside(silent), Expected: fmt.Sprintf("at most %v", mostScrape), Measured: slowest.Round(time.Millisecond).String(), Met: slowest <= mostScrape, Loose: true},
		{Trial: "callers", What: "the looping ones" + silentBeside(silent), Expected: "some answered", Measured: fmt.Sprintf("%d answers", answers.Load()), Met: answers.Load() > 0},
	}, nil
}

// sourceOf is the address that a caller calls from: half of them call from the scraper's own.
func sourceOf(caller int) string {
	if caller%2 == 0 {
		return "127.0.0.1"
	}
	return fmt.Sprintf("127.20.%d.%d", caller/250, caller%250+1)
}

// dialer dials from an address.
func dialer(from string) *net.Dialer {
	return &net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
}

// silentBeside says in a row that there are silent ones, too.
func silentBeside(silent string) string {
	if silent == "" {
		return ""
	}
	return ", beside silent ones"
}

// floodSilently opens connections that send nothing, and closes each after a second.
func floodSilently(ctx context.Context, address string, rate int) {
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	pace := time.NewTicker(time.Second / time.Duration(rate))
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
		if c, err := dialer("127.0.0.1").DialContext(ctx, "tcp", address); err == nil {
			open = append(open, c)
		}
		if len(open) > rate {
			open[0].Close()
			open = open[1:]
		}
	}
}

// keepOpen keeps a connection open after it has sent a text, and opens another when it is closed.
func keepOpen(ctx context.Context, address, from, text string) {
	for ctx.Err() == nil {
		if c, err := dialer(from).DialContext(ctx, "tcp", address); err == nil {
			stop := context.AfterFunc(ctx, func() { c.Close() })
			_, _ = io.WriteString(c, text)
			_, _ = io.Copy(io.Discard, c) // until it is closed
			stop()
			c.Close()
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// loop asks for one page after the other, in every form.
func loop(ctx context.Context, address string, caller int, answers *atomic.Int64) {
	accept := []string{"text/plain", "application/openmetrics-text", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"}
	paths := []string{"/metrics", "/metrics", "/", "/api/v1/status", "/readyz", "/?q=" + fmt.Sprint(caller)}
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: dialer(sourceOf(caller)).DialContext, DisableCompression: caller%3 == 0}}
	defer client.CloseIdleConnections()
	for i := caller; ctx.Err() == nil; i++ {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+paths[i%len(paths)], nil)
		if err != nil {
			return
		}
		r.Header.Set("Accept", accept[i%len(accept)])
		response, err := client.Do(r)
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		answers.Add(1)
	}
}
