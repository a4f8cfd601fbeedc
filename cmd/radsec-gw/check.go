package main

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/identity"
)

// runCheck reads a file as serve would. It prints every mistake and exits 1, or
// prints what the file comes to.
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
	p, err := loadPlan(context.Background(), *path, files.NewReader())
	if err != nil {
		return printMistakes(stderr, err)
	}
	printReport(stdout, p)
	return 0
}

// printMistakes prints a mistake a line, and how many.
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

// warnings lists what is odd at a time about all certificates but the gateway's own,
// and about the lists; serve starts with them all the same, and logs them.
func (m *material) warnings(cfg *config.Config, now time.Time) (list []string) {
	warn := func(key, format string, args ...any) {
		list = append(list, cfg.MistakeAt(key, fmt.Sprintf(format, args...)).String())
	}
	for _, ca := range m.cas {
		warnValidity(warn, "listen.client_ca", ca, now)
	}
	if m.web.Leaf != nil {
		if why := identity.Refused(m.web.Leaf, now); why != "" {
			warn("metrics.certificate", "%s", why)
		}
	}
	for _, d := range m.doubled {
		warn(d.key, "%v", d.err)
	}
	m.warnLists(warn, cfg, now)
	m.warnIdentity(warn, cfg, now)
	return list
}

func warnValidity(warn warner, key string, c *x509.Certificate, now time.Time) {
	const soon = 30 * 24 * time.Hour
	switch {
	case now.After(c.NotAfter):
		warn(key, "the certificate of %s ran out on %s", c.Subject, c.NotAfter.Format(time.DateOnly))
	case now.Before(c.NotBefore):
		warn(key, "the certificate of %s is not valid before %s", c.Subject, c.NotBefore.Format(time.DateTime))
	case now.Add(soon).After(c.NotAfter):
		warn(key, "the certificate of %s runs out on %s", c.Subject, c.NotAfter.Format(time.DateOnly))
	}
}
