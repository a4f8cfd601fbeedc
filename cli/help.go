package cli

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// usage prints which commands there are.
func (p *Program) usage(w io.Writer) {
	fmt.Fprintf(w, "%s %s.\n\nUsage: %s COMMAND [flags] [arguments]\n\n", p.Name, p.Summary, p.Name)
	for _, c := range p.Commands {
		fmt.Fprintf(w, "  %-11s %s\n", c.Name, c.Summary)
	}
	fmt.Fprintf(w, "\n%s help COMMAND explains a command, its flags and examples.\n", p.Name)
}

// help prints everything about a command.
func (p *Program) help(c *Command, w io.Writer) {
	fmt.Fprintf(w, "%s %s: %s\n\nUsage: %s\n", p.Name, c.Name, c.Summary, p.synopsis(c))
	if c.Details != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(c.Details))
	}
	if flags := c.flagList(); len(flags) > 0 {
		fmt.Fprint(w, "\nFlags:\n")
		for _, f := range flags {
			value, text := describe(f)
			fmt.Fprintf(w, "  -%s\n        %s\n", strings.TrimSpace(f.Name+" "+value), text)
		}
	}
	if len(c.Exit) > 0 {
		fmt.Fprint(w, "\nExit status:\n")
		for _, e := range c.Exit {
			fmt.Fprintf(w, "  %-3s %s\n", e.Name, e.Text)
		}
	}
	if len(c.Examples) > 0 {
		fmt.Fprint(w, "\nExamples:\n")
		for _, e := range c.Examples {
			fmt.Fprintf(w, "  # %s\n  %s\n", e.Text, e.Line)
		}
	}
}

// synopsis returns how a command is called.
func (p *Program) synopsis(c *Command) string {
	s := p.Name + " " + c.Name
	if len(c.flagList()) > 0 {
		s += " [flags]"
	}
	return strings.TrimSpace(s + " " + c.Args)
}

// describe returns what stands for the value of a flag, "" for a switch, and its text with
// the default.
func describe(f *flag.Flag) (value, text string) {
	value, text = flag.UnquoteUsage(f)
	if isSwitch(f) {
		return "", text
	}
	if value == "" {
		value = "VALUE"
	}
	value = strings.ToUpper(value)
	switch f.DefValue {
	case "", "0", "0s":
		return value, text
	}
	return value, fmt.Sprintf("%s (default %s)", text, f.DefValue)
}
