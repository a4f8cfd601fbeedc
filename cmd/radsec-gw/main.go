// Command radsec-gw puts RadSec (RADIUS over TLS, RFC 6614) in front of RADIUS
// servers that speak only UDP.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
)

// subcommand is one command: its own flags are args, its answer is the process's exit status
// (0 done, 1 failed, 2 usage error; serve has one more for a wrong configuration).
type subcommand struct {
	name    string
	summary string
	run     func(args []string, stdout, stderr io.Writer) int
}

// commands lists every command in the order the help shows them.
func commands() []subcommand {
	return []subcommand{
		{"serve", "run the gateway: radsec-gw serve -config FILE", runServe},
		{"check", "read the configuration as serve would, and print what follows from it", runCheck},
		{"dev", "run everything on this machine with no file: certificates, a RADIUS server, the gateway", runDev},
		{"probe", "send one request as a RadSec client: status, access, accounting, coa, disconnect", runProbe},
		{"tap", "print the packets that pass a running gateway: -client, -realm, -user", runTap},
		{"certs", "make development certificates, print fingerprints", runCerts},
		{"version", "print version, commit and Go version", runVersion},
	}
}

// The kernel hands a signal to the process's first thread when it can, and a thread
// that waits for a disk which does not answer takes none. The first thread is kept for
// the main goroutine, which reads no file itself, so that SIGTERM and SIGHUP are heard
// whatever the disks do.
func init() { runtime.LockOSThread() }

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run carries out one command line and returns the exit status.
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
