// Package compare measures the gateway, radsecproxy and the bare relay side by
// side: interleaved rounds, the same load generator and answering server, and
// a table of medians and ratios with their spread.
package compare

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"radsec-gw/bench/packets"
	"radsec-gw/bench/peers"
)

// testCase is one row of what is measured.
type testCase struct {
	name        string
	mix         packets.Mix
	connections int
	outstanding int
	delay       time.Duration // of the answering server
	half        bool          // open loop at half the rate of the closed loop
	offered     int           // open loop at so many requests a second; 0: closed loop
	many        bool          // with the large configuration
	rules       bool          // with ten attribute rules
	sources     bool          // with a source address for each of 1,000 clients
	idle        int           // idle connections instead of load
	dtls        bool          // over DTLS
	handshakes  bool          // handshakes instead of load
	resume      bool
}

const caseSyntax = `a case is MIX-CxM (pap, eap, acct or mixed; C connections with M requests in flight each),
followed by any of -50ms (latency of the server), -half (open loop at half the peak rate),
-20000ps (open loop at 20,000 requests a second), -many (1,000 clients, 1,000 servers, 10,000 routes),
-rules (ten attribute rules) and -sources (1,000 clients, each with a source address of its own); or idle-N, handshake-full, handshake-resumed;
dtls-CxM is mixed-CxM over DTLS, and dtls-idle-N is idle-N`

var allCases = []string{
	"mixed-8x16", "mixed-200x8", "mixed-1x1", "pap-8x16", "eap-8x16", "acct-8x16",
	"mixed-64x256-50ms", "mixed-8x16-half", "mixed-8x16-20000ps", "mixed-1000x16", "mixed-8x16-many",
	"mixed-8x16-rules", "mixed-200x8-sources",
	"idle-10000", "handshake-full", "handshake-resumed",
	"dtls-20x8", "dtls-200x8", "dtls-idle-1000",
}

func parseCase(name string) (testCase, error) {
	c := testCase{name: name}
	wrong := func() (testCase, error) { return c, fmt.Errorf("case %q: %s", name, caseSyntax) }
	if name, c.dtls = strings.CutPrefix(name, "dtls-"); c.dtls && !strings.HasPrefix(name, "idle-") {
		name = "mixed-" + name
	}
	parts := strings.Split(name, "-")
	if len(parts) < 2 {
		return wrong()
	}
	switch parts[0] {
	case "idle":
		n, err := strconv.Atoi(parts[1])
		if err != nil || n < 1 || len(parts) > 2 {
			return wrong()
		}
		c.idle = n
		return c, nil
	case "handshake":
		c.handshakes, c.resume = true, parts[1] == "resumed"
		if !c.resume && parts[1] != "full" || len(parts) > 2 {
			return wrong()
		}
		return c, nil
	}
	var err error
	if c.mix, err = packets.ParseMix(parts[0]); err != nil {
		return wrong()
	}
	connections, outstanding, ok := strings.Cut(parts[1], "x")
	if !ok {
		return wrong()
	}
	if c.connections, err = strconv.Atoi(connections); err != nil || c.connections < 1 {
		return wrong()
	}
	if c.outstanding, err = strconv.Atoi(outstanding); err != nil || c.outstanding < 1 || c.outstanding > 256 {
		return wrong()
	}
	for _, option := range parts[2:] {
		if !c.setOption(option) {
			return wrong()
		}
	}
	return c, nil
}

// setOption reports whether there is such an option.
func (c *testCase) setOption(option string) bool {
	switch option {
	case "half":
		c.half = true
	case "many":
		c.many = true
	case "rules":
		c.rules = true
	case "sources":
		c.sources = true
	default:
		var err error
		if number, ok := strings.CutSuffix(option, "ps"); ok {
			c.offered, err = strconv.Atoi(number)
			return err == nil && c.offered >= 1
		}
		c.delay, err = time.ParseDuration(option)
		return err == nil && c.delay > 0
	}
	return true
}

// applies reports whether the case makes sense for the subject: the floor has
// no configuration that could be large, and its three files for a connection
// say nothing about memory; nor does it have DTLS. Only the gateway has rules and sources; a build from before
// them cannot be compared in these cases.
func (c testCase) applies(s peers.Subject) bool {
	if c.rules || c.sources {
		return s == peers.Gateway
	}
	return s != peers.Floor || !c.many && c.idle == 0 && !c.dtls
}

// metric names a value of a sample.
type metric string

const (
	rate         metric = "rate"         // exchanges (or handshakes) a second
	p50          metric = "p50"          // µs
	p99          metric = "p99"          // µs
	p999         metric = "p99.9"        // µs
	cpu          metric = "cpu"          // µs of CPU an exchange (or handshake)
	systemCalls  metric = "system calls" // an exchange
	memory       metric = "memory"       // highest resident memory, MB
	resent       metric = "resent"       // datagrams that the load generator sent once more
	lost         metric = "lost"         // requests without a reply
	bad          metric = "bad"          // replies of the wrong kind or wrongly signed
	perIdle      metric = "idle"         // kB of resident memory an idle connection
	resumedShare metric = "resumed"      // share of handshakes that resumed a session
)

// goal is what the gateway must show: the median over the rounds of a metric,
// or of its ratio to another subject or another case in the same round.
type goal struct {
	text    string
	of      string // case
	metric  metric
	to      peers.Subject // ratio to this subject in the same case
	toCase  string        // ratio to the gateway itself in this case
	limit   float64
	atLeast bool // otherwise at most
}

var goals = []goal{
	{"CPU per exchange to radsecproxy's", "mixed-8x16", cpu, peers.Radsecproxy, "", 0.35, false},
	{"CPU per exchange to the bare relay's", "mixed-8x16", cpu, peers.Floor, "", 0.85, false},
	{"rate to radsecproxy's", "mixed-8x16", rate, peers.Radsecproxy, "", 2, true},
	{"p99 to radsecproxy's", "mixed-8x16", p99, peers.Radsecproxy, "", 0.5, false},
	{"resident memory, MB", "mixed-8x16", memory, "", "", 100, false},
	{"lost", "mixed-200x8", lost, "", "", 0, false},
	{"CPU per exchange to radsecproxy's", "mixed-200x8", cpu, peers.Radsecproxy, "", 0.30, false},
	{"resident memory, MB", "mixed-200x8", memory, "", "", 100, false},
	{"p50 to the bare relay's", "mixed-1x1", p50, peers.Floor, "", 1.15, false},
	{"CPU per exchange to radsecproxy's", "pap-8x16", cpu, peers.Radsecproxy, "", 0.45, false},
	{"CPU per exchange to radsecproxy's", "eap-8x16", cpu, peers.Radsecproxy, "", 0.45, false},
	{"CPU per exchange to radsecproxy's", "acct-8x16", cpu, peers.Radsecproxy, "", 0.45, false},
	{"rate a second (or the next line)", "mixed-64x256-50ms", rate, "", "", 40000, true},
	{"rate to that without latency", "mixed-64x256-50ms", rate, "", "mixed-8x16", 0.9, true},
	{"lost", "mixed-64x256-50ms", lost, "", "", 0, false},
	{"p99.9, µs", "mixed-8x16-half", p999, "", "", 5000, false},
	{"lost", "mixed-8x16-half", lost, "", "", 0, false},
	{"p50 to the bare relay's at the same rate", "mixed-8x16-20000ps", p50, peers.Floor, "", 1.3, false},
	{"p99.9 to the bare relay's at the same rate", "mixed-8x16-20000ps", p999, peers.Floor, "", 1.5, false},
	{"lost", "mixed-8x16-20000ps", lost, "", "", 0, false},
	{"kB for each idle connection", "idle-10000", perIdle, "", "", 25, false},
	{"µs of CPU per full handshake", "handshake-full", cpu, "", "", 600, false},
	{"µs of CPU per resumed handshake", "handshake-resumed", cpu, "", "", 250, false},
	{"CPU per full handshake to the bare relay's", "handshake-full", cpu, peers.Floor, "", 1, false},
	{"CPU per resumed handshake to the bare relay's", "handshake-resumed", cpu, peers.Floor, "", 1, false},
	{"CPU per exchange to that at 8 connections", "mixed-1000x16", cpu, "", "mixed-8x16", 1.3, false},
	{"CPU per exchange to that with one client, server and route", "mixed-8x16-many", cpu, "", "mixed-8x16", 1.1, false},
	{"CPU per exchange to that without rules", "mixed-8x16-rules", cpu, "", "mixed-8x16", 1.15, false},
	{"CPU per exchange to that with one source", "mixed-200x8-sources", cpu, "", "mixed-200x8", 1.2, false},
	{"lost", "mixed-200x8-sources", lost, "", "", 0, false},
	{"CPU per exchange to radsecproxy's", "dtls-20x8", cpu, peers.Radsecproxy, "", 0.6, false},
	{"rate to radsecproxy's", "dtls-20x8", rate, peers.Radsecproxy, "", 1.5, true},
	{"CPU per exchange to radsecproxy's", "dtls-200x8", cpu, peers.Radsecproxy, "", 0.6, false},
	{"rate to radsecproxy's", "dtls-200x8", rate, peers.Radsecproxy, "", 1.5, true},
	{"lost", "dtls-200x8", lost, "", "", 0, false},
	{"kB for each idle session", "dtls-idle-1000", perIdle, "", "", 40, false},
}
