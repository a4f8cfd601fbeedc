package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"radsec-gw/config"
	"radsec-gw/gateway"
	"radsec-gw/gateway/explain"
)

// runCheck reads the configuration as serve does. It prints every mistake and exits with 1,
// or prints what the configuration means.
func runCheck(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.SetOutput(stderr)
	path := flags.String("config", "", "the configuration `FILE`; config.example.toml explains it")
	if err := flags.Parse(args); err != nil {
		return exitUsage(err)
	}
	if *path == "" || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "radsec-gw check: expected -config FILE and nothing else")
		return 2
	}
	p, err := gateway.Load(context.Background(), *path)
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
	return 1
}
