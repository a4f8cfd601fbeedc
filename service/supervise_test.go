package service

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

	"radsec-gw/bench/process"
	"radsec-gw/gateway"
	"radsec-gw/gateway/gatewaytest"
)

// supervised is a gateway under Supervise.
type supervised struct {
	*gateway.Gateway
	file    string // the configuration
	log     *process.Output
	signals chan<- os.Signal // sending one returns when Supervise has received it
	ended   <-chan error     // what Supervise returned
}

// startSupervised starts a gateway, on its listener if there is one.
func startSupervised(t *testing.T, listeners ...net.Listener) *supervised {
	t.Helper()
	_, file := gatewaytest.Dir(t, gatewaytest.Config(1812))
	p, err := gateway.Load(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	log := new(process.Output)
	logger := slog.New(slog.NewTextHandler(log, nil))
	ctx, cancel := context.WithCancel(context.Background())
	g, err := gateway.Start(ctx, p, gateway.Options{Log: logger, Listeners: listeners})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	signals, ended := make(chan os.Signal), make(chan error, 1)
	go func() { ended <- Supervise(g, signals, cancel, logger) }()
	return &supervised{Gateway: g, file: file, log: log, signals: signals, ended: ended}
}

// hangingListener is a listener whose Addr and Close can be made to block.
type hangingListener struct {
	net.Listener
	addr, end sync.Mutex // held to make Addr or Close block
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

// SIGHUPs that arrive while a reload reads cause one more reload after it, which reads what
// they were sent for.
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
	gatewaytest.Await(t, g.log, "msg=reloaded what=configuration")
	g.signals <- syscall.SIGTERM
	if err := <-g.ended; err != nil {
		t.Error(err)
	}
	text := g.log.String()
	if refused, taken := strings.Count(text, "nonsense: unknown key"), strings.Count(text, "msg=reloaded"); refused != 1 || taken != 1 {
		t.Errorf("expected one reload of the first file and one of the second, got %d and %d:\n%s", refused, taken, text)
	}
}

// SIGTERM cancels a reload that reads, and nothing of it is put in use.
//
// Fault W15.
func TestTerminationCancelsAReload(t *testing.T) {
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
	gatewaytest.Await(t, g.log, "reload canceled, the gateway is about to stop")
	if strings.Contains(g.log.String(), "reload refused") {
		t.Errorf("expected the reload to be given up and not refused, got\n%s", g.log.String())
	}
}

// Watchdog notifications are sent to systemd while the gateway responds, also during a reload
// that reads, and not while something that everything needs does not answer.
//
// Fault W12.
func TestWatchdogNotifications(t *testing.T) {
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
	notifications := func(within time.Duration, want int) (n int) {
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
	if n := notifications(gatewaytest.Patience, 5); n != 5 {
		t.Fatalf("expected 5 notifications, got %d", n)
	}
	file := g.file
	gatewaytest.Block(t, file)
	g.signals <- syscall.SIGHUP
	pipe, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := notifications(gatewaytest.Patience, 20); n != 20 {
		t.Errorf("expected 20 notifications during a reload, got %d", n)
	}
	pipe.Close()
	l.addr.Lock()
	notifications(time.Second, 3) // those that were sent before
	if n := notifications(300*time.Millisecond, 1); n != 0 {
		t.Error("expected no notification while the gateway does not respond, got one")
	}
	l.addr.Unlock()
	if n := notifications(gatewaytest.Patience, 5); n != 5 {
		t.Errorf("expected 5 notifications after it responds again, got %d", n)
	}
	g.signals <- syscall.SIGTERM
	if err := <-g.ended; err != nil {
		t.Error(err)
	}
}

// A gateway that does not end keeps the process only for a limited time.
//
// Fault W15.
func TestSuperviseEndsWithoutTheGateway(t *testing.T) {
	l := newHangingListener(t)
	g := startSupervised(t, l)
	l.end.Lock()
	g.signals <- syscall.SIGTERM
	g.signals <- syscall.SIGTERM
	err := <-g.ended
	if err == nil || !strings.Contains(err.Error(), "the process exits anyway") {
		t.Errorf("with a listener that does not close: expected an error, got %v", err)
	}
	l.end.Unlock()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}
