package main

import (
	"errors"
	"io"

	"radsec-gw/cli"
)

// completionCommand prints the completion of a shell.
func completionCommand(p *cli.Program) *cli.Command {
	c := cli.New("completion", "print a script that completes commands, flags and files in a shell")
	c.Args, c.MaxArgs = "bash|zsh|fish", 1
	c.Words = cli.Shells()
	c.Details = "The packages install it for all three."
	c.Examples = []cli.Example{
		{Text: "For bash: in ~/.local/share/bash-completion/completions, or to be read by .bashrc", Line: "radsec-gw completion bash > radsec-gw"},
		{Text: "For zsh: in a directory of fpath, before compinit", Line: "radsec-gw completion zsh > _radsec-gw"},
		{Text: "For fish: in ~/.config/fish/completions", Line: "radsec-gw completion fish > radsec-gw.fish"},
	}
	c.Run = func(args []string, stdout, stderr io.Writer) int {
		if len(args) == 0 {
			return p.Misused(c, stderr, errors.New("expected the name of a shell: bash, zsh or fish"))
		}
		if err := p.Completion(args[0], stdout); err != nil {
			return p.Misused(c, stderr, err)
		}
		return 0
	}
	return c
}
