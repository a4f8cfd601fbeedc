package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"radsec-gw/audit"
	"radsec-gw/cli"
	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/gateway"
)

// hashCommand describes radsec-gw hash.
func hashCommand() *cli.Command {
	c := cli.New("hash", "print how the log shows a user or a station")
	c.Args, c.MaxArgs = "[NAME...]", cli.Many
	c.Details = `Prints for each User-Name, or Calling-Station-Id, a line with what the request log shows of it: by default 16 digits of a hash under hash_salt of [log]. Without NAME, names are read from standard input, one on a line, so that they are not among the arguments that every user of the machine can see.

Case does not matter in a User-Name, nor the form in a MAC address. Without hash_salt there is nothing to print: the gateway takes another key each time that it starts.`
	c.Exit = []cli.Entry{{Name: "0", Text: "All were printed."}, {Name: "1", Text: "The configuration cannot be read, has no hash_salt, or the log does not show such names."}, {Name: "2", Text: "Usage error."}}
	c.Examples = []cli.Example{
		{Text: "The requests of a user in the journal", Line: "journalctl -u radsec-gw -g user=$(radsec-gw hash bob@example.org)"},
		{Text: "A station, by its MAC address in any form", Line: "radsec-gw hash -station 02:00:5e:00:53:01"},
	}
	path := configFlag(c)
	station := c.Flags.Bool("station", false, "names are Calling-Station-Ids, such as MAC addresses")
	c.Run = func(args []string, stdout, stderr io.Writer) int {
		if err := hash(*path, *station, args, os.Stdin, stdout); err != nil {
			fmt.Fprintf(stderr, "radsec-gw hash: %v\n", err)
			return exitFailed
		}
		return 0
	}
	return c
}

// hash prints what the log shows of each name.
func hash(given string, station bool, names []string, in io.Reader, out io.Writer) error {
	show, err := shower(given, station)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := fmt.Fprintln(out, show(name)); err != nil {
			return err
		}
	}
	if len(names) > 0 {
		return nil
	}
	lines := bufio.NewScanner(in)
	n := 1
	for ; lines.Scan(); n++ {
		if _, err := fmt.Fprintln(out, show(lines.Text())); err != nil {
			return err
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d of standard input: expected a name, got more than %d bytes", n, bufio.MaxScanTokenSize)
	}
	return lines.Err()
}

// shower returns the function from a name to what the log shows of it, by a configuration.
func shower(given string, station bool) (func(name string) string, error) {
	path, err := configPath(given)
	if err != nil {
		return nil, err
	}
	c, err := config.Load(path, files.NewReader().Snapshot(context.Background()))
	if err != nil {
		return nil, err
	}
	key, value, show := "user", c.Log.User, audit.ShownUser
	if station {
		key, value, show = "station", c.Log.Station, audit.ShownStation
	}
	switch {
	case value == config.ShowNone:
		return nil, fmt.Errorf("the log does not show this: %s of [log] is %q", key, value)
	case value == config.ShowHash && c.Log.HashSalt.Len() == 0:
		return nil, errors.New("expected hash_salt in [log]: without one the gateway takes another key each time that it starts")
	}
	cfg := gateway.AuditConfig(&c.Log)
	return func(name string) string { return show(&cfg, name) }, nil
}
