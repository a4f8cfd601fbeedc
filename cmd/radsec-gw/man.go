package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"radsec-gw/cli"
	"radsec-gw/config/manual"
)

// manCommand prints the manual pages.
func manCommand(p *cli.Program) *cli.Command {
	c := cli.New("man", "print a manual page, of the commands or of the configuration")
	c.Details = "The packages install both pages. The date in them is that of SOURCE_DATE_EPOCH in the environment, or that of the source."
	c.Examples = []cli.Example{
		{Text: "The page of the commands", Line: "radsec-gw man > radsec-gw.8"},
		{Text: "That of the configuration", Line: "radsec-gw man -section 5 > radsec-gw.toml.5"},
	}
	section := c.Flags.String("section", "8", "the `SECTION`: 8 for the commands, 5 for the configuration file")
	c.Values["section"] = []string{"8", "5"}
	c.Run = func(_ []string, stdout, stderr io.Writer) int {
		v, _ := build()
		switch *section {
		case "8":
			p.Manual(stdout, sourceDate(), v)
		case "5":
			configManual(stdout, sourceDate(), v)
		default:
			return p.Misused(c, stderr, fmt.Errorf("-section: expected 8 or 5, got %q", *section))
		}
		return 0
	}
	return c
}

// sourceDate returns the time of SOURCE_DATE_EPOCH, with which builds are reproducible, or
// that of the commit; zero if there is neither.
func sourceDate() time.Time {
	if seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		return time.Unix(seconds, 0)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	for _, s := range info.Settings {
		if t, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
			return t
		}
	}
	return time.Time{}
}

// configManual writes the manual page of the configuration file, from the same texts as
// config.example.toml.
func configManual(w io.Writer, date time.Time, version string) {
	r := cli.NewRoff(w, localConfig, 5, date, "radsec-gw "+version)
	r.Section("NAME")
	r.Paragraphs(localConfig + " - the configuration of radsec-gw")
	r.Section("DESCRIPTION")
	for _, t := range manual.Tables() {
		if t.Header != "" {
			r.Section(t.Header)
		}
		if t.Text != "" {
			r.Paragraphs(strings.ToUpper(t.Text[:1]) + strings.TrimSuffix(t.Text[1:], ".") + ".")
		}
		for _, k := range t.Keys {
			first, more, _ := strings.Cut(k.Text, "\n\n")
			r.Item(k.Name, strings.TrimPrefix(k.Example, k.Name), first)
			if more != "" {
				for part := range strings.SplitSeq(more, "\n\n") {
					r.More(part)
				}
			}
		}
	}
	r.Section("FILES")
	for _, e := range []cli.Entry{{Name: systemConfig, Text: "That of the packages' service."}, {Name: "/usr/share/doc/radsec-gw/config.example.toml", Text: "Every key with its default, to copy from."}} {
		r.Item(e.Name, "", e.Text)
	}
	r.Section("SEE ALSO")
	r.Paragraphs("radsec-gw(8)")
}
