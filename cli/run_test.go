package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
)

// toy is a program with a command that prints what it got.
func toy() *Program {
	c := New("show", "print what it got")
	c.Args, c.MaxArgs = "[WORD...]", 2
	c.Details = "First.\n\nSecond."
	c.Exit = []Entry{{"0", "Always."}}
	c.Examples = []Example{{"One word", "toy show word"}}
	name := c.Flags.String("name", "nobody", "a `NAME`")
	file := c.Flags.String("file", "", "a `FILE`")
	loud := c.Flags.Bool("loud", false, "in capitals; as others do")
	c.Run = func(args []string, stdout, _ io.Writer) int {
		fmt.Fprintf(stdout, "%q %q %q %v\n", args, *name, *file, *loud)
		return 7
	}
	return &Program{Name: "toy", Summary: "shows", Commands: []*Command{c, New("version", "print the version")}}
}

// Flags come before, between and after the arguments, with one hyphen or two, and not after
// "--". Mistakes are explained on standard error, help is printed on standard output.
func TestRun(t *testing.T) {
	for _, row := range []struct {
		line           string
		status         int
		stdout, stderr string // beginnings
	}{
		{"show", 7, `[] "nobody" "" false`, ""},
		{"show a -name x b --loud", 7, `["a" "b"] "x" "" true`, ""},
		{"show --name=x -loud=false a", 7, `["a"] "x" "" false`, ""},
		{"show -name x -name y", 7, `[] "y" "" false`, ""},
		{"show a -- -name x", 2, "", "toy show: unexpected argument \"x\"\nsee: toy help show\n"},
		{"show -- -name", 7, `["-name"] "nobody" "" false`, ""},
		{"show - a", 7, `["-" "a"] "nobody" "" false`, ""},
		{"show a b c", 2, "", "toy show: unexpected argument \"c\"\n"},
		{"show -nam x", 2, "", "toy show: unknown flag -nam (did you mean -name?)\n"},
		{"show --LOUD", 2, "", "toy show: unknown flag -LOUD (did you mean -loud?)\n"},
		{"show -colour", 2, "", "toy show: unknown flag -colour; expected one of -file, -loud, -name\n"},
		{"show -name", 2, "", "toy show: flag needs an argument: -name\n"},
		{"show -loud=perhaps", 2, "", "toy show: invalid boolean value \"perhaps\" for -loud"},
		{"version -x", 2, "", "toy version: unknown flag -x; there are no flags\n"},
		{"shwo", 2, "", "toy: \"shwo\" is not a command (did you mean \"show\"?)\nsee: toy help\n"},
		{"dance", 2, "", "toy: \"dance\" is not a command; expected one of show, version\n"},
		{"-name x show", 2, "", "toy: expected a command first, got the flag -name: "},
		{"", 2, "", "toy shows.\n\nUsage: toy COMMAND"},
		{"-h", 0, "toy shows.\n\nUsage: toy COMMAND", ""},
		{"show a --help", 0, "toy show: print what it got\n\nUsage: toy show [flags] [WORD...]\n\nFirst.\n\nSecond.\n\nFlags:\n" +
			"  -file FILE\n        a FILE\n  -loud\n        in capitals; as others do\n  -name NAME\n        a NAME (default nobody)\n\n" +
			"Exit status:\n  0   Always.\n\nExamples:\n  # One word\n  toy show word\n", ""},
	} {
		var stdout, stderr bytes.Buffer
		status := toy().Run(strings.Fields(row.line), &stdout, &stderr)
		begins := strings.HasPrefix(stdout.String(), row.stdout) && strings.HasPrefix(stderr.String(), row.stderr)
		if status != row.status || !begins || (row.stdout == "") != (stdout.Len() == 0) || (row.stderr == "") != (stderr.Len() == 0) {
			t.Errorf("toy %s: expected %d, %q and %q, got %d, %q and %q", row.line, row.status, row.stdout, row.stderr, status, stdout.String(), stderr.String())
		}
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// What a full disk does not take is not a success: a page of the manual, a completion or a
// hash that is missing must not look as if there were none.
func TestIncompleteOutputIsAFailure(t *testing.T) {
	for _, line := range []string{"-h", "show -h", "show --help"} {
		var stderr bytes.Buffer
		if status := toy().Run(strings.Fields(line), fullDisk{}, &stderr); status != ExitFailure || !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("toy %s on a full disk: expected status %d and why, got %d and %q", line, ExitFailure, status, stderr.String())
		}
	}
}
