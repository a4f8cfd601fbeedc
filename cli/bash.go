package cli

import (
	"fmt"
	"io"
	"strings"
)

// bashHead begins the script: %[1]s is the program, %[2]s the function, %[3]s the commands.
// COMPREPLY is filled without the package bash-completion, which may be missing.
const bashHead = `# bash completion for %[1]s, made by: %[1]s completion bash
%[2]s() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  local flags= words= files= line
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '%[3]s -h --version' -- "$word"))
    return
  fi
  # -flag=value is three words.
  if [[ $word == = ]]; then
    word=
  elif [[ $before == = && $COMP_CWORD -gt 2 ]]; then
    before=${COMP_WORDS[COMP_CWORD-2]}
  fi
  [[ $before == --* ]] && before=${before#-}
  case $command in
`

// bashTail ends it.
const bashTail = `  esac
  if [[ $word == -* ]]; then
    # Two hyphens are as good as one.
    [[ $word == --* ]] && flags=" $flags" flags=${flags// -/ --}
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
    return
  fi
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$word")); fi
  if [ -n "$files" ]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$files" -- "$word")
  fi
}
complete -F %[2]s %[1]s
`

// bash writes the completion of bash.
func (p *Program) bash(w io.Writer) {
	fmt.Fprintf(w, bashHead, p.Name, p.function(), strings.Join(p.names(), " "))
	for _, c := range p.Commands {
		fmt.Fprintf(w, "    %s)\n      case $before in\n", c.Name)
		all := "-h"
		for _, f := range c.flagList() {
			all += " -" + f.Name
			switch c.kindOf(f) {
			case listedValue:
				fmt.Fprintf(w, "        -%s) words=%s ;;\n", f.Name, quoteShell(strings.Join(c.Values[f.Name], " ")))
			case fileValue:
				fmt.Fprintf(w, "        -%s) files=-f ;;\n", f.Name)
			case directoryValue:
				fmt.Fprintf(w, "        -%s) files=-d ;;\n", f.Name)
			case anyValue:
				fmt.Fprintf(w, "        -%s) return ;;\n", f.Name)
			}
		}
		fmt.Fprint(w, "        *)\n")
		fmt.Fprintf(w, "          flags=%s\n", quoteShell(all))
		switch {
		case len(c.Words) > 0:
			fmt.Fprintf(w, "          words=%s\n", quoteShell(strings.Join(c.Words, " ")))
		case c.ArgFiles:
			fmt.Fprint(w, "          files=-f\n")
		}
		fmt.Fprint(w, "          ;;\n      esac\n      ;;\n")
	}
	fmt.Fprintf(w, bashTail, p.Name, p.function())
}
