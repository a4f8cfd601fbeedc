package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"radsec-gw/cli"
	"radsec-gw/config"
	"radsec-gw/gateway"
	"radsec-gw/gateway/explain"
)

// checkCommand describes radsec-gw check.
func checkCommand(p *cli.Program) *cli.Command {
	c := cli.New("check", "read the configuration as serve does, and print what it means")
	c.Details = `Prints every mistake in the configuration and in the files that it names, with its line and what was expected. Without any, prints what follows from the file: addresses, certificates, clients, which server gets a request and when it is resent, moved and given up; then warnings of what is likely a mistake. It changes nothing, and sends nothing but questions to name servers.

Run as root, it also says what the service's user cannot read.`
	c.Exit = []cli.Entry{{Name: "0", Text: "serve would start, warnings or not."}, {Name: "1", Text: "There are mistakes."}, {Name: "2", Text: "Usage error."}}
	c.Examples = []cli.Example{
		{Text: "The configuration in the current directory, or that of the system", Line: "radsec-gw check"},
		{Text: "Another one, before it is put in place", Line: "radsec-gw check -config new.toml"},
	}
	path := configFlag(c)
	c.Run = func(_ []string, stdout, stderr io.Writer) int { return check(*path, stdout, stderr) }
	return c
}

// check reads the configuration as serve does. It prints every mistake and returns 1, or
// prints what the configuration means.
func check(given string, stdout, stderr io.Writer) int {
	path, err := configPath(given)
	if err != nil {
		fmt.Fprintf(stderr, "radsec-gw check: %v\n", err)
		return exitFailed
	}
	p, err := gateway.Load(context.Background(), path)
	if err != nil {
		return printMistakes(stderr, err)
	}
	explain.Report(stdout, p)
	return 0
}

// printMistakes prints a mistake per line, and how many there are. It returns the exit
// status.
func printMistakes(w io.Writer, err error) int {
	fmt.Fprintln(w, err)
	var ms config.Mistakes
	if errors.As(err, &ms) {
		plural := "s"
		if len(ms) == 1 {
			plural = ""
		}
		fmt.Fprintf(w, "%d mistake%s\n", len(ms), plural)
	}
	return exitFailed
}
