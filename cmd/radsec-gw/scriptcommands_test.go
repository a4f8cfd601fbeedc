package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptPatience is how long a script waits for a line or for the end of a program. Nothing takes so
// long; it only ends a test that would hang.
const scriptPatience = 30 * time.Second

// scriptExits is the command
//
//	exits STATUS PROGRAM ARGUMENT...
//
// which runs the program, as exec does, and wants that exit status.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM ARGUMENT...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var failed *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &failed) {
		got = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d\n[stdout]\n%s[stderr]\n%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// scriptMatches is the command
//
//	matches FILE WANT
//
// which compares two files, or stdout or stderr, line by line. In WANT "..." stands for any text,
// and as a line of its own for any number of lines.
func scriptMatches(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: matches FILE WANT")
	}
	got := ts.ReadFile(args[0])
	if err := matchLines(got, ts.ReadFile(args[1])); err != nil {
		ts.Fatalf("%s: %v\n%s", args[0], err, got)
	}
}

// matchLines compares text with want, which has "..." for any text or any lines.
func matchLines(text, want string) error {
	pattern := "^"
	for line := range strings.Lines(want) {
		if line == "...\n" {
			pattern += `(?:.*\n)*?`
		} else {
			pattern += strings.ReplaceAll(regexp.QuoteMeta(line), `\.\.\.`, `.*`)
		}
		if !regexp.MustCompile(pattern).MatchString(text) {
			return fmt.Errorf("want the line %q at its place in", strings.TrimSuffix(line, "\n"))
		}
	}
	if !regexp.MustCompile(pattern + "$").MatchString(text) {
		return errors.New("want nothing after the last line of those wanted in")
	}
	return nil
}

// scriptAwait is the command
//
//	await FILE PATTERN
//
// which waits until a line of the file matches the regular expression. The text of a named group,
// (?P<address>...), is then in the environment under that name.
func scriptAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE PATTERN")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for start := time.Now(); ; <-tick.C {
		b, err := os.ReadFile(ts.MkAbs(args[0]))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			ts.Fatalf("%v", err)
		}
		if m := pattern.FindSubmatch(b); m != nil {
			for i, name := range pattern.SubexpNames() {
				if name != "" {
					ts.Setenv(name, string(m[i]))
				}
			}
			return
		}
		if time.Since(start) > scriptPatience {
			ts.Fatalf("after %v no line of %s matches %s:\n%s", scriptPatience, args[0], args[1], b)
		}
	}
}

// background are the programs that a script has started.
type background struct {
	env      []string
	programs map[string]*exec.Cmd
}

const backgroundKey = "background"

// scriptStart is the command
//
//	start NAME PROGRAM ARGUMENT...
//
// which starts the program in the background. NAME.out has what it prints, errors too.
func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME PROGRAM ARGUMENT...")
	}
	out, err := os.Create(ts.MkAbs(args[0] + ".out"))
	ts.Check(err)
	defer out.Close()
	b := ts.Value(backgroundKey).(*background)
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), b.env, out, out
	ts.Check(cmd.Start())
	b.programs[args[0]] = cmd
	ts.Defer(func() { // of a script that has failed before ends
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
}

// program returns the program that a script has started under this name.
func program(ts *testscript.TestScript, name string) *exec.Cmd {
	cmd := ts.Value(backgroundKey).(*background).programs[name]
	if cmd == nil {
		ts.Fatalf("no program was started as %q", name)
	}
	return cmd
}

// scriptSignal is the command
//
//	signal HUP|INT|TERM|USR1|USR2 NAME
//
// which sends the signal to a program in the background.
func scriptSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || scriptSignals[args[0]] == nil {
		ts.Fatalf("usage: signal HUP|INT|TERM|USR1|USR2 NAME")
	}
	ts.Check(program(ts, args[1]).Process.Signal(scriptSignals[args[0]]))
}

// scriptEnds is the command
//
//	ends NAME STATUS
//
// which waits for the end of a program in the background and wants that exit status.
func scriptEnds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ends NAME STATUS")
	}
	cmd := program(ts, args[0])
	kill := time.AfterFunc(scriptPatience, func() { cmd.Process.Kill() })
	cmd.Wait()
	kill.Stop()
	if got := strconv.Itoa(cmd.ProcessState.ExitCode()); got != args[1] {
		ts.Fatalf("%s ended with %v, want exit status %s\n%s", args[0], cmd.ProcessState, args[1], ts.ReadFile(args[0]+".out"))
	}
}

// scriptUDPPort is the command
//
//	udpport NAME
//
// which puts a port that no UDP socket of 127.0.0.1 has into the environment under that name.
func scriptUDPPort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: udpport NAME")
	}
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	ts.Check(err)
	defer c.Close()
	ts.Setenv(args[0], strconv.Itoa(c.LocalAddr().(*net.UDPAddr).Port))
}

func TestMatchLines(t *testing.T) {
	const text = "one\ntwo 2\nthree\n"
	for _, c := range []struct {
		want string
		ok   bool
	}{
		{"one\ntwo 2\nthree\n", true},
		{"one\ntwo ...\nthree\n", true},
		{"...\nthree\n", true},
		{"one\n...\n", true},
		{"...\n", true},
		{"one\n", false},
		{"two ...\nthree\n", false},
		{"one\n...\nfour\n", false},
		{"", false},
	} {
		if err := matchLines(text, c.want); (err == nil) != c.ok {
			t.Errorf("%q against %q: %v, want a match: %v", text, c.want, err, c.ok)
		}
	}
}
