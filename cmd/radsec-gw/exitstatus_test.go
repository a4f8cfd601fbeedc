//go:build linux

package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/gateway/gatewaytest"
)

// status runs a program to its end and returns its exit status.
func status(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Run() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode()
	case <-time.After(2 * gatewaytest.Patience):
		cmd.Process.Kill()
		<-ended
		t.Errorf("%v does not end", cmd.Args)
		return -1
	}
}

// A mistake in the configuration, or in a file that it names, has an exit status of its own; a
// failure that may be temporary does not. If a file blocks, the error names it.
//
// Faults L6, W15.
func TestExitStatus(t *testing.T) {
	program := builtProgram(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	good := gatewaytest.ConfigAt(gatewaytest.UnusedAddress(t), 1812, "")
	for _, row := range []struct {
		name   string
		change func(t *testing.T, dir, file string)
		want   int
		says   string
	}{
		{"an unknown key", func(t *testing.T, _, file string) { gatewaytest.WriteFile(t, file, []byte(good+"unheard_of = 1\n")) }, 78, "unheard_of: unknown key"},
		{"no file", func(t *testing.T, _, file string) { os.Remove(file) }, 78, "there is no " /* its name */},
		{"a certificate that is not one", func(t *testing.T, dir, _ string) {
			gatewaytest.WriteFile(t, filepath.Join(dir, "certs/dev/server.pem"), []byte("noise"))
		}, 78, "listen.certificate"},
		{"a pipe for a certificate", func(t *testing.T, dir, _ string) { gatewaytest.Block(t, filepath.Join(dir, "certs/dev/server.pem")) }, 78,
			"server.pem is not a regular file"},
		{"a port in use", func(t *testing.T, _, file string) {
			gatewaytest.WriteFile(t, file, []byte(gatewaytest.ConfigAt(taken.Addr().String(), 1812, "")))
		}, 1, "address already in use"},
		{"a file that blocks", func(t *testing.T, _, file string) { gatewaytest.Block(t, file) }, 1, "c.toml blocks: expected an answer within"},
		{"few descriptors", nil, 1, "10 descriptors (RLIMIT_NOFILE) are too few: expected at least"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir, file := gatewaytest.Dir(t, good)
			cmd := exec.Command(program, "serve", "-config", file)
			if row.change != nil {
				row.change(t, dir, file)
			} else {
				cmd = exec.Command("sh", "-c", `ulimit -n 10; exec "$0" "$@"`, program, "serve", "-config", file)
			}
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if got := status(t, cmd); got != row.want || !strings.Contains(stderr.String(), row.says) {
				t.Errorf("expected exit status %d and %q, got %d and\n%s", row.want, row.says, got, stderr.String())
			}
		})
	}
}

// Mistakes end the program even if its standard error is not read.
func TestExitStatusIntoAFullPipe(t *testing.T) {
	_, file := gatewaytest.Dir(t, "nonsense = 1\n")
	_, w := pipe(t)
	fill(t, w)
	cmd := exec.Command(builtProgram(t), "serve", "-config", file)
	cmd.Stderr = w
	if got := status(t, cmd); got != exitConfig {
		t.Errorf("expected exit status %d, got %d", exitConfig, got)
	}
}
