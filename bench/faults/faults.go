// Package faults tries the gateway from outside with servers that stall, lose
// packets, die and come back, and reports what was expected, measured and met.
package faults

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"radsec-gw/bench/material"
)

// Env is what all trials need.
type Env struct {
	Dir     string // for configurations and logs
	Gateway string // path of radsec-gw
	Bench   string // path of this command, for servers that are processes
	Files   material.Files
	Client  *tls.Config
	Log     io.Writer // what is being tried
}

// Size is how much is tried, and on which timers.
type Size struct {
	Timers      Timers
	Rate        float64 // requests a second of the failover trials
	Connections int
	Settle      time.Duration // of load before and after each change
	Hold        time.Duration // how long a dead server is watched for requests

	LossRate, LossSeconds float64

	LatencyConnections, LatencyOutstanding int
	LatencyDuration                        time.Duration

	StallRate, OtherRate float64 // requests a second for the stalled realm and for the other
	StallConnections     int
	StallDuration        time.Duration

	TurnsDuration time.Duration
}

// Timers are those of the failover trials: of [[server]] and [[route]].
type Timers struct {
	Initial, Duration, Probe time.Duration
	MoveOnAfter              int
}

// Full is what the gateway has to withstand, with its default timers: about six minutes.
func Full() Size {
	return Size{
		Timers: Timers{Initial: 2 * time.Second, Duration: 30 * time.Second, Probe: 3 * time.Second, MoveOnAfter: 2},
		Rate:   2000, Connections: 64, Settle: 2 * time.Second, Hold: 10 * time.Second,
		LossRate: 2000, LossSeconds: 60,
		LatencyConnections: 64, LatencyOutstanding: 256, LatencyDuration: 10 * time.Second,
		StallRate: 5000, OtherRate: 500, StallConnections: 128, StallDuration: time.Minute,
		TurnsDuration: 20 * time.Second,
	}
}

// Small is the same with short timers and little load: about half a minute.
func Small() Size {
	return Size{
		Timers: Timers{Initial: 200 * time.Millisecond, Duration: 10 * time.Second, Probe: 300 * time.Millisecond, MoveOnAfter: 2},
		Rate:   200, Connections: 8, Settle: 500 * time.Millisecond, Hold: time.Second,
		LossRate: 400, LossSeconds: 3,
		LatencyConnections: 8, LatencyOutstanding: 64, LatencyDuration: time.Second,
		StallRate: 500, OtherRate: 100, StallConnections: 8, StallDuration: 2 * time.Second,
		TurnsDuration: 3 * time.Second,
	}
}

// moveOn is when a request moves on from a silent server at the latest: its first waits
// with all the jitter there can be (RFC 5080 §2.2.1).
func (t Timers) moveOn() time.Duration {
	total, wait := time.Duration(0), t.Initial*11/10
	for range t.MoveOnAfter {
		total += wait
		wait = wait * 21 / 10
	}
	return total
}

// Defaults of the configuration that the trials do not change.
const downAfter, upAfter = 3, 3

// detection is when a dead server gets nothing but checks at the latest: they have found it
// down, and the requests that it was sent before have moved on.
func (t Timers) detection() time.Duration {
	return max(t.Initial+downAfter*t.Probe, t.Initial+t.moveOn()) * 11 / 10
}

// comeback is when a server that answers again is used again at the latest.
func (t Timers) comeback() time.Duration { return (upAfter+1)*t.Probe*12/10 + time.Second }

// Row is one line of the result.
type Row struct {
	Trial, What, Expected, Measured string
	Met                             bool
	// Loose says that Met depends on the machine's speed: a slow one may miss it
	// though the gateway is right.
	Loose bool
}

// Trial is one thing to try; it returns what it found.
type Trial struct {
	Name string
	Run  func(context.Context, *Env, Size) ([]Row, error)
}

// Trials returns all of them.
func Trials() []Trial {
	return []Trial{
		{"killed", failover("killed", "status-server")},
		{"stopped", failover("stopped", "status-server")},
		{"no-probes", failover("killed", "none")},
		{"loss", loss},
		{"latency", latency},
		{"stalled", stalled},
		{"turns", turns},
	}
}

// Print writes the rows as a table, and reports whether all were met.
func Print(w io.Writer, rows []Row) bool {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "trial\twhat\texpected\tmeasured\tmet")
	all := true
	for _, r := range rows {
		met := "yes"
		if !r.Met {
			met, all = "NO", false
		}
		fmt.Fprintln(t, strings.Join([]string{r.Trial, r.What, r.Expected, r.Measured, met}, "\t"))
	}
	_ = t.Flush()
	return all
}
