// Command radsec-gw puts RadSec (RADIUS over TLS, RFC 6614) in front of RADIUS
// servers that speak only UDP.
package main

import (
	"io"
	"os"
	"runtime"

	"radsec-gw/cli"
)

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
	return newProgram().Run(args, stdout, stderr)
}

// newProgram describes the commands, in the order of the help. Each is in a file of its own,
// with its flags and examples: help, manual page and completion are made from them.
func newProgram() *cli.Program {
	p := &cli.Program{
		Name:    "radsec-gw",
		Summary: "puts RadSec (RADIUS over TLS) in front of RADIUS servers that speak only UDP",
		Details: `Wi-Fi controllers, switches and roaming federations connect over TLS with a client certificate, by default to TCP port 2083 (RFC 6614). The gateway verifies each packet, signs it anew and sends it to a RADIUS server over UDP; the verified reply goes back the same way.

Each flag may be written with one hyphen or two, and may come before or after the arguments. After "--" everything is an argument.`,
		Exit: []cli.Entry{
			{Name: "0", Text: "Success, and where help was asked for."},
			{Name: "1", Text: "Failure; standard error says why."},
			{Name: "2", Text: "Usage error: an unknown command or flag, or a value that cannot be."},
		},
		Environment: []cli.Entry{
			{Name: configVariable, Text: "The configuration file of a command that is called without -config."},
			{Name: "JOURNAL_STREAM", Text: "Set by systemd where standard error is the journal: serve then writes the priority of each line."},
			{Name: "NOTIFY_SOCKET, WATCHDOG_USEC, LISTEN_FDS", Text: "Set by systemd: where serve reports its state, how often it must, and the sockets that it is passed."},
		},
		Files: []cli.Entry{
			{Name: localConfig, Text: "In the current directory: the configuration of a command that is called without -config and without " + configVariable + "."},
			{Name: systemConfig, Text: "The configuration when there is no such file. The service of the packages reads this one."},
			{Name: "certs/dev/", Text: "Development certificates, where certs writes and probe reads them."},
		},
		SeeAlso: []string{"radsec-gw.toml(5)"},
	}
	p.Commands = []*cli.Command{
		usingMD5(serveCommand(p)), usingMD5(checkCommand(p)), usingMD5(devCommand()), usingMD5(probeCommand(p)), tapCommand(p), usingMD5(spoolCommand(p)), hashCommand(), certsCommand(p), importCommand(p),
		versionCommand(), completionCommand(p), manCommand(p),
	}
	p.Commands = append(p.Commands, helpCommand(p)) // it knows the others
	return p
}

// helpCommand explains a command.
func helpCommand(p *cli.Program) *cli.Command {
	c := cli.New("help", "explain a command, or list all")
	c.Args, c.MaxArgs = "[COMMAND]", 1
	for _, other := range p.Commands {
		c.Words = append(c.Words, other.Name)
	}
	c.Details = "The same is printed by radsec-gw COMMAND -h."
	c.Examples = []cli.Example{{Text: "All commands", Line: "radsec-gw help"}, {Text: "The flags of serve", Line: "radsec-gw help serve"}}
	c.Run = func(args []string, stdout, stderr io.Writer) int {
		return p.Help(append(args, "")[0], stdout, stderr)
	}
	return c
}
