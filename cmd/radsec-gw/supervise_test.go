package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"radsec-gw/gateway"
	"radsec-gw/gateway/gatewaytest"
)

// supervised is a gateway under supervise.
type supervised struct {
	*gateway.Gateway
	file    string // the configuration
	log     *gatewaytest.Log
	signals chan<- os.Signal // sending one returns when supervise has taken it
	ended   <-chan error     // what supervise returned
}

// startSupervised starts a gateway, on its listener if there is one.
func startSupervised(t *testing.T, listeners ...net.Listener) *supervised {
	t.Helper()
	_, file := gatewaytest.Dir(t, gatewaytest.Config(1812))
	p, err := gateway.Load(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	log := new(gatewaytest.Log)
	logger := slog.New(slog.NewTextHandler(log, nil))
	ctx, cancel := context.WithCancel(context.Background())
	g, err := gateway.Start(ctx, p, gateway.Options{Log: logger, Listeners: listeners})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	signals, ended := make(chan os.Signal), make(chan error, 1)
	sd := newSystemd(logger)
	t.Cleanup(sd.close)
	go func() { ended <- supervise(g, signals, cancel, sd) }()
	return &supervised{Gateway: g, file: file, log: log, signals: signals, ended: ended}
}

// hangingListener is a listener whose address and end can be kept waiting.
type hangingListener struct {
	net.Listener
	addr, end sync.Mutex // who asks for the address, or closes, waits for it
}

func newHangingListener(t *testing.T) *hangingListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &hangingListener{Listener: l}
}

func (l *hangingListener) Addr() net.Addr {
	l.addr.Lock()
	defer l.addr.Unlock()
	return l.Listener.Addr()
}

func (l *hangingListener) Close() error {
	l.end.Lock()
	defer l.end.Unlock()
	return l.Listener.Close()
}

// SIGHUPs that come while a reload reads make one more reload after it, which
// reads what they were sent for.
func TestSignalsDuringAReloadMakeOneMore(t *testing.T) {
	g := startSupervised(t)
	file := g.file
	gatewaytest.Block(t, file)
	g.signals <- syscall.SIGHUP
	pipe, err := os.OpenFile(file, os.O_WRONLY, 0) // returns when the first reload has it open
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		g.signals <- syscall.SIGHUP
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	gatewaytest.WriteFile(t, file, []byte(gatewaytest.Config(1812)))
	if _, err := pipe.WriteString("nonsense = 1\n"); err != nil {
		t.Fatal(err)
	}
	pipe.Close()
	g.log.Await(t, "msg=reloaded what=configuration")
	g.signals <- syscall.SIGTERM
	if err := <-g.ended; err != nil {
		t.Error(err)
	}
	text := g.log.String()
	if refused, taken := strings.Count(text, "nonsense: unknown key"), strings.Count(text, "msg=reloaded"); refused != 1 || taken != 1 {
		t.Errorf("%d reloads read what was there first and %d what came after it, want one of each:\n%s", refused, taken, text)
	}
}

// SIGTERM ends a reload that reads, and nothing of it is used.
//
// Fault W15.
func TestTerminationGivesAReloadUp(t *testing.T) {
	g := startSupervised(t)
	file := g.file
	gatewaytest.Block(t, file)
	g.signals <- syscall.SIGHUP
	pipe, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	g.signals <- syscall.SIGTERM
	if err := <-g.ended; err != nil {
		t.Error(err)
	}
	g.log.Await(t, "reload given up, the gateway is about to stop")
	if strings.Contains(g.log.String(), "reload refused") {
		t.Errorf("a reload that was given up counts as refused:\n%s", g.log.String())
	}
}

// Signs of life go to systemd while the gateway responds, also during a reload
// that reads, and not while something that everything needs does not answer.
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
	l := newHangingListener(t)
	g := startSupervised(t, l)
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
	if n := signs(gatewaytest.Patience, 5); n != 5 {
		t.Fatalf("%d signs of life, want 5", n)
	}
	file := g.file
	gatewaytest.Block(t, file)
	g.signals <- syscall.SIGHUP
	pipe, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := signs(gatewaytest.Patience, 20); n != 20 {
		t.Errorf("%d signs of life during a reload, want 20", n)
	}
	pipe.Close()
	l.addr.Lock()
	signs(time.Second, 3) // those on their way
	if n := signs(300*time.Millisecond, 1); n != 0 {
		t.Error("a gateway that does not respond gives a sign of life")
	}
	l.addr.Unlock()
	if n := signs(gatewaytest.Patience, 5); n != 5 {
		t.Errorf("%d signs of life after it responds again, want 5", n)
	}
	g.signals <- syscall.SIGTERM
	if err := <-g.ended; err != nil {
		t.Error(err)
	}
}

// What does not end keeps the process for a bounded time only.
//
// Fault W15.
func TestSuperviseDoesNotWaitForEver(t *testing.T) {
	l := newHangingListener(t)
	g := startSupervised(t, l)
	l.end.Lock()
	g.signals <- syscall.SIGTERM
	g.signals <- syscall.SIGTERM
	err := <-g.ended
	if err == nil || !strings.Contains(err.Error(), "the process exits all the same") {
		t.Errorf("with a listener that does not close supervise returned %v", err)
	}
	l.end.Unlock()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}
