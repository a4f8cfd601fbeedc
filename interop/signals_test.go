package interop

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
	"radsec-gw/probe"
)

// service is the real program with a stand-in for systemd.
type service struct {
	t       *testing.T
	process *process.Process
	notify  *net.UnixConn
	file    string // the configuration
	radsec  int
}

// startService runs the program with a socket opened for it and one to notify.
func startService(t *testing.T) *service {
	t.Helper()
	dir := t.TempDir()
	s := &service{t: t, file: filepath.Join(dir, "radsec-gw.toml")}
	var p bedPorts
	if err := p.choose(); err != nil {
		t.Fatal(err)
	}
	b := *shared
	b.ports.metrics = p.metrics
	text := strings.ReplaceAll(b.gatewayConfig(), `"certs/`, `"`+shared.path("certs")+"/")
	text = strings.Replace(text, "[listen]", "[listen]\ndrain_timeout = \"5s\"", 1)
	if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	name := filepath.Join(dir, "notify")
	if s.notify, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.notify.Close() })
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.radsec = listener.Addr().(*net.TCPAddr).Port
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	listener.Close() // the program's is a copy
	// LISTEN_PID must be the program's own: the shell becomes it.
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" serve -config "$1"`, testbed.Program(), s.file)
	cmd.ExtraFiles = []*os.File{socket} // descriptor 3
	cmd.Env = append(os.Environ(), "LISTEN_FDS=1", "NOTIFY_SOCKET="+name, "WATCHDOG_USEC=400000")
	s.process, err = process.Start(cmd)
	socket.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.process.Kill)
	return s
}

// notified waits for a notification that contains text; others may precede it.
func (s *service) notified(text string) {
	s.t.Helper()
	s.notify.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 1000)
	for {
		n, err := s.notify.Read(b)
		if err != nil {
			printed := s.process.Printed()
			s.t.Fatalf("systemd was not notified of %q: %v; the output:\n%s", text, err, printed)
		}
		if strings.Contains(string(b[:n]), text) {
			return
		}
	}
}

func (s *service) probe() testbed.Result {
	return probeUntil(context.Background(), s.radsec, shared.path("certs"), probe.Config{Kind: probe.Status})
}

// The real program: the socket that it is given, what it reports to systemd, and
// what signals make it do. A second SIGTERM is for TestSecondSignalEndsAtOnce.
func TestSignalsAndSystemd(t *testing.T) {
	s := startService(t)
	s.notified("READY=1")
	s.notified("WATCHDOG=1")
	expect(t, s.probe(), 0, "verified Access-Accept")

	text, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.file, append([]byte("nonsense = 1\n"), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	s.process.Signal(syscall.SIGHUP)
	s.notified("RELOADING=1\nMONOTONIC_USEC=")
	s.notified("READY=1")
	if err := s.process.Await("reload refused", patience); err != nil {
		t.Error(err)
	}
	if err := s.process.Await("nonsense: unknown key", patience); err != nil {
		t.Error(err)
	}
	expect(t, s.probe(), 0, "verified Access-Accept")
	if err := os.WriteFile(s.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s.process.Signal(syscall.SIGHUP)
	if err := s.process.Await("msg=reloaded what=configuration", patience); err != nil {
		t.Error(err)
	}
	expect(t, s.probe(), 0, "verified Access-Accept")

	s.process.Signal(syscall.SIGTERM)
	s.notified("STOPPING=1")
	select {
	case <-s.process.Exited():
		if s.process.Err() != nil {
			t.Errorf("after SIGTERM it ends with %v, want status 0", s.process.Err())
		}
	case <-time.After(patience):
		t.Error("it does not end after SIGTERM")
	}
}

// A waiting request delays the end; a second signal does not wait for it.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0") // a server that never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	s := startService(t)
	s.notified("READY=1")
	text, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), fmt.Sprintf("auth_port = %d", shared.ports.auth),
		fmt.Sprintf("auth_port = %d", silent.LocalAddr().(*net.UDPAddr).Port), 1)
	changed = strings.Replace(changed, `drain_timeout = "5s"`, `drain_timeout = "10m"`, 1)
	if err := os.WriteFile(s.file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	s.process.Signal(syscall.SIGHUP)
	if err := s.process.Await("msg=reloaded what=configuration", patience); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var client sync.WaitGroup
	client.Go(func() {
		probeUntil(ctx, s.radsec, shared.path("certs"), probe.Config{Kind: probe.Access, User: "bob", Password: userPassword, Timeout: time.Minute})
	})
	defer client.Wait()
	defer stop()
	silent.SetReadDeadline(time.Now().Add(patience))
	for b, waits := make([]byte, 4096), false; !waits; { // until the request is there, not a probe of the port's health
		n, _, err := silent.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		waits = n > 0 && b[0] == 1
	}
	s.process.Signal(syscall.SIGTERM)
	s.notified("STOPPING=1")
	select {
	case <-s.process.Exited():
		t.Fatal("it does not wait for requests in flight")
	case <-time.After(300 * time.Millisecond):
	}
	s.process.Signal(syscall.SIGTERM)
	select {
	case <-s.process.Exited():
		if s.process.Err() != nil {
			t.Errorf("it ends with %v, want status 0", s.process.Err())
		}
	case <-time.After(patience):
		t.Error("a second signal does not end it")
	}
}
