package main

import (
	"crypto/fips140"
	"io"
	"slices"

	"radsec-gw/cli"
)

// usingMD5 returns the command, but with a refusal where Go's cryptography forbids MD5, and
// would panic at the first packet.
func usingMD5(c *cli.Command) *cli.Command {
	if !slices.ContainsFunc(c.Exit, func(e cli.Entry) bool { return e.Name == "78" }) {
		c.Exit = append(c.Exit, cli.Entry{Name: "78", Text: "GODEBUG forbids MD5, and so RADIUS."})
	}
	run := c.Run
	c.Run = func(args []string, stdout, stderr io.Writer) int {
		if fips140.Enforced() {
			io.WriteString(stderr, "radsec-gw "+c.Name+": GODEBUG=fips140=only forbids MD5, which RADIUS signs every packet with (RFC 2865 §3): expected another value, such as fips140=on, which uses the validated module for TLS\n")
			return exitConfig
		}
		return run(args, stdout, stderr)
	}
	return c
}
