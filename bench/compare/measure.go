package compare

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"radsec-gw/bench/load"
	"radsec-gw/bench/material"
	"radsec-gw/bench/packets"
	"radsec-gw/bench/peers"
	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
)

// sample is what one subject showed in one case and round.
type sample struct {
	Case    string             `json:"case"`
	Subject peers.Subject      `json:"subject"`
	Round   int                `json:"round"`
	Values  map[metric]float64 `json:"values"`
	Error   string             `json:"error,omitempty"`
}

// runner is what all measurements share.
type runner struct {
	dir      string
	bench    string
	gateway  string // path of radsec-gw
	before   string // path of the build that it is compared with; empty: none
	files    material.Files
	client   *tls.Config
	warmup   time.Duration
	duration time.Duration
	settle   time.Duration             // after the handshakes of idle connections
	calls    bool                      // count system calls
	peak     map[peers.Subject]float64 // last rate seen in mixed-8x16
}

// stopTime is how long a program may take to end.
const stopTime = 2 * time.Second

// dtlsTimeout is long enough for a request to be sent three times.
const dtlsTimeout = 10 * time.Second

// serverSecret is shared by the relays, except the floor, and the answering server.
const serverSecret = "secret-of-the-answering-server"

// measure starts the answering server and the subject, measures, and stops both.
func (r *runner) measure(ctx context.Context, c testCase, s peers.Subject) (values map[metric]float64, err error) {
	dir, err := os.MkdirTemp(r.dir, c.name+"-")
	if err != nil {
		return nil, err
	}
	set := peers.Setup{Dir: dir, Files: r.files, Bench: r.bench, Gateway: r.gateway, Secret: serverSecret, Many: c.many, Rules: c.rules, Sources: c.sources, DTLS: c.dtls}
	switch s {
	case peers.Floor:
		set.Secret = peers.FloorSecret
	case peers.Before:
		set.Gateway = r.before
	}
	server, err := r.startAnswer(ctx, &set, c.delay)
	if err != nil {
		return nil, err
	}
	defer server.Stop(stopTime)
	if set.Listen, err = ports.Address(); err != nil {
		return nil, err
	}
	p, err := s.Start(set)
	if err != nil {
		return nil, err
	}
	defer p.Stop(stopTime)
	defer func() {
		if ended := p.Alive(); ended != nil {
			err = ended // which explains the other error
		}
	}()
	cfg := load.Config{Address: set.Listen, TLS: r.client, Secret: []byte("radsec"), Connections: 1, Outstanding: 1,
		Mix: packets.Mix{packets.PAP}, Duration: 50 * time.Millisecond, Timeout: 3 * time.Second, SampleEvery: 1}
	if c.dtls {
		cfg.DTLS, cfg.Secret, cfg.Timeout = true, []byte("radius/dtls"), dtlsTimeout
	}
	err = p.Until(ctx, "listening", func() bool {
		return peers.Listening(set.Listen) && (!c.dtls || peers.ListeningUDP(set.Listen)) // some open TCP first
	})
	if err != nil {
		return nil, err
	}
	// One connection with every reply verified: a program that answers wrongly is not measured.
	if first, err := load.Run(ctx, cfg); err != nil || first.Answered == 0 || first.Bad > 0 || first.Broken > 0 {
		return nil, errors.Join(err, fmt.Errorf("%s does not relay a single request rightly: %s; it printed:\n%s", s, first.Error, p.Printed()))
	}
	cfg.SampleEvery = 0
	switch {
	case c.idle > 0:
		return r.idle(ctx, c, cfg, p)
	case c.handshakes:
		return r.handshakes(ctx, c, cfg, p)
	}
	return r.load(ctx, c, s, cfg, p)
}

// startAnswer starts the answering server on free ports and fills them in.
func (r *runner) startAnswer(ctx context.Context, set *peers.Setup, delay time.Duration) (*process.Process, error) {
	p, err := process.Start(exec.Command(r.bench, "answer", "-auth", "127.0.0.1:0", "-acct", "127.0.0.1:0", "-secret", set.Secret, "-delay", delay.String()))
	if err != nil {
		return nil, err
	}
	err = p.Until(ctx, "answering", func() bool {
		printed := p.Printed()
		n, _ := fmt.Sscanf(printed, "answering on %d %d", &set.Auth, &set.Acct)
		return n == 2 && strings.HasSuffix(printed, "\n")
	})
	if err != nil {
		p.Kill()
		return nil, err
	}
	return p, nil
}

// meter reads a program's CPU time at both ends of the counted time.
type meter struct {
	p      *process.Process
	at     time.Time
	before time.Duration
	spent  time.Duration // CPU
	took   time.Duration // wall
	err    error
}

func (m *meter) measured(end bool) {
	now, err := m.p.CPU()
	m.err = errors.Join(m.err, err)
	if !end {
		m.before, m.at = now, time.Now()
		return
	}
	m.spent, m.took = now-m.before, time.Since(m.at)
}

// perExchange is µs of CPU for one of rate a second.
func (m *meter) perExchange(rate float64) float64 {
	return m.spent.Seconds() / m.took.Seconds() / rate * 1e6
}

func (r *runner) load(ctx context.Context, c testCase, s peers.Subject, cfg load.Config, p *process.Process) (map[metric]float64, error) {
	cfg.Connections, cfg.Outstanding, cfg.Mix = c.connections, c.outstanding, c.mix
	cfg.Warmup, cfg.Duration = r.warmup, r.duration
	cfg.Rate = float64(c.offered)
	if c.half {
		peak := r.peak[s]
		if peak == 0 {
			found, err := load.Run(ctx, cfg)
			if err != nil {
				return nil, err
			}
			peak = found.Rate
		}
		cfg.Rate = peak / 2
	}
	m := &meter{p: p}
	cfg.Measured = m.measured
	report, err := load.Run(ctx, cfg)
	if err = errors.Join(err, m.err); err != nil {
		return nil, err
	}
	if report.Counted == 0 {
		return nil, fmt.Errorf("no exchange in the counted time: %s", report.Error)
	}
	if c.name == "mixed-8x16" {
		r.peak[s] = report.Rate
	}
	_, highest, err := p.Memory()
	if err != nil {
		return nil, err
	}
	micro := func(d time.Duration) float64 { return float64(d) / 1e3 }
	v := map[metric]float64{rate: report.Rate, p50: micro(report.P50), p99: micro(report.P99), p999: micro(report.P999),
		cpu: m.perExchange(report.Rate), memory: float64(highest) / 1e6, lost: float64(report.Lost), bad: float64(report.Bad + uint64(report.Broken))}
	if c.dtls {
		v[resent] = float64(report.Resent)
	}
	if r.calls {
		// Apart from the rest, because counting slows the program down.
		if n, err := r.countCalls(ctx, cfg, p); err == nil {
			v[systemCalls] = n
		} else if !errors.Is(err, process.ErrNoPerf) {
			return nil, err
		}
	}
	return v, nil
}

// countCalls makes the load once more, for long enough to count a second of it.
func (r *runner) countCalls(ctx context.Context, cfg load.Config, p *process.Process) (float64, error) {
	var counted float64
	var err error
	done := make(chan struct{})
	cfg.Warmup, cfg.Duration = 300*time.Millisecond, 1300*time.Millisecond
	cfg.Measured = func(end bool) {
		if end {
			return
		}
		go func() {
			defer close(done)
			counted, err = p.SystemCalls(ctx)
		}()
	}
	report, runErr := load.Run(ctx, cfg)
	if runErr != nil {
		return 0, runErr
	}
	<-done
	return counted / report.Rate, err
}

func (r *runner) idle(ctx context.Context, c testCase, cfg load.Config, p *process.Process) (map[metric]float64, error) {
	before, _, err := p.Memory()
	if err != nil {
		return nil, err
	}
	var after int64
	err = load.Idle(ctx, cfg, c.idle, func() {
		select {
		case <-ctx.Done():
		case <-time.After(r.settle): // the last handshakes' work is over
		}
		after, _, _ = p.Memory()
	})
	if err != nil {
		return nil, err
	}
	return map[metric]float64{perIdle: float64(after-before) / 1e3 / float64(c.idle), memory: float64(after) / 1e6}, nil
}

func (r *runner) handshakes(ctx context.Context, c testCase, cfg load.Config, p *process.Process) (map[metric]float64, error) {
	m := &meter{p: p}
	cfg.Duration, cfg.Measured = r.duration, m.measured
	report, err := load.Handshakes(ctx, cfg, c.resume, 16)
	if err = errors.Join(err, m.err); err != nil {
		return nil, err
	}
	v := map[metric]float64{rate: report.Rate, cpu: m.perExchange(report.Rate)}
	if report.Done > 0 {
		v[resumedShare] = float64(report.Resumed) / float64(report.Done)
	}
	return v, nil
}
