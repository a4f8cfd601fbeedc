// Command radsec-gw puts RadSec (RADIUS over TLS, RFC 6614) in front of RADIUS
// servers that speak only UDP.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
)

// subcommand is a command. Its run gets the arguments after its name, and returns the exit
// status of the process: 0 for success, 1 for failure, 2 for a usage error. serve has
// another one for a mistake in the configuration.
type subcommand struct {
	name    string
	summary string
	run     func(args []string, stdout, stderr io.Writer) int
}

// commands lists the commands in the order of the help.
func commands() []subcommand {
	return []subcommand{
		{"serve", "run the gateway: radsec-gw serve -config FILE", runServe},
		{"check", "read the configuration as serve does, and print what it means", runCheck},
		{"dev", "run everything on this machine, without a configuration: certificates, a RADIUS server, the gateway", runDev},
		{"probe", "send one request as a RadSec client: status, access, accounting, coa, disconnect", runProbe},
		{"tap", "print the packets that pass a running gateway: -client, -realm, -user", runTap},
		{"certs", "make development certificates, print fingerprints", runCerts},
		{"version", "print version, commit and Go version", runVersion},
	}
}

// The kernel delivers a signal to the first thread of the process if it can, and a thread
// that waits for a disk that does not answer does not handle it. The first thread is
// reserved for the main goroutine, which does not read files itself, so that SIGTERM and
// SIGHUP are handled whatever the disks do.
func init() { runtime.LockOSThread() }

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run runs a command line and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return 2
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		usage(stdout)
		return 0
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(args[1:], stdout, stderr)
		}
	}
	fmt.Fprintf(stderr, "radsec-gw: %q is not a command\n\n", args[0])
	usage(stderr)
	return 2
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "radsec-gw puts RadSec (RADIUS over TLS) in front of RADIUS servers that speak only UDP.")
	fmt.Fprintln(w, "\nUsage: radsec-gw COMMAND [flags]   (radsec-gw COMMAND -h lists the flags)")
	fmt.Fprintln(w)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-8s %s\n", c.name, c.summary)
	}
}
