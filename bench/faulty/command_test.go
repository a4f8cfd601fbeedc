package faulty

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// The command says where it answers, obeys, and says what it counted.
func TestCommand(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, commands := io.Pipe()
	out := &text{more: make(chan struct{}, 1)}
	done := make(chan error, 1)
	go func() {
		args := []string{"-auth", "127.0.0.1:0", "-acct", "127.0.0.1:0", "-secret", secret, "-seed", "5", "-drop", "10", "-stall"}
		done <- command(ctx, flag.NewFlagSet("faulty", flag.ContinueOnError), args, in, out)
	}()
	for _, row := range []struct{ say, want string }{
		{"", "seed 5, faults: drop-in 10, drop-out 10, stall on"},
		{"heal", "faults: none"},
		{"delay 5ms", "faults: delay 5ms"},
		{"drop 101", "drop: expected a percentage from 0 to 100"},
		{"delay never", "delay: expected a duration"},
		{"stall maybe", "stall: expected on or off"},
		{"explode", `unknown fault "explode"`},
		{"die", "faults: delay 5ms"},
		{"live", "faults: delay 5ms"},
		{"counts", "got nothing; bad 0"},
		{"help", "commands on standard input"},
	} {
		if row.say != "" {
			fmt.Fprintln(commands, row.say)
		}
		out.await(t, row.want)
	}
	commands.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for _, args := range [][]string{{"-auth", "192.0.2.1:1812"}, {"-secret", ""}, {"-rounds", "100"}, {"-drop", "x"}} {
		fs := flag.NewFlagSet("faulty", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		if err := command(t.Context(), fs, args, in, out); err == nil {
			t.Errorf("%q: no error, expected one", args)
		}
	}
}

// text is what a command printed, each await continuing after the previous one.
type text struct {
	mu   sync.Mutex
	b    bytes.Buffer
	more chan struct{}
}

func (o *text) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b.Write(p)
	select {
	case o.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (o *text) await(t *testing.T, want string) {
	t.Helper()
	over := time.After(patience)
	for {
		o.mu.Lock()
		printed := o.b.String()
		i := strings.Index(printed, want)
		if i >= 0 {
			o.b.Next(i + len(want))
		}
		o.mu.Unlock()
		if i >= 0 {
			return
		}
		select {
		case <-o.more:
		case <-over:
			t.Fatalf("expected %q, got\n%s", want, printed)
		}
	}
}
