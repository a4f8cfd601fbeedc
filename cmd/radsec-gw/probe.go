package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"radsec-gw/probe"
)

// runProbe sends one request as a RadSec client would and reports the reply. The exit status is 0
// only for a verified positive reply.
func runProbe(args []string, stdout, stderr io.Writer) int {
	cfg, quiet, err := parseProbe(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "radsec-gw probe: %v\n", err)
		return 2
	}
	if quiet {
		stdout = io.Discard
	}
	if _, err := probe.Run(context.Background(), *cfg, stdout); err != nil {
		fmt.Fprintf(stderr, "radsec-gw probe: %v\n", err)
		var usage *probe.ConfigError
		if errors.As(err, &usage) {
			return 2
		}
		return 1
	}
	return 0
}

// parseProbe reads the command line, and the files of the secret and the password.
func parseProbe(args []string, stderr io.Writer) (cfg *probe.Config, quiet bool, err error) {
	cfg, from := &probe.Config{}, &probeFiles{}
	flags := probeFlags(cfg, from, &quiet, stderr)

	// The kind is given before or after the flags.
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		cfg.Kind, args = probe.Kind(args[0]), args[1:]
	}
	if err := flags.Parse(args); err != nil {
		return nil, false, err
	}
	if cfg.Kind == "" && flags.NArg() == 1 {
		cfg.Kind = probe.Kind(flags.Arg(0))
	} else if flags.NArg() > 0 {
		return nil, false, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	cfg.CAFile = cmp.Or(cfg.CAFile, filepath.Join(from.dir, "ca.pem"))
	cfg.CertFile = cmp.Or(cfg.CertFile, filepath.Join(from.dir, "client.pem"))
	cfg.KeyFile = cmp.Or(cfg.KeyFile, filepath.Join(from.dir, "client.key"))
	if err := readIfGiven(from.secret, &cfg.Secret); err != nil {
		return nil, false, err
	}
	if cfg.Secret == "" {
		return nil, false, errors.New("-secret is empty: the RadSec leg's secret is \"radsec\" unless both sides agreed on another (RFC 6614 §2.3)")
	}
	return cfg, quiet, readIfGiven(from.password, &cfg.Password)
}

// probeFiles are the files and the directory that other options are read from.
type probeFiles struct{ dir, secret, password string }

// probeFlags returns the flags of the probe, which write into cfg, from and quiet.
func probeFlags(cfg *probe.Config, from *probeFiles, quiet *bool, stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet("radsec-gw probe", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "Usage: radsec-gw probe status|access|accounting|coa|disconnect [flags]")
		fmt.Fprintln(stderr, "\nSends one request to a RadSec server. The exit status is 0 for a verified positive answer,")
		fmt.Fprintln(stderr, "1 for any other or none, 2 for a usage error.\n\nFlags:")
		flags.PrintDefaults()
	}
	flags.StringVar(&cfg.Address, "address", "127.0.0.1:2083", "`host:port` of the RadSec server")
	flags.StringVar(&from.dir, "certs", filepath.Join("certs", "dev"), "`directory` with ca.pem, client.pem and client.key, where the next three do not say otherwise")
	flags.StringVar(&cfg.CertFile, "cert", "", "client certificate, PEM `file`")
	flags.StringVar(&cfg.KeyFile, "key", "", "its private key, PEM `file`")
	flags.StringVar(&cfg.CAFile, "ca", "", "CA that the server's certificate must come from, PEM `file`")
	flags.StringVar(&cfg.ServerName, "server-name", "", "`name` that the server's certificate must hold (default: the host of -address)")
	flags.StringVar(&cfg.Secret, "secret", "radsec", "shared secret of the RadSec leg (RFC 6614 §2.3)")
	flags.StringVar(&from.secret, "secret-file", "", "`file` that holds the shared secret")
	flags.StringVar(&cfg.User, "user", "", "User-Name")
	flags.StringVar(&cfg.Password, "password", "", "password (access)")
	flags.StringVar(&from.password, "password-file", "", "`file` that holds the password")
	flags.BoolVar(&cfg.CHAP, "chap", false, "CHAP instead of PAP; the Request Authenticator is the challenge")
	flags.BoolVar(&cfg.CHAPChallenge, "chap-challenge", false, "CHAP with a CHAP-Challenge attribute")
	flags.StringVar(&cfg.StatusType, "status-type", "start", "Acct-Status-Type: start, interim, stop, on, off")
	flags.StringVar(&cfg.SessionID, "session-id", "", "Acct-Session-Id (default in accounting: a random one)")
	flags.BoolVar(&cfg.NoMessageAuthenticator, "no-message-authenticator", false, "send no Message-Authenticator (accounting never has one)")
	flags.StringVar(&cfg.Version, "radius-version", "both", "`version` of RADIUS to offer by ALPN (RFC 9765): 1.0, 1.1, both, or none to use no ALPN")
	flags.DurationVar(&cfg.Timeout, "timeout", 10*time.Second, "for connecting, and again for the answer")
	flags.BoolVar(quiet, "quiet", false, "print nothing but failures")
	flags.Func("attr", "further attribute, `Name=value`, repeatable: Calling-Station-Id=02-00-00-00-00-01, Framed-IP-Address=192.0.2.1, Class=0x0102, 26=0x…", func(s string) error {
		cfg.Attributes = append(cfg.Attributes, s)
		return nil
	})
	return flags
}

// readIfGiven replaces value by the contents of the file, without the newline that editors end it with.
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
