package cli

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// Shells returns the shells that Completion knows.
func Shells() []string { return []string{"bash", "zsh", "fish"} }

// Completion writes a script with which one of Shells completes the program's commands,
// flags, and their values.
func (p *Program) Completion(shell string, w io.Writer) error {
	switch shell {
	case "bash":
		p.bash(w)
	case "zsh":
		p.zsh(w)
	case "fish":
		p.fish(w)
	default:
		return fmt.Errorf("expected %s, got %q", strings.Join(Shells(), ", "), shell)
	}
	return nil
}

// valueKind says what completes the value of a flag.
type valueKind int

const (
	noValue valueKind = iota // it is a switch
	anyValue
	listedValue // one of Command.Values
	fileValue
	directoryValue
)

// kindOf returns what completes the value of a flag.
func (c *Command) kindOf(f *flag.Flag) valueKind {
	name, _ := describe(f)
	switch {
	case isSwitch(f):
		return noValue
	case len(c.Values[f.Name]) > 0:
		return listedValue
	case name == "FILE":
		return fileValue
	case name == "DIRECTORY":
		return directoryValue
	}
	return anyValue
}

// quoteShell quotes a word for any of the shells.
func quoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// function returns the program's name as a name in a shell.
func (p *Program) function() string { return "_" + strings.ReplaceAll(p.Name, "-", "_") }

// brief returns the text of a flag, as short as a menu needs it.
func brief(f *flag.Flag) string {
	_, text := flag.UnquoteUsage(f)
	for _, end := range []string{";", " (", ": "} {
		text, _, _ = strings.Cut(text, end)
	}
	return text
}
