package dev

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// printNextCommands prints commands that work when pasted into another terminal. dtls is where the
// gateway takes RADIUS/DTLS, and dynamic where the gateway takes CoA and Disconnect over UDP.
func printNextCommands(out io.Writer, address, dtls, dynamic, dir, metrics string) {
	tls := fmt.Sprintf("-address %s -certs %s", address, shellQuote(dir))
	overUDP := fmt.Sprintf("-dtls -address %s -certs %s", dtls, shellQuote(dir))
	udp := fmt.Sprintf("-udp -address %s -secret-file %s", dynamic, shellQuote(filepath.Join(dir, secretFile)))
	command := thisCommand()
	fmt.Fprint(out, "\nServing until ctrl-C. To try next, in another terminal in the same folder:\n\n")
	for _, c := range []struct{ what, kind, way, flags string }{
		{"the same request again", "access", tls, "-user bob -password hello"},
		{"the same over RADIUS/DTLS", "access", overUDP, "-user bob -password hello"},
		{"CHAP instead of PAP", "access", tls, "-user bob -password hello -chap"},
		{"a wrong password: rejected, exit status 1", "access", tls, "-user bob -password wrong"},
		{"is the gateway alive? (a health check would add -quiet)", "status", tls, ""},
		{"accounting", "accounting", tls, "-user bob -status-type start"},
		{"a change of authorization", "coa", tls, "-user bob -attr Session-Timeout=60"},
		{"end the session of a user who has none: refused, exit status 1", "disconnect", tls, "-user alice"},
		{"play an access point where bob has logged in, for a minute", "access", tls, "-user bob -password hello -attr NAS-Identifier=ap-17 -attr Acct-Session-Id=5f3a -listen 1m"},
		{"meanwhile, in a third terminal: as the RADIUS server, end that session", "disconnect", udp, "-session-id 5f3a"},
	} {
		fmt.Fprintf(out, "# %s\n%s\n\n", c.what, strings.TrimSpace(fmt.Sprintf("%s probe %s %s %s", command, c.kind, c.way, c.flags)))
	}
	fmt.Fprintf(out, "# what happened to every packet\ncurl -s http://%s/metrics | grep -E '^radsec_gw_(reverse_)?requests_total' | grep -v ' 0$'\n\n", metrics)
}

// thisCommand returns the command that started this program: with go run, go run itself, because it
// removes the program at its end.
func thisCommand() string {
	if program, err := os.Executable(); err != nil || strings.Contains(program, string(filepath.Separator)+"go-build") {
		return "go run ./cmd/radsec-gw"
	}
	return shellQuote(os.Args[0])
}

// shellQuote quotes s for a shell if it has to be quoted.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+=:@%", r)
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
