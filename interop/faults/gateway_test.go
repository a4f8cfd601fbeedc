package faults

import (
	"os"
	"os/exec"
	"regexp"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
)

// gateway is a running radsec-gw serve.
type gateway struct {
	*testbed.Gateway
	bed    *bed
	radsec string // address
}

// serving is the line of the log with the addresses.
var serving = regexp.MustCompile(`msg=serving radsec=(\S+) metrics=(\S+)`)

// serve runs radsec-gw serve until the test ends, and waits until it serves.
func (b *bed) serve() *gateway {
	b.t.Helper()
	b.configure()
	cmd := exec.Command(testbed.Program(), "serve", "-config", "gw.toml")
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), b.environment...)
	p, err := process.Start(cmd)
	if err != nil {
		b.t.Fatal(err)
	}
	g := &gateway{Gateway: testbed.NewGateway(b.t, p), bed: b}
	if !g.Output().Await(patience, serving.MatchString) {
		b.t.Fatalf("radsec-gw serve does not serve")
	}
	at := serving.FindStringSubmatch(g.Printed())
	g.radsec, g.Address = at[1], at[2]
	return g
}

// page returns the status and the text of a page, and fails the test when there is none.
func (g *gateway) page(path string) (status int, text string) {
	g.T.Helper()
	status, text, _ = g.Get(path, patience)
	if status == 0 {
		g.T.Fatal(text)
	}
	return status, text
}

// metric returns the sum of the series of a name that have all of the labels.
func (g *gateway) metric(name string, labels ...string) float64 {
	g.T.Helper()
	return g.Metrics().Sum(name, labels...)
}
