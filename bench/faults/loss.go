package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"radsec-gw/bench/answer"
	"radsec-gw/bench/faulty"
	"radsec-gw/bench/load"
	"radsec-gw/bench/packets"
)

const oneServer = "[[route]]\nrealms = [\"*\"]\nservers = [\"only\"]\n"

// loss loses a tenth of the datagrams each way: with eight transmissions, chance
// alone leaves (1 - 0.9²)^8 = 1.7 in a million requests unanswered.
func loss(ctx context.Context, e *Env, size Size) ([]Row, error) {
	seed := rand.Uint64()
	fmt.Fprintln(e.Log, "seed of the losses:", seed)
	s, err := faulty.Listen(faulty.Config{Auth: "127.0.0.1:0", Acct: "127.0.0.1:0", Secret: []byte(secret), Seed: seed,
		Faults: faulty.Faults{DropIn: 10, DropOut: 10}})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	only := upstream{"only", s.AuthPort(), s.AcctPort(), "retransmit_initial = \"300ms\"\nretransmit_max = \"2s\"\nretransmit_count = 8\n"}
	b, err := e.start(ctx, []upstream{only}, oneServer)
	if err != nil {
		return nil, err
	}
	defer b.stop()
	r, err := load.Run(ctx, load.Config{Address: b.address, TLS: e.Client, Secret: []byte("radsec"), Connections: 32, Rate: size.LossRate,
		Mix: packets.Mix{packets.PAP}, Duration: time.Duration(size.LossSeconds * float64(time.Second)), Timeout: 20 * time.Second, SampleEvery: 4})
	if err != nil {
		return nil, err
	}
	m, err := b.counters(ctx)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("10 %% lost each way, 300ms, 8 sends, %.0f/s", size.LossRate)
	unanswered := r.Sent - r.Answered
	silent := uint64(m.Sum("radsec_gw_requests_total", `fate="server_silent"`))
	return []Row{
		{name, "requests without an answer", "≤ 1 in 100,000", fmt.Sprintf("%d of %d", unanswered, r.Sent), unanswered <= (r.Sent+99_999)/100_000 && r.Sent > 0, false},
		{name, "of those with the fate server_silent", "all", fmt.Sprint(silent), silent == unanswered, false},
	}, nil
}

// latency has a server that needs 50 ms for every answer, and as many requests in flight
// as the connections allow.
func latency(ctx context.Context, e *Env, size Size) ([]Row, error) {
	s, err := answer.Listen(answer.Config{Auth: "127.0.0.1:0", Acct: "127.0.0.1:0", Secret: []byte(secret), Delay: 50 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	serve, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- s.Serve(serve) }()
	defer func() {
		cancel()
		<-served
	}()
	// A sixteenth of the Identifiers is kept for requests with State (RFC 5080
	// §2.2.3), so that 64 × 256 requests in flight need more than 64 sockets.
	b, err := e.start(ctx, []upstream{{"only", s.AuthPort(), s.AcctPort(), "max_sockets = 96\n"}}, oneServer)
	if err != nil {
		return nil, err
	}
	defer b.stop()
	r, err := load.Run(ctx, load.Config{Address: b.address, TLS: e.Client, Secret: []byte("radsec"),
		Connections: size.LatencyConnections, Outstanding: size.LatencyOutstanding,
		Mix: packets.Mix{packets.EAP, packets.PAP, packets.EAP, packets.Acct}, Warmup: time.Second, Duration: size.LatencyDuration, Timeout: 35 * time.Second})
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("50ms, %d connections × %d", size.LatencyConnections, size.LatencyOutstanding)
	// With fewer in flight the delay does not allow the full rate.
	expected := min(20_000, 0.8*float64(size.LatencyConnections*size.LatencyOutstanding)/0.05)
	return []Row{
		{name, "requests lost", "0", fmt.Sprintf("%d of %d", r.Lost+r.Bad, r.Sent), r.Lost+r.Bad == 0 && r.Sent > 0, false},
		{name, "answers a second (load, gateway and server on one machine)", fmt.Sprintf("≥ %.0f", expected), fmt.Sprintf("%.0f", r.Rate), r.Rate >= expected, true},
	}, nil
}
