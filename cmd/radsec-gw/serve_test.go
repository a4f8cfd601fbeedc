//go:build linux

package main

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"radsec-gw/bench/peers"
	"radsec-gw/gateway/gatewaytest"
)

// SIGTERM during a reload that reads drains the gateway immediately, and a second one ends it
// immediately.
//
// Fault W15, W12.
func TestTerminationDuringAReload(t *testing.T) {
	program := builtProgram(t)
	for signals, want := range map[int]string{1: "SIGTERM", 2: "two SIGTERMs"} {
		log := logFile(t)
		g := serveWith(t, program, log)
		c := g.connect()
		c.Logins(100)
		gatewaytest.Block(t, g.file)
		g.signal(syscall.SIGHUP)
		f, err := os.OpenFile(g.file, os.O_WRONLY, 0) // the reload reads, and gets nothing
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for range signals {
			g.signal(syscall.SIGTERM)
		}
		select {
		case err := <-g.ended:
			if took := time.Since(start); err != nil || took > 3*time.Second {
				t.Errorf("%s during a reload: expected exit status 0 at once, got %v after %v", want, err, took)
			}
		case <-time.After(gatewaytest.Patience):
			t.Errorf("%s during a reload: expected the end within %v, the gateway still runs", want, gatewaytest.Patience)
		}
		f.Close()
	}
}

// SIGHUP moves the addresses: the new ones are served, the old ones are free, and a connection
// to an old one stays open.
//
// Fault L5.
func TestSIGHUPMovesTheAddresses(t *testing.T) {
	log := logFile(t)
	g := serveWith(t, builtProgram(t), log)
	c := g.connect()
	text, err := os.ReadFile(g.file)
	if err != nil {
		t.Fatal(err)
	}
	before := []string{g.radsec, g.metrics}
	g.radsec, g.metrics = gatewaytest.UnusedAddress(t), gatewaytest.UnusedAddress(t)
	moved := strings.NewReplacer(before[0], g.radsec, before[1], g.metrics).Replace(string(text))
	gatewaytest.WriteFile(t, g.file, []byte(moved))
	g.signal(syscall.SIGHUP)
	g.awaitLine(log, "msg=reloaded what=configuration")
	if status, _ := g.ask("/readyz"); status != 200 {
		t.Errorf("GET /readyz at the new address: expected 200, got %d", status)
	}
	g.connect().Logins(100)
	c.Logins(100)
	if peers.Listening(before[0]) {
		t.Errorf("%s is still listened on", before[0])
	}
	g.terminate()
}

// With 64 descriptors and four times as many idle connections a few clients are served, the
// HTTP side answers, and the other connections are refused and counted.
//
// Fault W13.
func TestFewDescriptors(t *testing.T) {
	log := logFile(t)
	g := serveBy(t, log, "sh", "-c", `ulimit -n 64; exec "$0" "$@"`, builtProgram(t))
	c := g.connect()
	c.Logins(100)
	var idle []net.Conn
	for range 256 {
		c, err := net.Dial("tcp", g.radsec)
		if err != nil {
			t.Fatal(err)
		}
		idle = append(idle, c)
	}
	c.Logins(1000)
	for _, path := range []string{"/healthz", "/readyz", "/", "/metrics"} {
		status, body := g.ask(path)
		if status != 200 {
			t.Errorf("GET %s: expected 200, got %d", path, status)
		}
		if path == "/metrics" && (!strings.Contains(body, `radsec_gw_descriptor_budget{use="radsec"}`) || strings.Contains(body, `radsec_gw_accept_failures_total{listener="http"} 1`)) {
			t.Errorf("expected the budget of descriptors and no failure of HTTP, got\n%s", body)
		}
	}
	text, err := os.ReadFile(log.Name())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "too many open files") {
		t.Errorf("expected nothing about missing descriptors, got\n%s", events(text))
	}
	g.awaitLine(log, "the process may have 64 descriptors open", "max_connections is 10000")
	for _, c := range idle {
		c.Close()
	}
	g.terminate()
}
