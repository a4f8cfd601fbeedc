package faults

import (
	"context"
	"fmt"
	"time"

	"radsec-gw/bench/load"
	"radsec-gw/bench/packets"
	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
)

// failover returns the trial of two servers of which the first is killed or
// stopped under load and comes back.
func failover(how, health string) func(context.Context, *Env, Size) ([]Row, error) {
	return func(ctx context.Context, e *Env, size Size) ([]Row, error) {
		f := &outage{env: e, size: size, how: how, health: health}
		defer f.stop()
		if err := f.start(ctx); err != nil {
			return nil, err
		}
		return f.run(ctx)
	}
}

// outage is one failover trial.
type outage struct {
	env         *Env
	size        Size
	how, health string

	ports  []int
	first  *process.Process
	second *process.Process
	bed    *bed

	sentToDead float64       // requests after the detection time
	back       time.Duration // until the first server was used again
}

func (f *outage) start(ctx context.Context) (err error) {
	if f.ports, err = ports.UDP(4); err != nil {
		return err
	}
	if f.first, err = f.env.startFaulty(f.ports[0], f.ports[1]); err != nil {
		return err
	}
	if f.second, err = f.env.startFaulty(f.ports[2], f.ports[3]); err != nil {
		return err
	}
	t := f.size.Timers
	more := fmt.Sprintf("health = %q\nretransmit_initial = %q\nretransmit_duration = %q\nprobe_interval = %q\n", f.health, t.Initial, t.Duration, t.Probe)
	servers := []upstream{{"first", f.ports[0], f.ports[1], more}, {"second", f.ports[2], f.ports[3], more}}
	f.bed, err = f.env.start(ctx, servers, fmt.Sprintf("[[route]]\nrealms = [\"*\"]\nservers = [\"first\", \"second\"]\nmove_on_after = %d\n", t.MoveOnAfter))
	return err
}

func (f *outage) stop() {
	if f.first != nil {
		f.first.Kill()
	}
	if f.second != nil {
		f.second.Kill()
	}
	if f.bed != nil {
		f.bed.stop()
	}
}

// run makes the load, and the outage meanwhile.
func (f *outage) run(ctx context.Context) ([]Row, error) {
	t := f.size.Timers
	cfg := load.Config{
		Address: f.bed.address, TLS: f.env.Client, Secret: []byte("radsec"), Connections: f.size.Connections, Rate: f.size.Rate,
		Mix: packets.Mix{packets.EAP, packets.PAP, packets.EAP, packets.Acct}, Timeout: t.Duration + time.Second, SampleEvery: 4,
		Duration: f.size.Settle + t.detection() + f.size.Hold + t.comeback() + f.size.Settle,
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var report load.Report
	var loadErr error
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		report, loadErr = load.Run(ctx, cfg)
	}()
	err := f.outage(ctx)
	if err != nil {
		cancel()
	}
	<-loaded
	if err == nil {
		err = loadErr
	}
	return f.rows(report), err
}

// outage takes the first server away and brings it back.
func (f *outage) outage(ctx context.Context) error {
	t := f.size.Timers
	if err := pause(ctx, f.size.Settle); err != nil {
		return err
	}
	if f.how == "stopped" {
		f.first.Suspend()
	} else {
		f.first.Kill()
	}
	if err := pause(ctx, t.detection()); err != nil {
		return err
	}
	before, err := f.bed.sentTo(ctx, "first")
	if err != nil {
		return err
	}
	if err := pause(ctx, f.size.Hold); err != nil {
		return err
	}
	after, err := f.bed.sentTo(ctx, "first")
	if err != nil {
		return err
	}
	f.sentToDead = after - before
	if f.how == "stopped" {
		f.first.Resume()
	} else if f.first, err = f.env.startFaulty(f.ports[0], f.ports[1]); err != nil {
		return err
	}
	return f.awaitReturn(ctx)
}

// awaitReturn waits until all requests go to the first server again.
func (f *outage) awaitReturn(ctx context.Context) error {
	from := time.Now()
	const look = 100 * time.Millisecond
	wanted := f.size.Rate * look.Seconds() / 2 // half of what is sent in that time
	for f.back = 0; time.Since(from) < f.size.Timers.comeback(); {
		before, err := f.bed.sentTo(ctx, "first")
		if err != nil {
			return err
		}
		if err := pause(ctx, look); err != nil {
			return err
		}
		after, err := f.bed.sentTo(ctx, "first")
		if err != nil {
			return err
		}
		if after-before > wanted {
			f.back = time.Since(from)
			return nil
		}
	}
	return nil
}

// rows says what was found.
func (f *outage) rows(r load.Report) []Row {
	t := f.size.Timers
	name := fmt.Sprintf("first server %s, health %s, %.0f/s", f.how, f.health, f.size.Rate)
	limit := t.moveOn() + 100*time.Millisecond
	// Checks in progress count as requests for the moment: one a port. A
	// port without probes is tried by one request each interval, at both ports.
	allowed := 2.0
	expected := "0 but checks"
	if f.health == "none" {
		allowed = 2 * (f.size.Hold.Seconds()/t.Probe.Seconds() + 1) * float64(t.MoveOnAfter)
		expected = fmt.Sprintf("some tries, ≤ %.0f", allowed)
	}
	back := "not within " + t.comeback().String()
	if f.back > 0 {
		back = f.back.Round(time.Millisecond).String()
	}
	return []Row{
		{name, "requests answered", "all", fmt.Sprintf("%d of %d", r.Answered, r.Sent), r.Answered == r.Sent && r.Lost+r.Bad == 0 && r.Sent > 0, false},
		{name, "latest answer", "≤ " + limit.String(), r.Max.Round(time.Millisecond).String(), r.Max <= limit, true},
		{name, fmt.Sprintf("sent to it from %v on", t.detection()), expected, fmt.Sprintf("%.0f", f.sentToDead), f.sentToDead <= allowed, true},
		{name, "used again after its return", "≤ " + t.comeback().String(), back, f.back > 0, false},
	}
}
