package faults

import (
	"context"
	"fmt"
	"time"

	"radsec-gw/bench/faulty"
)

// memoryBound is how much memory the gateway may use while a server swallows everything:
// max_sockets × 256 = 16,384 requests in flight, each with the client's packet and
// the server's copy (1,536 octets the larger) and half as much again in exchange
// and slot; 32 MiB of answers kept for duplicates; the same again as garbage that is not
// collected yet; and 300 KiB for each connection.
func memoryBound(connections int) int64 {
	const inFlight, kept = 16384 * (2*1536 + 1536), 32 << 20
	return 2*(inFlight+kept) + int64(connections)*300<<10
}

// stalled has two realms on the same connections, and the server of one of them
// swallows everything.
func stalled(ctx context.Context, e *Env, size Size) ([]Row, error) {
	var servers [2]*faulty.Server
	var ups []upstream
	for i, name := range []string{"stalled", "other"} {
		s, err := faulty.Listen(faulty.Config{Auth: "127.0.0.1:0", Acct: "127.0.0.1:0", Secret: []byte(secret)})
		if err != nil {
			return nil, err
		}
		defer s.Close()
		servers[i] = s
		ups = append(ups, upstream{name, s.AuthPort(), s.AcctPort(), ""})
	}
	b, err := e.start(ctx, ups, "[[route]]\nrealms = [\"stalled.example\"]\nservers = [\"stalled\"]\n[[route]]\nrealms = [\"other.example\"]\nservers = [\"other\"]\n")
	if err != nil {
		return nil, err
	}
	defer b.stop()
	try := func(d time.Duration) (*realms, error) {
		r := &realms{address: b.address, tls: e.Client, connections: size.StallConnections, rate: [2]float64{size.StallRate, size.OtherRate}, duration: d}
		return r, r.run(ctx)
	}
	calm, err := try(size.StallDuration / 4)
	if err != nil {
		return nil, err
	}
	servers[0].SetFaults(faulty.Faults{Stall: true})
	storm, err := try(size.StallDuration)
	if err != nil {
		return nil, err
	}
	servers[0].SetFaults(faulty.Faults{})
	after, err := try(size.StallDuration / 4) // what the machine does besides shows in both
	if err != nil {
		return nil, err
	}
	_, highest, err := b.gateway.Memory()
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("server swallows %.0f/s for %v", size.StallRate, size.StallDuration)
	undisturbed := max(calm.latency[1].Quantile(0.99), after.latency[1].Quantile(0.99))
	during := storm.latency[1].Quantile(0.99)
	bound := memoryBound(size.StallConnections)
	return []Row{
		{name, "other realm: requests answered", "all", fmt.Sprintf("%d of %d", storm.accepted[1], storm.sent[1]), storm.accepted[1] == storm.sent[1] && storm.sent[1] > 0 && storm.unsent[1] == 0, false},
		{name, "other realm: p99", fmt.Sprintf("≤ 2 × %v undisturbed", undisturbed), during.String(), during <= 2*undisturbed, true},
		{name, "stalled realm: answered by its server", "0", fmt.Sprintf("%d of %d", storm.accepted[0], storm.sent[0]), storm.accepted[0] == 0 && storm.sent[0] > 0, false},
		{name, "memory at its highest", fmt.Sprintf("≤ %d MiB", bound>>20), fmt.Sprintf("%d MiB", highest>>20), highest <= bound, false},
	}, nil
}
