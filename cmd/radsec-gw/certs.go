package main

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"radsec-gw/certs"
	"radsec-gw/cli"
)

// certsFlags are the flags of radsec-gw certs.
type certsFlags struct {
	dir, hosts, caKey  string
	days               int
	force, fingerprint bool
}

// certsCommand describes radsec-gw certs.
func certsCommand(p *cli.Program) *cli.Command {
	c := cli.New("certs", "make development certificates, print fingerprints")
	c.Args, c.MaxArgs, c.ArgFiles = "[NAME...|FILE...]", cli.Many, true
	c.Details = `Makes a CA, a server's certificate, and one for each client NAME ("client" by default), each with its private key. Certificates that are in the directory are kept, and its CA signs the others.

With -fingerprint it prints the fingerprints of certificate FILEs, for [[client]].fingerprints.`
	c.Exit = []cli.Entry{{Name: "0", Text: "All was made, kept or printed."}, {Name: "1", Text: "Failure."}, {Name: "2", Text: "Usage error."}}
	c.Examples = []cli.Example{
		{Text: "For a trial on this machine", Line: "radsec-gw certs"},
		{Text: "For a server that clients connect to by name, and for two clients", Line: "radsec-gw certs -dir pki -hosts radsec.example.org ap1 ap2"},
		{Text: "The key of the CA elsewhere", Line: "radsec-gw certs -dir gateway -ca-key ca.key"},
		{Text: "What [[client]].fingerprints needs", Line: "radsec-gw certs -fingerprint certs/dev/client.pem"},
	}
	var o certsFlags
	c.Flags.StringVar(&o.dir, "dir", "certs/dev", "the `DIRECTORY` of the certificates")
	c.Flags.StringVar(&o.hosts, "hosts", strings.Join(certs.DevelopmentHosts(), ","), "the server's `NAMES` and addresses, separated by commas")
	c.Flags.IntVar(&o.days, "days", 730, "how many `DAYS` the server's and the clients' certificates are valid, but not longer than their CA")
	c.Flags.BoolVar(&o.force, "force", false, "replace the server's and the named clients' certificates; the CA too, if it cannot sign")
	c.Flags.StringVar(&o.caKey, "ca-key", "", "the `FILE` of the CA's private key, outside of DIRECTORY if a gateway reads that (default ca.key in it)")
	c.Flags.BoolVar(&o.fingerprint, "fingerprint", false, "print the SHA-256 fingerprints of certificate files")
	c.Run = func(args []string, stdout, stderr io.Writer) int {
		switch {
		case o.fingerprint && len(args) == 0:
			return p.Misused(c, stderr, errors.New("expected certificate files after -fingerprint"))
		case o.fingerprint:
			return printFingerprints(args, stdout, stderr)
		case o.days < 1 || o.days > 36500:
			return p.Misused(c, stderr, fmt.Errorf("expected -days from 1 to 36500, got %d", o.days))
		}
		return makeCerts(o, args, stdout, stderr)
	}
	return c
}

// makeCerts makes development certificates for the named clients.
func makeCerts(o certsFlags, names []string, stdout, stderr io.Writer) int {
	if len(names) == 0 {
		names = []string{"client"}
	}
	entries, err := certs.WriteDir(o.dir, certs.DirOptions{
		Hosts: strings.Split(o.hosts, ","), Clients: names, Force: o.force, CAKey: o.caKey, Validity: time.Duration(o.days) * 24 * time.Hour,
	})
	printEntries(stdout, entries)
	if err != nil {
		fmt.Fprintf(stderr, "radsec-gw certs: %v\n", err)
		return 1
	}
	return 0
}

// printEntries prints for each certificate whether it was made or kept.
func printEntries(w io.Writer, entries []certs.Entry) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	for _, e := range entries {
		done := "made"
		if e.Kept {
			done = "kept"
		}
		c := e.Pair.Certificate
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", done, e.File, hostsOf(c), until(c))
	}
}

// hostsOf returns the hosts that a certificate is for, or its common name.
func hostsOf(c *x509.Certificate) string {
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return c.Subject.CommonName
	}
	return strings.Join(names, " ")
}

// until says until when a certificate is valid.
func until(c *x509.Certificate) string {
	if time.Now().After(c.NotAfter) {
		return "expired on " + c.NotAfter.Format(time.DateOnly) + ": -force replaces it"
	}
	return "until " + c.NotAfter.Format(time.DateOnly)
}

// printFingerprints prints the fingerprint of the first certificate of each file, the one
// that its holder presents. It returns the exit status.
func printFingerprints(files []string, stdout, stderr io.Writer) int {
	status := 0
	for _, file := range files {
		chain, err := certs.LoadCertificates(file)
		if err != nil {
			fmt.Fprintf(stderr, "radsec-gw certs: %v\n", err)
			status = 1
			continue
		}
		fmt.Fprintf(stdout, "%s  %s  %s\n", certs.FormatFingerprint(sha256.Sum256(chain[0].Raw)), file, chain[0].Subject)
	}
	return status
}
