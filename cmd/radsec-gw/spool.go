package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"radsec-gw/cli"
	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/spool"
	"radsec-gw/spool/control"
)

// spoolFlags are the flags of radsec-gw spool.
type spoolFlags struct {
	config            *string
	directory, client string
	out               string
	json, all         bool
	count             int
}

// The actions of radsec-gw spool.
var spoolActions = []string{"ls", "export", "retry", "drop", "import"}

// spoolCommand describes radsec-gw spool.
func spoolCommand(p *cli.Program) *cli.Command {
	c := cli.New("spool", "look at the accounting that no server has yet, and say what becomes of it")
	c.Args, c.MaxArgs, c.Words = "ls|export|retry|drop|import [NUMBER... | FILE]", cli.Many, spoolActions
	c.Details = `Works with the records of a route with spool = true, while the gateway runs or not. It must run as root or as the gateway's user. While it works without the gateway, the gateway cannot open its spool. With store = "jetstream" the records are those of all gateways, and the gateway must run.

ls lists the records, the oldest first. export writes those with the numbers given, or all, in FreeRADIUS's detail format: radclient and FreeRADIUS's detail reader can send them. They stay in the spool.

retry has all records sent now that wait because a server was silent, and brings back those that were set aside because no server answered them, although it answered others: they are in the file set-aside.detail in the spool's directory, in the same format.

drop removes the records with the numbers given, or with -all every one: no server gets them. import stores the records of a file in the detail format, or of standard input for "-". Hidden attributes, such as passwords, are exported as they are encrypted in this spool: they are lost in another one.`
	c.Exit = []cli.Entry{{Name: "0", Text: "What was asked for was done."}, {Name: "1", Text: "The spool could not be opened, or not all records could be read, stored or dropped."}, {Name: "2", Text: "Usage error."}}
	c.Examples = []cli.Example{
		{Text: "What is waiting?", Line: "radsec-gw spool ls"},
		{Text: "Keep a copy of everything", Line: "radsec-gw spool export -o accounting.detail"},
		{Text: "The server is repaired: send now, and what was set aside again", Line: "radsec-gw spool retry"},
		{Text: "Drop one record, by its number in ls", Line: "radsec-gw spool drop 17"},
		{Text: "Bring records in", Line: "radsec-gw spool import accounting.detail"},
	}
	var o spoolFlags
	o.config = configFlag(c)
	c.Flags.StringVar(&o.directory, "directory", "", "the spool's `DIRECTORY`, instead of that of the configuration")
	c.Flags.StringVar(&o.out, "o", "", "export: write to this new `FILE`, readable by its owner only")
	c.Flags.StringVar(&o.client, "client", "", "import: the `NAME` of the client whose records they are, where the file has none")
	c.Flags.BoolVar(&o.json, "json", false, "ls: print a line of JSON for each record, with every field")
	c.Flags.IntVar(&o.count, "n", 0, "ls: print the oldest `COUNT` records only")
	c.Flags.BoolVar(&o.all, "all", false, "drop: every record")
	c.Run = func(args []string, stdout, stderr io.Writer) int {
		action, rest, err := o.parse(args)
		if err != nil {
			return p.Misused(c, stderr, err)
		}
		if err := o.run(action, rest, stdout); err != nil {
			fmt.Fprintf(stderr, "radsec-gw spool: %v\n", err)
			return exitFailed
		}
		return 0
	}
	return c
}

// parse checks the arguments.
func (o *spoolFlags) parse(args []string) (action string, rest []string, err error) {
	if len(args) == 0 || !slices.Contains(spoolActions, args[0]) {
		return "", nil, fmt.Errorf("expected one of %s", strings.Join(spoolActions, ", "))
	}
	action, rest = args[0], args[1:]
	switch {
	case (action == "ls" || action == "retry") && len(rest) > 0:
		return "", nil, fmt.Errorf("expected nothing after %s, got %q", action, rest[0])
	case action == "import" && len(rest) != 1:
		return "", nil, errors.New(`expected one FILE after import, or "-" for standard input`)
	case action == "drop" && (len(rest) == 0) != o.all:
		return "", nil, errors.New("expected either the numbers of records after drop, or -all")
	}
	if action == "export" || action == "drop" {
		_, err = numbersOf(rest)
	}
	return action, rest, err
}

func numbersOf(args []string) (list []uint64, err error) {
	for _, text := range args {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("expected the number of a record, as ls prints it, got %q", text)
		}
		list = append(list, n)
	}
	return list, nil
}

// run opens the spool and does what is asked for.
func (o *spoolFlags) run(action string, args []string, stdout io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	directory, shared, err := o.spoolDirectory()
	if err != nil {
		return err
	}
	open := control.Open
	if shared {
		open = control.OpenShared
	}
	c, err := open(ctx, directory)
	if err != nil {
		return err
	}
	defer c.Close()
	numbers, _ := numbersOf(args) // checked by parse
	switch action {
	case "ls":
		return o.list(ctx, c, stdout)
	case "export":
		return o.export(ctx, c, numbers, stdout)
	case "retry":
		r, err := c.Retry(ctx)
		if err != nil {
			return err
		}
		what := "are sent as fast as [spool] allows"
		switch {
		case !c.Running():
			what = "are sent when the gateway runs"
		case r.Elsewhere:
			what = "are sent by the gateway that leads, after its own pauses: run retry there to end those"
		}
		fmt.Fprintf(stdout, "%d records %s, %d of them were set aside before\n", r.Records, what, r.Imported.Stored)
		return reportImport(stdout, r.Imported)
	case "drop":
		d, err := c.Drop(ctx, numbers, o.all)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "dropped %d records, %d are left\n", d.Records, d.Left)
		if d.Elsewhere {
			fmt.Fprintln(stdout, "Another gateway leads: a server may still get what that was sending at this moment.")
		}
		if len(numbers) > d.Records {
			return fmt.Errorf("%d of the %d records are not there, or are being sent at this moment", len(numbers)-d.Records, len(numbers))
		}
		return nil
	}
	return o.importFile(ctx, c, args[0], stdout)
}

// spoolDirectory returns the spool's directory, and whether the configuration has the records in a
// store that several gateways share.
func (o *spoolFlags) spoolDirectory() (directory string, shared bool, err error) {
	if o.directory != "" {
		return o.directory, false, nil
	}
	path, err := configPath(*o.config)
	if err != nil {
		return "", false, fmt.Errorf("%w; or give the spool's directory with -directory", err)
	}
	cfg, err := config.Load(path, files.NewReader().Snapshot(context.Background()))
	if cfg == nil || cfg.Spool.Directory == "" { // other mistakes do not matter here
		return "", false, fmt.Errorf("%w\ncorrect the configuration, or give the spool's directory with -directory", err)
	}
	return cfg.Spool.Directory, cfg.Spool.Store == config.SpoolStoreJetStream, nil
}

// list prints the records.
func (o *spoolFlags) list(ctx context.Context, c *control.Client, stdout io.Writer) error {
	table := tabwriter.NewWriter(stdout, 0, 8, 2, ' ', 0)
	defer table.Flush()
	if !o.json {
		fmt.Fprintln(table, "NUMBER\tARRIVED\tAGE\tCLIENT\tNAS\tSTATUS\tSESSION\tUSER\tSTATE")
	}
	n := 0
	return c.Each(ctx, func(l control.Line) bool {
		n++
		if o.json {
			text, _ := json.Marshal(l)
			fmt.Fprintf(stdout, "%s\n", text)
		} else {
			state := l.State
			if l.Attempts > 0 {
				state = fmt.Sprintf("%s, %d attempts", state, l.Attempts)
			}
			fmt.Fprintf(table, "%d\t%s\t%s\t%q\t%q\t%s\t%q\t%q\t%s\n", l.Number, l.Arrived.Format(time.RFC3339), time.Duration(l.Age*float64(time.Second)).Round(time.Second), l.Client, l.NAS, l.Status, l.Session, l.User, state)
		}
		return n != o.count
	})
}

// export writes the records to standard output or a file.
func (o *spoolFlags) export(ctx context.Context, c *control.Client, numbers []uint64, stdout io.Writer) error {
	if o.out == "" {
		return c.Export(ctx, stdout, numbers)
	}
	f, err := newFile(o.out)
	if err != nil {
		return err
	}
	return errors.Join(c.Export(ctx, f, numbers), f.Close())
}

// importFile stores the records of a file.
func (o *spoolFlags) importFile(ctx context.Context, c *control.Client, path string, stdout io.Writer) error {
	in := os.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	i, err := c.Import(ctx, in, o.client)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "stored %d records\n", i.Stored)
	return reportImport(stdout, i)
}

// reportImport says what could not be imported, as an error if that is a record.
func reportImport(stdout io.Writer, i spool.Imported) error {
	for _, why := range i.Why {
		fmt.Fprintln(stdout, why)
	}
	if i.Skipped > 0 {
		fmt.Fprintf(stdout, "%d attributes were left out\n", i.Skipped)
	}
	if n := i.Refused + i.Unread; n > 0 {
		return fmt.Errorf("%d records could not be stored, %d of them because they could not be understood", n, i.Unread)
	}
	return nil
}
