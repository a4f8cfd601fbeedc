package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// dev ends with a verified Access-Accept that came through RadSec and UDP, and leaves nothing behind.
func TestDevOnce(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var stdout, stderr bytes.Buffer
	status := run([]string{"dev", "-once", "-address", "127.0.0.1:0", "-metrics", "127.0.0.1:0"}, &stdout, &stderr)
	if status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	for _, want := range []string{"verified Access-Accept", `Reply-Message = "Hello, bob"`, `Access-Request of "bob" over UDP`} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the transcript lacks %q", want)
		}
	}
	if t.Failed() {
		t.Logf("%s\n%s", stdout.String(), stderr.String())
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// A port in use is replaced by a free one, and dev says so.
func TestDevPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var out bytes.Buffer
	address, err := freeAddress(l.Addr().String(), &out)
	if err != nil || address == l.Addr().String() || !strings.Contains(out.String(), "taking "+address) {
		t.Errorf("took %q (%v) and said %q, want another port and a word about it", address, err, out.String())
	}
	if _, err := freeAddress("192.0.2.1:2083", &out); err == nil {
		t.Error("an address that is not this machine's was taken")
	}
}

// The commands that dev prints work when pasted into a shell.
func TestDevNextCommands(t *testing.T) {
	program := t.TempDir() + "/radsec-gw"
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithCancel(context.Background())
	printed, transcript := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		var stderr bytes.Buffer
		err := dev(ctx, &devOptions{address: "127.0.0.1:0", metrics: "127.0.0.1:0"}, transcript, &stderr)
		transcript.CloseWithError(err)
		ended <- err
	}()
	defer func() {
		cancel()
		go io.Copy(io.Discard, printed)
		if err := <-ended; err != nil {
			t.Errorf("dev ended with %v", err)
		}
	}()
	commands := readCommands(t, printed)
	if len(commands) != 8 {
		t.Fatalf("dev printed %d commands, want 8: %q", len(commands), commands)
	}
	go io.Copy(io.Discard, printed)
	refused := regexp.MustCompile("-password wrong|-user alice")
	for _, c := range commands {
		_, arguments, ok := strings.Cut(c, " probe ")
		if ok {
			c = program + " probe " + arguments
		}
		within, done := context.WithTimeout(ctx, 30*time.Second)
		out, err := exec.CommandContext(within, "sh", "-c", c).CombinedOutput()
		done()
		if refused.MatchString(c) != (err != nil) {
			t.Errorf("%s\nended with %v:\n%s", c, err, out)
		}
	}
}

// readCommands reads dev's transcript up to the last command.
func readCommands(t *testing.T, printed io.Reader) []string {
	t.Helper()
	var text strings.Builder
	b := make([]byte, 4096)
	for !strings.Contains(text.String(), "/metrics | grep") {
		n, err := printed.Read(b)
		text.Write(b[:n])
		if err != nil {
			t.Fatalf("dev ended before it printed its commands: %v\n%s", err, text.String())
		}
	}
	return regexp.MustCompile(`(?m)^(?:.+ probe .+|curl .+)$`).FindAllString(text.String(), -1)
}
