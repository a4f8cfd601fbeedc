package peers

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"radsec-gw/bench/material"
)

func TestProcess(t *testing.T) {
	dir := t.TempDir()
	// It stays one process, of one program, while it is measured: at the end it
	// reads from a pipe that nobody writes to.
	p, err := Start(dir, "sh", "-c", "mkfifo "+dir+"/f; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo over; read line <>"+dir+"/f")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	if err := p.Until(context.Background(), "over", func() bool { return strings.HasSuffix(p.Log(), "over") }); err != nil {
		t.Fatal(err)
	}
	spent, err := p.CPU()
	if err != nil || spent < time.Millisecond || spent > 10*time.Second {
		t.Errorf("a loop of 100,000 steps spent %v of CPU, %v", spent, err)
	}
	now, highest, err := p.Memory()
	if err != nil || now < 100<<10 || highest < now {
		t.Errorf("memory is %d, at most %d, %v", now, highest, err)
	}
	if _, err := p.SystemCalls(context.Background()); err != nil && !errors.Is(err, ErrNoPerf) {
		t.Error(err)
	}
}

func TestProcessThatEnds(t *testing.T) {
	p, err := Start(t.TempDir(), "sh", "-c", "echo no such port >&2; exit 1")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	err = p.Until(context.Background(), "listening", func() bool { return false })
	if err == nil || !strings.Contains(err.Error(), "no such port") || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("a program that fails gives %v, want what it printed", err)
	}
}

func TestConfigurationSizes(t *testing.T) {
	for many, want := range map[bool][3]int{false: {1, 1, 1}, true: {manyClients, manyServers, manyRoutes}} {
		set := Setup{Files: material.In("/certs"), Listen: "127.0.0.1:1", Auth: 2, Acct: 3, Secret: "s", Many: many}
		text, err := set.gateway()
		if err != nil {
			t.Fatal(err)
		}
		got := [3]int{strings.Count(text, "[[client]]"), strings.Count(text, "[[server]]"), strings.Count(text, "[[route]]")}
		if got != want {
			t.Errorf("many=%v: %d clients, servers, routes, want %d", many, got, want)
		}
		if n := strings.Count(set.radsecproxy(), "\nrealm "); n != want[2] {
			t.Errorf("many=%v: radsecproxy has %d realms, want %d", many, n, want[2])
		}
	}
}
