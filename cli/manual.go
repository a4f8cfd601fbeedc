package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Manual writes the manual page of the program, in section 8 (administration), for man.
func (p *Program) Manual(w io.Writer, date time.Time, version string) {
	r := NewRoff(w, p.Name, 8, date, p.Name+" "+version)
	r.Section("NAME")
	fmt.Fprintf(w, "%s \\- %s\n", escapeLine(p.Name), escapeLine(p.Summary))
	r.Section("SYNOPSIS")
	for i, c := range p.Commands {
		if i > 0 {
			fmt.Fprintln(w, ".br")
		}
		fmt.Fprintf(w, "\\fB%s\\fR%s\n", escapeLine(p.Name+" "+c.Name), escapeLine(strings.TrimPrefix(p.synopsis(c), p.Name+" "+c.Name)))
	}
	r.Section("DESCRIPTION")
	r.Paragraphs(p.Details)
	r.Section("COMMANDS")
	for _, c := range p.Commands {
		p.manualCommand(r, c)
	}
	r.Section("EXIT STATUS")
	for _, e := range p.Exit {
		r.Item(e.Name, "", e.Text)
	}
	r.Section("ENVIRONMENT")
	for _, e := range p.Environment {
		r.Item(e.Name, "", e.Text)
	}
	r.Section("FILES")
	for _, e := range p.Files {
		r.Item(e.Name, "", e.Text)
	}
	r.Section("SEE ALSO")
	fmt.Fprintln(w, escapeLine(strings.Join(p.SeeAlso, ", ")))
}

// manualCommand writes what help prints.
func (p *Program) manualCommand(r *Roff, c *Command) {
	r.Subsection(p.synopsis(c))
	r.Paragraphs(strings.ToUpper(c.Summary[:1]) + c.Summary[1:] + ".")
	if c.Details != "" {
		r.Paragraphs(c.Details)
	}
	for _, f := range c.flagList() {
		value, text := describe(f)
		rest := ""
		if value != "" {
			rest = " " + value
		}
		r.Item("-"+f.Name, rest, strings.ToUpper(text[:1])+text[1:])
	}
	if len(c.Exit) > 0 {
		r.Paragraphs("Exit status:")
		for _, e := range c.Exit {
			r.Item(e.Name, "", e.Text)
		}
	}
	if len(c.Examples) > 0 {
		r.Paragraphs("Examples:")
		for _, e := range c.Examples {
			r.Literal("# " + e.Text + "\n" + e.Line)
		}
	}
}
