package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"radsec-gw/config/nearest"
)

const (
	ExitFailure = 1 // exit status of a command that failed
	ExitUsage   = 2 // exit status for a usage error
)

// checkedWriter remembers the first error of a writer.
type checkedWriter struct {
	io.Writer
	err error
}

func (w *checkedWriter) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if err != nil && w.err == nil {
		w.err = err
	}
	return n, err
}

// Run runs a command line without the program's name, and returns the exit status. What
// was asked for is printed on stdout, with status 0; a usage error is printed on stderr,
// with status ExitUsage and the name that was likely meant. Where stdout did not take all, as
// on a full disk, a status of 0 becomes ExitFailure, and stderr says why.
func (p *Program) Run(args []string, stdout, stderr io.Writer) int {
	checked := &checkedWriter{Writer: stdout}
	status := p.run(args, checked, stderr)
	if status == 0 && checked.err != nil {
		fmt.Fprintf(stderr, "%s: the output is incomplete: %v\n", p.Name, checked.err)
		return ExitFailure
	}
	return status
}

func (p *Program) run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		p.usage(stderr)
		return ExitUsage
	}
	name, args := args[0], args[1:]
	switch name {
	case "-h", "-help", "--help":
		p.usage(stdout)
		return 0
	case "-v", "-version", "--version":
		name = "version"
	}
	c := p.command(name)
	if c == nil {
		return p.notACommand(name, stderr)
	}
	rest, err := c.parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		p.help(c, stdout)
		return 0
	case err != nil:
		return p.Misused(c, stderr, err)
	}
	return c.Run(rest, stdout, stderr)
}

// Help prints what a command does; without a name, which commands there are. It returns
// the exit status.
func (p *Program) Help(name string, stdout, stderr io.Writer) int {
	if name == "" {
		p.usage(stdout)
		return 0
	}
	c := p.command(name)
	if c == nil {
		return p.notACommand(name, stderr)
	}
	p.help(c, stdout)
	return 0
}

// Misused reports a usage error of a command, and returns the exit status.
func (p *Program) Misused(c *Command, stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "%s %s: %v\nsee: %s help %s\n", p.Name, c.Name, err, p.Name, c.Name)
	return ExitUsage
}

// notACommand reports that there is no such command.
func (p *Program) notACommand(name string, stderr io.Writer) int {
	switch meant := nearest.Of(name, p.names()); {
	case strings.HasPrefix(name, "-"):
		fmt.Fprintf(stderr, "%s: expected a command first, got the flag %s: flags follow the command\n", p.Name, name)
	case meant != "":
		fmt.Fprintf(stderr, "%s: %q is not a command (did you mean %q?)\n", p.Name, name, meant)
	default:
		fmt.Fprintf(stderr, "%s: %q is not a command; expected one of %s\n", p.Name, name, strings.Join(p.names(), ", "))
	}
	fmt.Fprintf(stderr, "see: %s help\n", p.Name)
	return ExitUsage
}

// parse parses the flags, which may come before, between and after the arguments, and
// returns the arguments. After "--" everything is an argument.
func (c *Command) parse(args []string) (rest []string, err error) {
	for {
		if err := c.Flags.Parse(args); err != nil {
			return nil, c.explain(err)
		}
		parsed := len(args) - c.Flags.NArg()
		ended := parsed > 0 && args[parsed-1] == "--"
		args = c.Flags.Args()
		if ended {
			rest, args = append(rest, args...), nil
		}
		if len(args) == 0 {
			break
		}
		rest, args = append(rest, args[0]), args[1:]
	}
	if len(rest) > c.MaxArgs {
		return nil, fmt.Errorf("unexpected argument %q", rest[c.MaxArgs])
	}
	return rest, nil
}

// explain adds to the error about an unknown flag which one was likely meant.
func (c *Command) explain(err error) error {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return err
	}
	var names []string
	for _, f := range c.flagList() {
		names = append(names, f.Name)
	}
	switch meant := nearest.Of(name, names); {
	case meant != "":
		return fmt.Errorf("unknown flag -%s (did you mean -%s?)", name, meant)
	case len(names) == 0:
		return fmt.Errorf("unknown flag -%s; there are no flags", name)
	}
	slices.Sort(names)
	return fmt.Errorf("unknown flag -%s; expected one of -%s", name, strings.Join(names, ", -"))
}
