package frontdoor

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"radsec-gw/bench/faults"
	"radsec-gw/bench/load"
	"radsec-gw/bench/material"
	"radsec-gw/bench/process"
)

// hostileCrowd is peers that show expensive certificates and connect from 200 sources.
func hostileCrowd(ctx context.Context, address string, shown *tls.Certificate, count int) *crowd {
	return newCrowd(ctx, address, nil, &kind{name: "expensive certificates", count: count, sources: 200,
		behave: func(_ *crowd, raw net.Conn) error { return refused(raw, shown) }})
}

// tally is the sum over all kinds.
func (c *crowd) tally() (t tally) {
	for _, k := range c.kinds {
		t.connected += k.connected.Load()
		t.disconnected += k.disconnected.Load()
	}
	return t
}

// HostileCommand is bench hostile: the hostile crowd in a process of its own. It
// prints what has become of it every 100 ms, and ends with ctx.
func HostileCommand(ctx context.Context, fs *flag.FlagSet, args []string, out io.Writer) error {
	address := fs.String("address", "127.0.0.1:2083", "the gateway, in 127.0.0.0/8")
	count := fs.Int("count", 512, "peers at a time")
	dir := fs.String("certs", "", "directory made by bench certs")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := load.OnlyLoopback(*address); err != nil {
		return err
	}
	expensive, _, err := forgeries(material.In(*dir).CA)
	if err != nil {
		return err
	}
	bad := hostileCrowd(ctx, *address, expensive, *count)
	bad.start()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		t := bad.tally()
		fmt.Fprintln(out, t.connected, t.disconnected)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	bad.stop()
	return nil
}

// hostileProcess is a hostile crowd in a process of idle priority. On machines of their
// own such peers would use none of the gateway's processors.
type hostileProcess struct{ process *process.Process }

func startHostile(env *faults.Env, address string, count int) (*hostileProcess, error) {
	p, err := process.Start(exec.Command("chrt", "--idle", "0", env.Bench, "hostile", "-address", address,
		"-count", strconv.Itoa(count), "-certs", filepath.Dir(env.Files.CA)))
	if err != nil {
		return nil, fmt.Errorf("chrt, of util-linux, is needed to run the hostile peers at idle priority: %w", err)
	}
	return &hostileProcess{p}, nil
}

// counts returns how many bad peers connected, and how many were disconnected.
func (h *hostileProcess) counts() (t tally, err error) {
	if ended := h.process.Alive(); ended != nil {
		return t, ended
	}
	last := h.process.Output().Last(1)
	if last == "" {
		return t, nil // it has just begun
	}
	if _, err := fmt.Sscan(last, &t.connected, &t.disconnected); err != nil {
		return t, fmt.Errorf("bench hostile printed %q, expected two counts: %w", last, err)
	}
	return t, nil
}

func (h *hostileProcess) stop() { h.process.Kill() }
