package cli

import (
	"fmt"
	"io"
	"strings"
)

// fish writes the completion of fish.
func (p *Program) fish(w io.Writer) {
	fmt.Fprintf(w, "# fish completion for %[1]s, made by: %[1]s completion fish\ncomplete -c %[1]s -f\n", p.Name)
	for _, c := range p.Commands {
		fmt.Fprintf(w, "complete -c %s -n __fish_use_subcommand -a %s -d %s\n", p.Name, c.Name, quoteShell(c.Summary))
	}
	for _, c := range p.Commands {
		begin := fmt.Sprintf("complete -c %s -n '__fish_seen_subcommand_from %s'", p.Name, c.Name)
		for _, f := range c.flagList() {
			value := ""
			switch c.kindOf(f) {
			case listedValue:
				value = " -x -a " + quoteShell(strings.Join(c.Values[f.Name], " "))
			case fileValue:
				value = " -r -F"
			case directoryValue:
				value = " -x -a '(__fish_complete_directories)'"
			case anyValue:
				value = " -x"
			}
			fmt.Fprintf(w, "%s -o %s%s -d %s\n", begin, f.Name, value, quoteShell(brief(f)))
		}
		switch {
		case len(c.Words) > 0:
			fmt.Fprintf(w, "%s -a %s\n", begin, quoteShell(strings.Join(c.Words, " ")))
		case c.ArgFiles:
			fmt.Fprintf(w, "%s -F\n", begin)
		}
	}
}
