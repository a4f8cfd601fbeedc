package faulty

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
)

const help = `commands on standard input, one a line:
  drop P | drop-in P | drop-out P   lose P percent of the datagrams: both ways, in, out
  delay D | jitter D                answer after D, and up to D more at random
  double P | reorder P | corrupt P  send P percent twice, out of order, with a wrong authenticator
  stall on|off | no-status on|off   swallow everything, or Status-Server only
  heal                              no faults
  die | live                        close the ports, open them again
  counts                            print what was received so far
`

// Command is bench faulty.
func Command(ctx context.Context, fs *flag.FlagSet, args []string, out io.Writer) error {
	return command(ctx, fs, args, os.Stdin, out)
}

func command(ctx context.Context, fs *flag.FlagSet, args []string, in io.Reader, out io.Writer) error {
	var cfg Config
	fs.StringVar(&cfg.Name, "name", "", "what each State begins with; empty: at random")
	fs.StringVar(&cfg.Auth, "auth", "127.0.0.1:1812", "loopback address for Access-Request; port 0: any; empty: none")
	fs.StringVar(&cfg.Acct, "acct", "127.0.0.1:1813", "loopback address for Accounting-Request; port 0: any; empty: none")
	secret := fs.String("secret", "radsec", "shared secret")
	fs.Uint64Var(&cfg.Seed, "seed", rand.Uint64(), "of everything random")
	fs.IntVar(&cfg.Rounds, "rounds", 0, "Access-Challenges before an Access-Accept, 0 to 99; a State of another server is rejected")
	for _, name := range []string{"drop", "drop-in", "drop-out", "delay", "jitter", "double", "reorder", "corrupt"} {
		fs.Func(name, "as the command of that name", func(value string) error { return cfg.Faults.Set(name, value) })
	}
	for _, name := range []string{"stall", "no-status"} {
		fs.BoolFunc(name, "as the command of that name", func(value string) error { return cfg.Faults.Set(name, value) })
	}
	usage := fs.Usage
	fs.Usage = func() {
		usage()
		fmt.Fprint(fs.Output(), help)
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	cfg.Secret = []byte(*secret)
	s, err := Listen(cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Fprintf(out, "answering on %d %d, seed %d, faults: %v\n", s.AuthPort(), s.AcctPort(), cfg.Seed, cfg.Faults)
	go s.obey(in, out) // ends with standard input, or with the process
	<-ctx.Done()
	fmt.Fprintln(out, s.Counts())
	return nil
}

// obey carries out commands until in ends.
func (s *Server) obey(in io.Reader, out io.Writer) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		if err := s.do(words[0], strings.Join(words[1:], " "), out); err != nil {
			fmt.Fprintln(out, err)
		}
	}
}

// do carries out one command.
func (s *Server) do(name, value string, out io.Writer) error {
	switch name {
	case "help":
		fmt.Fprint(out, help)
		return nil
	case "counts":
		fmt.Fprintln(out, s.Counts())
		return nil
	case "die":
		s.Die()
	case "live":
		if err := s.Live(); err != nil {
			return err
		}
	case "heal":
		s.SetFaults(Faults{})
	default:
		f := s.Faults()
		if err := f.Set(name, value); err != nil {
			return err
		}
		s.SetFaults(f)
	}
	fmt.Fprintln(out, "faults:", s.Faults())
	return nil
}

// String is the counts on one line.
func (c Counts) String() string {
	var words []string
	for code, n := range c.Got {
		words = append(words, fmt.Sprintf("%v %d", code, n))
	}
	slices.Sort(words)
	got := strings.Join(words, ", ")
	if got == "" {
		got = "nothing"
	}
	return fmt.Sprintf("got %s; bad %d, lost %d, sent %d, corrupted %d, foreign States %d", got, c.Bad, c.Lost, c.Sent, c.Corrupted, c.Foreign)
}
