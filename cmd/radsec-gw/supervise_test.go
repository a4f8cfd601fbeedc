package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// supervised is a gateway under supervise, and the signals that reach it: sending
// one returns when supervise has taken it.
func supervised(t *testing.T) (g *gateway, log *lockedBuffer, signals chan<- os.Signal, ended <-chan error) {
	t.Helper()
	_, file := checkDir(t, runningText(1812))
	p := planOf(t, file)
	log = new(lockedBuffer)
	logger := slog.New(slog.NewTextHandler(log, nil))
	ctx, cancel := context.WithCancel(context.Background())
	g, err := startGateway(ctx, p, logger)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	to, from := make(chan os.Signal), make(chan error, 1)
	sd := newSystemd(logger)
	t.Cleanup(sd.end)
	go func() { from <- supervise(g, to, cancel, sd) }()
	return g, log, to, from
}

// SIGHUPs that come while a reload reads make one more reload after it, which
// reads what they were sent for.
func TestSignalsDuringAReloadMakeOneMore(t *testing.T) {
	g, log, signals, ended := supervised(t)
	file := g.now.Load().cfg.Path
	block(t, file)
	signals <- syscall.SIGHUP
	pipe, err := os.OpenFile(file, os.O_WRONLY, 0) // returns when the first reload has it open
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		signals <- syscall.SIGHUP
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	writeTestFile(t, file, []byte(runningText(1812)))
	if _, err := pipe.WriteString("nonsense = 1\n"); err != nil {
		t.Fatal(err)
	}
	pipe.Close()
	awaitText(t, log, "msg=reloaded what=configuration")
	signals <- syscall.SIGTERM
	if err := <-ended; err != nil {
		t.Error(err)
	}
	text := log.String()
	if refused, taken := strings.Count(text, "nonsense: unknown key"), strings.Count(text, "msg=reloaded"); refused != 1 || taken != 1 {
		t.Errorf("%d reloads read what was there first and %d what came after it, want one of each:\n%s", refused, taken, text)
	}
}

// SIGTERM ends a reload that reads, and nothing of it is put in force.
//
// Fault W15.
func TestTerminationGivesAReloadUp(t *testing.T) {
	g, log, signals, ended := supervised(t)
	file := g.now.Load().cfg.Path
	block(t, file)
	signals <- syscall.SIGHUP
	pipe, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	signals <- syscall.SIGTERM
	if err := <-ended; err != nil {
		t.Error(err)
	}
	awaitText(t, log, "reload given up, the gateway is about to stop")
	if strings.Contains(log.String(), "reload refused") {
		t.Errorf("a reload that was given up counts as refused:\n%s", log.String())
	}
}

// Signs of life go to systemd while the gateway responds, also during a reload
// that reads, and not while a lock that everything needs is held.
//
// Fault W12.
func TestSignsOfLife(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	t.Setenv("NOTIFY_SOCKET", name)
	t.Setenv("WATCHDOG_USEC", "40000")
	g, _, signals, ended := supervised(t)
	signs := func(within time.Duration, want int) (n int) {
		notify.SetReadDeadline(time.Now().Add(within))
		for b := make([]byte, 1000); n < want; {
			size, err := notify.Read(b)
			if err != nil {
				return n
			}
			if strings.Contains(string(b[:size]), "WATCHDOG=1") {
				n++
			}
		}
		return n
	}
	if n := signs(patience, 5); n != 5 {
		t.Fatalf("%d signs of life, want 5", n)
	}
	file := g.now.Load().cfg.Path
	block(t, file)
	signals <- syscall.SIGHUP
	pipe, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := signs(patience, 20); n != 20 {
		t.Errorf("%d signs of life during a reload, want 20", n)
	}
	pipe.Close()
	g.reloading.Lock()
	signs(time.Second, 3) // those on their way
	if n := signs(300*time.Millisecond, 1); n != 0 {
		t.Error("a gateway that does not respond gives a sign of life")
	}
	g.reloading.Unlock()
	if n := signs(patience, 5); n != 5 {
		t.Errorf("%d signs of life after it responds again, want 5", n)
	}
	signals <- syscall.SIGTERM
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What does not end keeps the process for a bounded time only.
//
// Fault W15.
func TestSuperviseDoesNotWaitForEver(t *testing.T) {
	g, _, signals, ended := supervised(t)
	hangs := make(chan struct{})
	g.running.Go(func() { <-hangs })
	signals <- syscall.SIGTERM
	signals <- syscall.SIGTERM
	err := <-ended
	if err == nil || !strings.Contains(err.Error(), "the process exits all the same") {
		t.Errorf("with a goroutine that hangs supervise returned %v", err)
	}
	close(hangs)
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}
