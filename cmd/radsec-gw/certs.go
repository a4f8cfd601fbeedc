package main

import (
	"crypto/sha256"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"radsec-gw/certs"
)

// certsUsage is printed before the flags by radsec-gw certs -help.
const certsUsage = `radsec-gw certs [flags] [NAME...]        a CA, a server's certificate, and one for each client NAME (default "client")
radsec-gw certs -fingerprint FILE...     print fingerprints for [[client]].fingerprints

Certificates that are in the directory are kept, and its CA signs the others.
`

// runCerts makes development certificates, or prints fingerprints.
func runCerts(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("certs", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "certs/dev", "the `DIRECTORY` of the certificates")
	hosts := flags.String("hosts", strings.Join(certs.DevelopmentHosts(), ","), "the server's `NAMES` and addresses, separated by commas")
	days := flags.Int("days", 730, "how many `DAYS` the server's and the clients' certificates are valid")
	force := flags.Bool("force", false, "replace the server's and the named clients' certificates; the CA too, if it cannot sign")
	caKey := flags.String("ca-key", "", "the `FILE` of the CA's private key, outside of DIRECTORY if a gateway reads that (default ca.key in it)")
	fingerprint := flags.Bool("fingerprint", false, "print the SHA-256 fingerprints of certificate files")
	flags.Usage = func() {
		fmt.Fprintf(stderr, "%s\n", certsUsage)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return exitUsage(err)
	}
	names := flags.Args()
	if *fingerprint {
		return printFingerprints(names, stdout, stderr)
	}
	if *days < 1 || *days > 36500 {
		fmt.Fprintf(stderr, "radsec-gw certs: expected -days from 1 to 36500, got %d\n", *days)
		return 2
	}
	if len(names) == 0 {
		names = []string{"client"}
	}
	entries, err := certs.WriteDir(*dir, certs.DirOptions{
		Hosts: strings.Split(*hosts, ","), Clients: names, Force: *force, CAKey: *caKey, Validity: time.Duration(*days) * 24 * time.Hour,
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
	if len(files) == 0 {
		fmt.Fprintln(stderr, "radsec-gw certs: expected certificate files after -fingerprint")
		return 2
	}
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
