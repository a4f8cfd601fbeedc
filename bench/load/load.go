// Package load is a RadSec load generator: closed loop (a fixed number of
// requests outstanding on each connection) or open loop (a fixed rate, latency
// counted from the moment a request was meant to be sent).
package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"radsec-gw/bench/histogram"
	"radsec-gw/bench/packets"
)

// Config says what to send and for how long.
type Config struct {
	Address     string      // of the relay under test; only 127.0.0.0/8 is accepted
	DTLS        bool        // over UDP instead of TCP
	TLS         *tls.Config // for DTLS its certificate, RootCAs and ServerName count
	Secret      []byte      // "radsec", and over DTLS "radius/dtls"
	Connections int
	Outstanding int     // closed loop: requests in flight on each connection, 1..256
	Rate        float64 // open loop when > 0: requests a second over all connections
	Mix         packets.Mix
	Warmup      time.Duration // not counted in rate and latencies
	Duration    time.Duration // counted
	Timeout     time.Duration // a request without a reply for so long is lost
	Resend      time.Duration // over DTLS, to the first retransmission, and then doubled; 0: 2 s
	SampleEvery int           // every k-th reply of a connection is verified; 0: 16

	// Reverse says what is done with CoA and Disconnect that come down a connection; nil: they
	// are counted as unmatched replies.
	Reverse *Reverse

	// Measured, when set, is called at both ends of the counted time.
	Measured func(end bool)
}

// resendInitial is the time to the first retransmission (RFC 5080 §2.2.1: IRT 2 s).
const resendInitial = 2 * time.Second

// identifiers is how many requests a connection can have in flight (RFC 2865 §3).
const identifiers = 256

func (c *Config) check() error {
	switch {
	case c.Connections < 1:
		return fmt.Errorf("connections: %d, expected 1 or more", c.Connections)
	case c.Rate <= 0 && (c.Outstanding < 1 || c.Outstanding > identifiers):
		return fmt.Errorf("outstanding: %d, expected 1 to %d", c.Outstanding, identifiers)
	case c.Duration <= 0 || c.Timeout <= 0:
		return errors.New("duration and timeout: expected more than zero")
	case len(c.Mix) == 0:
		return errors.New("mix: expected one of pap, eap, acct, mixed")
	}
	if c.Resend == 0 {
		c.Resend = resendInitial
	}
	if c.SampleEvery == 0 {
		c.SampleEvery = 16
	}
	return OnlyLoopback(c.Address)
}

// OnlyLoopback refuses an address outside 127.0.0.0/8: this is a tool to
// measure a relay on one machine, not to flood anybody's.
func OnlyLoopback(address string) error {
	a, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, err)
	}
	if !a.IP.IsLoopback() {
		return fmt.Errorf("address %q: expected one in 127.0.0.0/8; load is only made on this machine", address)
	}
	return nil
}

// schedule is when things happen; static once the connections are up.
type schedule struct{ start, measure, end, giveUp time.Time }

// tally is what one connection, and in the end the whole run, has counted.
type tally struct {
	latencies histogram.Histogram // replies in the counted time
	sent      uint64              // requests, whole run
	answered  uint64              // matched positive replies, whole run
	resent    uint64              // datagrams sent once more, whole run
	lost      uint64              // requests without a reply, whole run
	unsent    uint64              // open loop: due but never sent, whole run
	bad       uint64              // replies of the wrong code or that do not verify
	unmatched uint64              // replies to no waiting request, late ones included
	asked     uint64              // requests that came down
	verified  uint64
	firstBad  error
	broken    error // why the connection ended early
}

func (t *tally) add(o *tally) {
	t.latencies.Add(&o.latencies)
	t.sent += o.sent
	t.answered += o.answered
	t.resent += o.resent
	t.lost += o.lost
	t.unsent += o.unsent
	t.bad += o.bad
	t.unmatched += o.unmatched
	t.asked += o.asked
	t.verified += o.verified
	if t.firstBad == nil {
		t.firstBad = o.firstBad
	}
	if t.broken == nil {
		t.broken = o.broken
	}
}

// Run opens the connections, makes the load and returns when it is over or ctx
// has ended, after its goroutines. A connection that breaks is reported in
// Report.Broken and not opened again.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if err := cfg.check(); err != nil {
		return Report{}, err
	}
	transports, err := dialAll(ctx, &cfg)
	if err != nil {
		return Report{}, err
	}
	return run(ctx, &cfg, transports)
}

func run(ctx context.Context, cfg *Config, transports []connection) (Report, error) {
	start := time.Now().Add(10 * time.Millisecond)
	measure := start.Add(cfg.Warmup)
	end := measure.Add(cfg.Duration)
	when := schedule{start, measure, end, end.Add(cfg.Timeout)}

	stop := context.AfterFunc(ctx, func() {
		for _, t := range transports {
			t.kill()
		}
	})
	defer stop()

	var wg sync.WaitGroup
	shared := packets.NewShared(cfg.Mix)
	sessions := make([]*session, len(transports))
	for i, t := range transports {
		s := newSession(cfg, shared, t, when, i)
		sessions[i] = s
		wg.Go(func() {
			defer t.finish()
			if cfg.Rate > 0 {
				s.openLoop()
			} else {
				s.closedLoop()
			}
		})
	}
	if cfg.Measured != nil {
		wait(ctx, when.measure)
		cfg.Measured(false)
		wait(ctx, when.end)
		cfg.Measured(true)
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return Report{}, err
	}
	var total tally
	broken := 0
	for _, s := range sessions {
		total.add(&s.tally)
		if s.broken != nil {
			broken++
		}
	}
	return newReport(cfg, &total, broken), nil
}

func wait(ctx context.Context, until time.Time) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
