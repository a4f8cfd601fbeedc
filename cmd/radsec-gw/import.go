package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"radsec-gw/cli"
	"radsec-gw/importer"
	"radsec-gw/importer/freeradius"
	"radsec-gw/importer/radsecproxy"
)

// importCommand describes radsec-gw import.
func importCommand(p *cli.Program) *cli.Command {
	c := cli.New("import", "write a configuration that does what radsecproxy's or FreeRADIUS's does")
	c.Args, c.MaxArgs, c.ArgFiles = "[radsecproxy.conf]", 1, true
	c.Details = `Reads the configuration of radsecproxy, or with -freeradius the directory of FreeRADIUS, with everything that it includes, and writes a configuration of the gateway to standard output. It changes nothing there, and looks up no names.

Each thing that could not be carried over is in a comment that begins with NOT CARRIED OVER and gives file and line; standard error lists them all, and what to do next. Secrets are carried over into the output, or into files with -secret-files.`
	c.Exit = []cli.Entry{
		{Name: "0", Text: "The configuration was written, with comments or without."},
		{Name: "1", Text: "A file could not be read, written or understood."}, {Name: "2", Text: "Usage error."},
	}
	c.Examples = []cli.Example{
		{Text: "In place of a radsecproxy", Line: "radsec-gw import -o radsec-gw.toml /etc/radsecproxy.conf"},
		{Text: "In front of a FreeRADIUS", Line: "radsec-gw import -o radsec-gw.toml -freeradius /etc/freeradius/3.0"},
	}
	var o importOptions
	c.Flags.StringVar(&o.raddb, "freeradius", "", "read the configuration of FreeRADIUS in this `DIRECTORY`")
	c.Flags.StringVar(&o.out, "o", "", "write to this `FILE`, which only its owner can read, instead of standard output")
	c.Flags.BoolVar(&o.force, "force", false, "replace files that exist")
	c.Flags.StringVar(&o.secrets, "secret-files", "", "write each secret into a file of its own in this `DIRECTORY`")
	c.Run = func(args []string, stdout, stderr io.Writer) int {
		if (o.raddb == "") == (len(args) == 0) {
			return p.Misused(c, stderr, errors.New("expected either the configuration file of radsecproxy, or -freeradius with a directory"))
		}
		o.file = append(args, "")[0]
		if err := o.run(stdout, stderr); err != nil {
			fmt.Fprintf(stderr, "radsec-gw import: %v\n", err)
			return exitFailed
		}
		return 0
	}
	return c
}

// importOptions are the flags of import, and its argument.
type importOptions struct {
	file, raddb, out, secrets string
	force                     bool
}

func (o *importOptions) run(stdout, stderr io.Writer) error {
	d, err := o.read()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if _, err := d.WriteTo(&text); err != nil {
		return err
	}
	if err := o.write(stdout, text.Bytes(), d.Secrets()); err != nil {
		return err
	}
	o.summarize(stderr, d)
	return nil
}

// read imports the files.
func (o *importOptions) read() (*importer.Draft, error) {
	d := &importer.Draft{Source: o.file + o.raddb}
	path, err := filepath.Abs(d.Source)
	if err != nil {
		return nil, err
	}
	if o.secrets != "" {
		if d.SecretDir, err = filepath.Abs(o.secrets); err != nil {
			return nil, err
		}
	}
	source := importer.Disk()
	if o.raddb != "" {
		source.Base = path
		return d, freeradius.Import(source, path, d, freeradius.Options{Random: rand.Reader, LookupEnv: os.LookupEnv})
	}
	if source.IsDir(path) {
		return nil, fmt.Errorf("%s: expected the configuration file of radsecproxy, got a directory; one of FreeRADIUS goes with -freeradius", o.file)
	}
	source.Base = filepath.Dir(path)
	return d, radsecproxy.Import(source, path, d)
}

// write writes the configuration and the secrets, if no file of these names exists or
// -force was given.
func (o *importOptions) write(stdout io.Writer, text []byte, secrets []importer.SecretFile) error {
	all := secrets
	if o.out != "" {
		all = append(all[:len(all):len(all)], importer.SecretFile{Path: o.out, Secret: text})
	}
	for _, f := range all {
		info, err := os.Lstat(f.Path)
		switch {
		case err == nil && info.Mode()&fs.ModeType&^fs.ModeSymlink != 0: // /dev/null is not for replacing
			return fmt.Errorf("expected the name of a file, got %s, which is not a regular file", f.Path)
		case err == nil && !o.force:
			return fmt.Errorf("%s exists: -force replaces it", f.Path)
		}
	}
	if len(secrets) > 0 {
		if err := os.MkdirAll(filepath.Dir(secrets[0].Path), 0o700); err != nil {
			return err
		}
	}
	var written []string
	for _, f := range all {
		if err := writeOwn(f.Path, f.Secret, o.force); err != nil {
			return o.undo(err, written)
		}
		written = append(written, f.Path)
	}
	if o.out == "" {
		_, err := stdout.Write(text)
		return err
	}
	return nil
}

// undo removes the files that were written before an error, none of which existed. With
// -force they may have replaced others, so the error names them instead.
func (o *importOptions) undo(err error, written []string) error {
	if o.force && len(written) > 0 {
		return fmt.Errorf("%w; written before that: %s", err, strings.Join(written, ", "))
	}
	for _, path := range written {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// writeOwn writes a file that only its owner can read. A file that exists is replaced as a
// whole, and only if replace is true.
func writeOwn(path string, b []byte, replace bool) error {
	var f *os.File
	var err error
	if replace {
		f, err = os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // of mode 0600
	} else {
		f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Close())
	if err == nil && replace {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// summarize prints what was and what was not carried over, and what to do next.
func (o *importOptions) summarize(w io.Writer, d *importer.Draft) {
	fmt.Fprintf(w, "Imported %s: clients: %d, servers: %d, routes: %d\n", d.Source, d.Count("[[client]]"), d.Count("[[server]]"), d.Count("[[route]]"))
	if notes := d.Notes(); len(notes) > 0 {
		fmt.Fprintf(w, "Not carried over, or to be completed (%d):\n", len(notes))
		for _, n := range notes {
			fmt.Fprintf(w, "  %s\n", n)
		}
	}
	for _, line := range d.Help {
		fmt.Fprintln(w, line)
	}
	file := o.out
	if file == "" {
		file = "FILE"
	}
	fmt.Fprintf(w, "Next: radsec-gw check -config %s\n", file)
}
