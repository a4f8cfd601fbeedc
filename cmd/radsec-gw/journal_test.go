//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// streamOf returns what systemd puts into JOURNAL_STREAM for a file.
func streamOf(t *testing.T, f *os.File) string {
	t.Helper()
	var s syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &s); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d:%d", s.Dev, s.Ino)
}

// A gateway whose standard error is the journal writes the priority of each line, and one
// whose standard error is something else does not, although it inherits the variable.
//
// Fault O10.
func TestPrioritiesForTheJournal(t *testing.T) {
	for _, journal := range []bool{true, false} {
		log := logFile(t)
		stream := streamOf(t, log)
		if !journal {
			stream += "1"
		}
		t.Setenv("JOURNAL_STREAM", stream)
		g := serveWith(t, builtProgram(t), log)
		g.connect()
		g.signal(syscall.SIGUSR1)
		g.terminate()
		text, err := os.ReadFile(log.Name())
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if has := strings.HasPrefix(line, "<"); has != journal {
				t.Errorf("journal %t: got the line %q", journal, line)
			}
		}
		if journal && !strings.Contains(string(text), "<6>time=") {
			t.Errorf("expected lines of priority 6, got\n%s", text)
		}
	}
}

// Mistakes in the configuration are errors to the journal.
//
// Fault O10.
func TestMistakesAreErrorsToTheJournal(t *testing.T) {
	log := logFile(t)
	t.Setenv("JOURNAL_STREAM", streamOf(t, log))
	cmd := exec.Command(builtProgram(t), "serve", "-config", t.TempDir()+"/none.toml")
	cmd.Stderr = log
	cmd.Run()
	if status := cmd.ProcessState.ExitCode(); status != exitConfig {
		t.Errorf("expected exit status %d, got %d", exitConfig, status)
	}
	text, err := os.ReadFile(log.Name())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), "<3>") {
		t.Errorf("expected a line of priority 3, got %q", text)
	}
}
