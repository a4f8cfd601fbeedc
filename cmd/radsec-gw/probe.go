package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"radsec-gw/certs"
	"radsec-gw/cli"
	"radsec-gw/files"
	"radsec-gw/probe"
)

// probeFlags are the flags of radsec-gw probe: the request, and the files and the directory
// that other options are read from.
type probeFlags struct {
	probe.Config
	dir, secretFile, passwordFile, pskFile string
	quiet                                  bool

	udp            bool
	given          []string // names of the flags on the command line
	server, config string

	listen listenFlags
}

// probeCommand describes radsec-gw probe.
func probeCommand(p *cli.Program) *cli.Command {
	c := cli.New("probe", "send one request as a RadSec client, or to a RADIUS server, and verify the reply")
	c.Args, c.MaxArgs = "status|access|accounting|coa|disconnect", 1
	c.Words = []string{"status", "access", "accounting", "coa", "disconnect"}
	c.Details = `Prints the request and the attributes of the reply by name, and says for each authenticator whether it verified. Secrets are not printed.

With -server it sends over UDP to a [[server]] of the configuration, with its address, port, secret and source, and sends it again as the gateway does. If nothing comes back it says which address the server must know as a client. -udp does the same for any RADIUS server, given by -address and -secret.

With -listen it plays the NAS: after a verified positive answer it stays connected, prints the CoA-Requests and Disconnect-Requests that the gateway sends on the connection, verifies and answers them. -attr gives the names that the gateway finds the NAS by, such as NAS-Identifier and Acct-Session-Id.`
	c.Exit = []cli.Entry{{Name: "0", Text: "A verified positive answer. With -listen also: every request verified, none arrived twice, and as many arrived as -count says."}, {Name: "1", Text: "Any other answer, or none. With -listen also: the gateway closed the connection."}, {Name: "2", Text: "Usage error."}}
	c.Examples = []cli.Example{
		{Text: "Is the gateway alive?", Line: "radsec-gw probe status"},
		{Text: "A login, with the password in a file", Line: "radsec-gw probe access -user bob -password-file password.txt"},
		{Text: "Over DTLS, with a pre-shared key in a file", Line: "radsec-gw probe -dtls -psk-identity ap17 -psk-file ap17.psk status"},
		{Text: "From an access point, with its address", Line: "radsec-gw probe access -user bob -password hello -chap -attr Calling-Station-Id=02-00-00-00-00-01 -attr NAS-Port-Type=19"},
		{Text: "Does the server behind the gateway answer?", Line: "radsec-gw probe -server radius-a access -user bob -password hello"},
		{Text: "The end of a session", Line: "radsec-gw probe accounting -status-type stop -user bob -session-id 5f3a"},
		{Text: "A NAS that answers CoA and Disconnect for a minute", Line: "radsec-gw probe accounting -user bob -session-id 5f3a -attr NAS-Identifier=ap-17 -listen 1m"},
		{Text: "One that has no such session", Line: "radsec-gw probe access -user bob -password hello -listen 1m -answer nak -error-cause 503"},
	}
	var o probeFlags
	o.register(c)
	c.Run = func(args []string, stdout, stderr io.Writer) int {
		c.Flags.Visit(func(f *flag.Flag) { o.given = append(o.given, f.Name) })
		o.Kind = probe.Kind(append(args, "")[0])
		if err := o.complete(); err != nil {
			return p.Misused(c, stderr, err)
		}
		if o.quiet {
			stdout = io.Discard
		}
		err := o.run(stdout)
		switch {
		case errors.As(err, new(*probe.ConfigError)):
			return p.Misused(c, stderr, err)
		case err != nil:
			fmt.Fprintf(stderr, "radsec-gw probe: %v\n", err)
			return 1
		}
		return 0
	}
	return c
}

// run sends the request over RadSec or UDP.
func (o *probeFlags) run(stdout io.Writer) error {
	if o.listen.duration > 0 {
		return o.runListen(stdout)
	}
	if !o.udp && o.server == "" {
		_, err := probe.Run(context.Background(), o.Config, stdout)
		return err
	}
	cfg, to := o.Config, probe.UDP{Address: o.Address}
	if o.server != "" {
		ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(o.Timeout, probe.UDPTimeout))
		defer cancel()
		var err error
		if cfg.Secret, to, err = probedServer(ctx, o.config, o.server, o.Kind); err != nil {
			return err
		}
	}
	_, err := probe.RunUDP(context.Background(), cfg, to, stdout)
	return err
}

// register adds the flags to the command.
func (o *probeFlags) register(c *cli.Command) {
	c.Flags.StringVar(&o.Address, "address", "127.0.0.1:2083", "`HOST:PORT` of the RadSec server")
	c.Flags.StringVar(&o.dir, "certs", filepath.Join("certs", "dev"), "`DIRECTORY` with ca.pem, client.pem and client.key, where -ca, -cert and -key name no others")
	c.Flags.StringVar(&o.CertFile, "cert", "", "client certificate, PEM `FILE`")
	c.Flags.StringVar(&o.KeyFile, "key", "", "private key of -cert, PEM `FILE`")
	c.Flags.StringVar(&o.CAFile, "ca", "", "CA that must have issued the server's certificate, PEM `FILE`")
	c.Flags.StringVar(&o.ServerName, "server-name", "", "`NAME` that the server's certificate must hold (default: the host of -address)")
	c.Flags.StringVar(&o.Secret, "secret", "radsec", "shared `SECRET` of the RadSec side (RFC 6614 §2.3; with -dtls the default is radius/dtls), or with -udp that of the server")
	c.Flags.StringVar(&o.secretFile, "secret-file", "", "`FILE` that holds the shared secret")
	c.Flags.StringVar(&o.User, "user", "", "the `NAME` for User-Name")
	c.Flags.StringVar(&o.Password, "password", "", "the `PASSWORD` (access)")
	c.Flags.StringVar(&o.passwordFile, "password-file", "", "`FILE` that holds the password")
	c.Flags.BoolVar(&o.CHAP, "chap", false, "CHAP instead of PAP; the Request Authenticator is the challenge")
	c.Flags.BoolVar(&o.CHAPChallenge, "chap-challenge", false, "CHAP with a CHAP-Challenge attribute")
	c.Flags.StringVar(&o.StatusType, "status-type", "start", "the `TYPE` for Acct-Status-Type: start, interim, stop, on, off")
	c.Flags.StringVar(&o.SessionID, "session-id", "", "the `ID` for Acct-Session-Id (default in accounting: a random one)")
	c.Flags.BoolVar(&o.NoMessageAuthenticator, "no-message-authenticator", false, "send no Message-Authenticator (accounting never has one)")
	c.Flags.StringVar(&o.Version, "radius-version", "both", "`VERSION` of RADIUS to offer by ALPN (RFC 9765): 1.0, 1.1, both, or none to use no ALPN")
	c.Flags.DurationVar(&o.Timeout, "timeout", 0, "`DURATION` to wait for the answer (default 35s, longer than the gateway waits for its servers; 30s over UDP)")
	c.Flags.StringVar(&o.server, "server", "", "send over UDP to the [[server]] with this `NAME`, or to one address of it, NAME@ADDRESS")
	c.Flags.StringVar(&o.config, "config", "", "the configuration `FILE` of -server (default: as for serve)")
	c.Flags.BoolVar(&o.DTLS, "dtls", false, "RADIUS/DTLS over UDP (RFC 7360) instead of RADIUS/TLS over TCP; the secret is radius/dtls by default")
	c.Flags.StringVar(&o.PSKIdentity, "psk-identity", "", "with -dtls, the `IDENTITY` of a pre-shared key (RFC 9813), instead of certificates")
	c.Flags.StringVar(&o.PSK, "psk", "", "the `KEY` of -psk-identity: at least 16 bytes as they are, or in hexadecimal form after hex:")
	c.Flags.StringVar(&o.pskFile, "psk-file", "", "`FILE` that holds the pre-shared key")
	c.Flags.BoolVar(&o.udp, "udp", false, "send over UDP to the RADIUS server at -address, with -secret")
	c.Flags.BoolVar(&o.quiet, "quiet", false, "print nothing but failures")
	c.Flags.Func("attr", "further attribute, `NAME=VALUE`, repeatable: Calling-Station-Id=02-00-00-00-00-01, Framed-IP-Address=192.0.2.1, Class=0x0102, 26=0x…", func(s string) error {
		o.Attributes = append(o.Attributes, s)
		return nil
	})
	o.listen.register(c)
	c.Values["status-type"] = []string{"start", "interim", "stop", "on", "off"}
	c.Values["radius-version"] = []string{"1.0", "1.1", "both", "none"}
}

// complete reads the files of the secret and the password, and names those of the
// certificates.
func (o *probeFlags) complete() error {
	has := func(name string) bool { return slices.Contains(o.given, name) }
	switch {
	case has("timeout") && o.Timeout <= 0:
		return fmt.Errorf("-timeout: expected a duration above 0, such as 35s, got %v", o.Timeout)
	case o.config != "" && o.server == "":
		return errors.New("-config goes with -server only")
	case o.DTLS && (o.udp || o.server != ""):
		return errors.New("-dtls does not go with -udp and -server, which send plain RADIUS")
	case o.DTLS && o.Version == "1.1":
		return errors.New("-dtls does not go with -radius-version 1.1, which needs TLS 1.3 (RFC 9765 §3.4)")
	case o.udp && o.server != "":
		return errors.New("expected -udp or -server, got both")
	case o.server != "" && (has("address") || has("secret") || has("secret-file")):
		return errors.New("-server takes address and secret from the configuration: -address, -secret and -secret-file do not go with it")
	case o.udp && (!has("address") || !has("secret") && !has("secret-file")):
		return errors.New("-udp needs -address, and -secret or -secret-file: their defaults are those of RadSec")
	}
	if err := o.listen.check(o); err != nil {
		return err
	}
	if o.DTLS && !has("secret") && !has("secret-file") {
		o.Secret = probe.SecretDTLS
	}
	o.CAFile = cmp.Or(o.CAFile, filepath.Join(o.dir, "ca.pem"))
	o.CertFile = cmp.Or(o.CertFile, filepath.Join(o.dir, "client.pem"))
	o.KeyFile = cmp.Or(o.KeyFile, filepath.Join(o.dir, "client.key"))
	if err := readIfGiven(o.secretFile, &o.Secret); err != nil {
		return err
	}
	if err := o.completePSK(); err != nil {
		return err
	}
	switch {
	case o.Secret == "" && o.udp:
		return errors.New("expected the secret that is shared with the server at -address, got an empty one")
	case o.Secret == "":
		return errors.New("-secret is empty: the secret of the RadSec side is \"radsec\" unless both sides agreed on another (RFC 6614 §2.3)")
	}
	return readIfGiven(o.passwordFile, &o.Password)
}

// completePSK reads the pre-shared key.
func (o *probeFlags) completePSK() (err error) {
	given := o.PSK != "" || o.pskFile != ""
	switch {
	case o.PSKIdentity == "" && !given:
		return nil
	case o.PSKIdentity == "":
		return errors.New("-psk and -psk-file go with -psk-identity only")
	case !o.DTLS:
		return errors.New("-psk-identity goes with -dtls only: over TLS a pre-shared key is not supported")
	case slices.ContainsFunc(o.given, func(name string) bool {
		return slices.Contains([]string{"cert", "key", "ca", "certs", "server-name"}, name)
	}):
		return errors.New("-psk-identity does not go with -cert, -key, -ca, -certs and -server-name: with a pre-shared key there are no certificates")
	case !given || o.PSK != "" && o.pskFile != "":
		return errors.New("-psk-identity: expected either -psk or -psk-file beside it")
	}
	if err := certs.CheckPSKIdentity(o.PSKIdentity); err != nil {
		return fmt.Errorf("-psk-identity: %w", err)
	}
	if err := readIfGiven(o.pskFile, &o.PSK); err != nil {
		return err
	}
	if o.PSK, err = certs.ParsePSK(o.PSK); err != nil {
		return fmt.Errorf("-psk: %w", err)
	}
	return nil
}

// maxSecretFile is the largest file with a secret or a password, in bytes.
const maxSecretFile = 4096

// readIfGiven replaces value by the contents of the file, without the newline that editors end it with.
func readIfGiven(file string, value *string) error {
	if file == "" {
		return nil
	}
	b, err := files.NewReader().Snapshot(context.Background()).ReadStream(file, maxSecretFile)
	if err != nil {
		return err
	}
	*value = strings.TrimRight(string(b), "\r\n")
	return nil
}
