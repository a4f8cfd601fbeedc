package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"radsec-gw/certs"
	"radsec-gw/cli"
	"radsec-gw/config"
	"radsec-gw/gateway"
	"radsec-gw/gateway/explain"
)

// checkFlags are the flags of radsec-gw check.
type checkFlags struct {
	packet, request, client, server, certificate string
	clients, presets                             bool
}

// checkCommand describes radsec-gw check.
func checkCommand(p *cli.Program) *cli.Command {
	c := cli.New("check", "read the configuration as serve does, and print what it means")
	c.Args, c.MaxArgs, c.ArgFiles = "[CERTIFICATE...]", cli.Many, true
	c.Details = `Prints every mistake in the configuration and in the files that it names, with its line and what was expected. Without any, prints what follows from the file: addresses, certificates, clients, which server gets a request and when it is resent, moved and given up, which rules change its attributes; then warnings of what is likely a mistake. It changes nothing, and sends nothing but questions to name servers.

With -packet it prints what the attribute rules make of one packet, attribute by attribute. With -clients it prints which local address the requests of each client are sent from, and for certificates which client each is, and its address.

Run as root, it also says what the service's user cannot read.`
	c.Exit = []cli.Entry{{Name: "0", Text: "serve would start, warnings or not."}, {Name: "1", Text: "There are mistakes; or two certificates have the same source address."}, {Name: "2", Text: "Usage error."}}
	c.Examples = []cli.Example{
		{Text: "The configuration in the current directory, or that of the system", Line: "radsec-gw check"},
		{Text: "Another one, before it is put in place", Line: "radsec-gw check -config new.toml"},
		{Text: "What the rules make of a request, whose octets are in a file", Line: "radsec-gw check -packet request.hex -client campus"},
		{Text: "Which source address each access point has", Line: "radsec-gw check -clients certificates/*.pem"},
	}
	path := configFlag(c)
	var o checkFlags
	c.Flags.StringVar(&o.packet, "packet", "", "print what the attribute rules make of the packet in this `FILE`: octets, or hexadecimal digits")
	c.Flags.StringVar(&o.request, "request", "", "the request that the packet answers, where that is a reply, in a `FILE`")
	c.Flags.StringVar(&o.client, "client", "", "the client that the packet comes from or goes to, by its `NAME`")
	c.Flags.StringVar(&o.server, "server", "", "only this server of its route, by its `NAME`")
	c.Flags.StringVar(&o.certificate, "certificate", "", "the certificate of the client, in a `FILE`")
	c.Flags.BoolVar(&o.clients, "clients", false, "print the source address of each client, and of certificates")
	c.Flags.BoolVar(&o.presets, "presets", false, "print the presets of attribute rules")
	c.Run = func(files []string, stdout, stderr io.Writer) int {
		if err := o.wrong(files); err != nil {
			return p.Misused(c, stderr, err)
		}
		return check(*path, &o, files, stdout, stderr)
	}
	return c
}

// wrong returns what is wrong with the flags and arguments together.
func (o *checkFlags) wrong(files []string) error {
	switch {
	case len(files) > 0 && !o.clients:
		return fmt.Errorf("unexpected argument %q", files[0])
	case o.packet == "" && (o.request != "" || o.client != "" || o.server != "" || o.certificate != ""):
		return errors.New("-request, -client, -server and -certificate go with -packet")
	case o.packet != "" && o.clients, o.packet != "" && o.presets, o.clients && o.presets:
		return errors.New("expected one of -packet, -clients and -presets")
	}
	return nil
}

// check reads the configuration as serve does. It prints every mistake and returns 1, or
// prints what the configuration means.
func check(given string, o *checkFlags, files []string, stdout, stderr io.Writer) int {
	if o.presets {
		explain.Presets(stdout)
		return 0
	}
	path, err := configPath(given)
	if err != nil {
		fmt.Fprintf(stderr, "radsec-gw check: %v\n", err)
		return exitFailed
	}
	p, err := gateway.Load(context.Background(), path)
	switch {
	case err != nil:
		return printMistakes(stderr, err)
	case o.packet != "":
		err = checkPacket(p, o, stdout)
	case o.clients:
		err = checkClients(p, files, stdout)
	default:
		explain.Report(stdout, p)
	}
	if err != nil {
		fmt.Fprintf(stderr, "radsec-gw check: %v\n", err)
		return exitFailed
	}
	return 0
}

// checkPacket prints what the attribute rules make of a packet.
func checkPacket(p *gateway.Plan, o *checkFlags, stdout io.Writer) (err error) {
	x := explain.PacketOptions{Client: o.client, Server: o.server}
	if x.Packet, err = readPacket(o.packet); err != nil {
		return err
	}
	if o.request != "" {
		if x.Request, err = readPacket(o.request); err != nil {
			return err
		}
	}
	if o.certificate != "" {
		chain, err := certs.LoadCertificates(o.certificate)
		if err != nil {
			return err
		}
		x.Certificate = chain[0]
	}
	return explain.Packet(stdout, p, x)
}

// readPacket reads a file with a packet; "-" is the standard input.
func readPacket(name string) ([]byte, error) {
	file := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		file = f
	}
	b, err := io.ReadAll(io.LimitReader(file, explain.MaxPacketFile+1))
	if err == nil && len(b) > explain.MaxPacketFile {
		err = fmt.Errorf("%s: expected one RADIUS packet, got more than %d bytes", name, explain.MaxPacketFile)
	}
	return b, err
}

// checkClients prints the source addresses of clients and of the certificates in files.
func checkClients(p *gateway.Plan, files []string, stdout io.Writer) error {
	var list []explain.ClientCertificate
	for _, name := range files {
		chain, err := certs.LoadCertificates(name)
		if err != nil {
			return err
		}
		list = append(list, explain.ClientCertificate{File: name, Chain: chain})
	}
	return explain.Sources(stdout, p, list)
}

// printMistakes prints a mistake per line, and how many there are. It returns the exit
// status.
func printMistakes(w io.Writer, err error) int {
	fmt.Fprintln(w, err)
	var ms config.Mistakes
	if errors.As(err, &ms) {
		plural := "s"
		if len(ms) == 1 {
			plural = ""
		}
		fmt.Fprintf(w, "%d mistake%s\n", len(ms), plural)
	}
	return exitFailed
}
