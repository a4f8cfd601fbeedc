package cli

import (
	"fmt"
	"io"
	"strings"
)

// zsh writes the completion of zsh, for a file named _PROGRAM in a directory of fpath.
func (p *Program) zsh(w io.Writer) {
	fmt.Fprintf(w, "#compdef %[1]s\n# made by: %[1]s completion zsh\n%[2]s() {\n  local -a commands\n  commands=(\n", p.Name, p.function())
	for _, c := range p.Commands {
		fmt.Fprintf(w, "    %s\n", quoteShell(c.Name+":"+zshText(c.Summary)))
	}
	fmt.Fprint(w, "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n")
	for _, c := range p.Commands {
		fmt.Fprintf(w, "    %s)\n      _arguments", c.Name)
		for _, f := range c.flagList() {
			spec := "-" + f.Name + "[" + zshText(brief(f)) + "]"
			name, _ := describe(f)
			switch c.kindOf(f) {
			case listedValue:
				spec += ":" + zshText(name) + ":(" + strings.Join(c.Values[f.Name], " ") + ")"
			case fileValue:
				spec += ":" + zshText(name) + ":_files"
			case directoryValue:
				spec += ":" + zshText(name) + ":_files -/"
			case anyValue:
				spec += ":" + zshText(name) + ": "
			}
			fmt.Fprintf(w, " \\\n        %s", quoteShell("*"+spec))
		}
		fmt.Fprint(w, " \\\n        '(- *)-h[help]'")
		switch {
		case len(c.Words) > 0:
			fmt.Fprintf(w, " \\\n        %s", quoteShell("1: :("+strings.Join(c.Words, " ")+")"))
		case c.ArgFiles:
			fmt.Fprint(w, " \\\n        '*: :_files'")
		}
		fmt.Fprint(w, "\n      ;;\n")
	}
	fmt.Fprintf(w, "  esac\n}\n%[1]s \"$@\"\n", p.function())
}

// zshText escapes what has a meaning in a specification of _arguments.
func zshText(s string) string {
	return strings.NewReplacer(`\`, `\\`, ":", `\:`, "[", `\[`, "]", `\]`).Replace(s)
}
