package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"layeh.com/radius"
)

// probeOptions is the probe's command line.
type probeOptions struct {
	kind       string // status, access, accounting, coa, disconnect
	address    string
	cert       string
	key        string
	ca         string
	serverName string // "": the host of address
	secret     string
	user       string
	password   string
	chap       bool
	challenge  bool // CHAP with CHAP-Challenge
	statusType string
	sessionID  string
	attributes []string // "Name=value"
	unsigned   bool     // no Message-Authenticator
	version    string   // of RADIUS: "1.0", "1.1", "both", "none"
	timeout    time.Duration
	quiet      bool
}

// runProbe sends one request as a RadSec client would and reports the reply. Its status is 0 only
// for a positive answer whose authenticators verified.
func runProbe(args []string, stdout, stderr io.Writer) int {
	o, err := parseProbe(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "radsec-gw probe: %v\n", err)
		return 2
	}
	if o.quiet {
		stdout = io.Discard
	}
	if err := probe(o, stdout); err != nil {
		fmt.Fprintf(stderr, "radsec-gw probe: %v\n", err)
		var wrong usageError
		if errors.As(err, &wrong) {
			return 2
		}
		return 1
	}
	return 0
}

// usageError is a mistake on the command line.
type usageError struct{ error }

// probe is the whole of one exchange, written to w as a transcript. It returns nil only for a
// verified positive answer.
func probe(o *probeOptions, w io.Writer) error {
	names := newAttributeNames()
	request, err := probeRequest(o, names)
	if err != nil {
		return usageError{err}
	}
	sent, err := sign(request)
	if err != nil {
		return usageError{fmt.Errorf("the request cannot be encoded: %w", err)}
	}
	conn, err := dialProbe(o)
	if err != nil {
		return err
	}
	defer conn.Close()
	printConnected(w, o, conn)
	modern, err := speaks11(o, conn.ConnectionState())
	if err != nil {
		return err
	}
	if modern {
		return probe11(o, w, names, request, conn)
	}
	printRequest(w, names, request, sent)

	received, took, err := exchange(conn, sent, o.timeout)
	if err != nil {
		return fmt.Errorf("no answer to the %v: %w", request.Code, err)
	}
	return printReply(w, names, received, sent, []byte(o.secret), took)
}

// parseProbe reads the command line; the secret and password files are read here too.
func parseProbe(args []string, stderr io.Writer) (*probeOptions, error) {
	o, from := &probeOptions{}, &probeFiles{}
	flags := probeFlags(o, from, stderr)

	// The kind is given before or after the flags.
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		o.kind, args = args[0], args[1:]
	}
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if o.kind == "" && flags.NArg() == 1 {
		o.kind = flags.Arg(0)
	} else if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if _, ok := probeCode(o.kind); !ok {
		return nil, fmt.Errorf("what to send must be status, access, accounting, coa or disconnect, not %q", o.kind)
	}
	if _, err := offered(o.version); err != nil {
		return nil, err
	}
	o.ca = cmp.Or(o.ca, filepath.Join(from.dir, "ca.pem"))
	o.cert = cmp.Or(o.cert, filepath.Join(from.dir, "client.pem"))
	o.key = cmp.Or(o.key, filepath.Join(from.dir, "client.key"))
	if err := readIfGiven(from.secret, &o.secret); err != nil {
		return nil, err
	}
	if o.secret == "" {
		return nil, errors.New("-secret is empty: the RadSec leg's secret is \"radsec\" unless both sides agreed on another (RFC 6614 §2.3)")
	}
	return o, readIfGiven(from.password, &o.password)
}

// probeFiles are where options come from that are not given by themselves.
type probeFiles struct{ dir, secret, password string }

// probeFlags are the flags of the probe, which write into o and from.
func probeFlags(o *probeOptions, from *probeFiles, stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet("radsec-gw probe", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "Usage: radsec-gw probe status|access|accounting|coa|disconnect [flags]")
		fmt.Fprintln(stderr, "\nSends one request to a RadSec server. The exit status is 0 for a verified positive answer,")
		fmt.Fprintln(stderr, "1 for any other or none, 2 for a wrong command line.\n\nFlags:")
		flags.PrintDefaults()
	}
	flags.StringVar(&o.address, "address", "127.0.0.1:2083", "`host:port` of the RadSec server")
	flags.StringVar(&from.dir, "certs", filepath.Join("certs", "dev"), "`directory` with ca.pem, client.pem and client.key, where the next three do not say otherwise")
	flags.StringVar(&o.cert, "cert", "", "client certificate, PEM `file`")
	flags.StringVar(&o.key, "key", "", "its private key, PEM `file`")
	flags.StringVar(&o.ca, "ca", "", "CA that the server's certificate must come from, PEM `file`")
	flags.StringVar(&o.serverName, "server-name", "", "`name` that the server's certificate must hold (default: the host of -address)")
	flags.StringVar(&o.secret, "secret", "radsec", "shared secret of the RadSec leg (RFC 6614 §2.3)")
	flags.StringVar(&from.secret, "secret-file", "", "`file` that holds the shared secret")
	flags.StringVar(&o.user, "user", "", "User-Name")
	flags.StringVar(&o.password, "password", "", "password (access)")
	flags.StringVar(&from.password, "password-file", "", "`file` that holds the password")
	flags.BoolVar(&o.chap, "chap", false, "CHAP instead of PAP; the Request Authenticator is the challenge")
	flags.BoolVar(&o.challenge, "chap-challenge", false, "CHAP with a CHAP-Challenge attribute")
	flags.StringVar(&o.statusType, "status-type", "start", "Acct-Status-Type: start, interim, stop, on, off")
	flags.StringVar(&o.sessionID, "session-id", "", "Acct-Session-Id (default in accounting: a random one)")
	flags.BoolVar(&o.unsigned, "no-message-authenticator", false, "send no Message-Authenticator (accounting never has one)")
	flags.StringVar(&o.version, "radius-version", "both", "`version` of RADIUS to offer by ALPN (RFC 9765): 1.0, 1.1, both, or none to use no ALPN")
	flags.DurationVar(&o.timeout, "timeout", 10*time.Second, "for connecting, and again for the answer")
	flags.BoolVar(&o.quiet, "quiet", false, "print nothing but failures")
	flags.Func("attr", "further attribute, `Name=value`, repeatable: Calling-Station-Id=02-00-00-00-00-01, Framed-IP-Address=192.0.2.1, Class=0x0102, 26=0x…", func(s string) error {
		o.attributes = append(o.attributes, s)
		return nil
	})
	return flags
}

// probeCode is the packet code of a kind of probe.
func probeCode(kind string) (radius.Code, bool) {
	code, ok := map[string]radius.Code{
		"status":     radius.CodeStatusServer,
		"access":     radius.CodeAccessRequest,
		"accounting": radius.CodeAccountingRequest,
		"coa":        radius.CodeCoARequest,
		"disconnect": radius.CodeDisconnectRequest,
	}[kind]
	return code, ok
}

// readIfGiven replaces value by the contents of the file, less the newline that editors end it with.
func readIfGiven(file string, value *string) error {
	if file == "" {
		return nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	*value = strings.TrimRight(string(b), "\r\n")
	return nil
}
