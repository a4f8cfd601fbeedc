// Package peers starts the programs that are measured, with configurations made for them.
package peers

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"radsec-gw/bench/material"
	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
)

// Setup is the surroundings of one measured program.
type Setup struct {
	Dir     string // for its configuration and log
	Files   material.Files
	Bench   string // path of this command
	Gateway string // path of radsec-gw, of the build to be started

	Listen     string // where the program is to listen for RadSec
	Auth, Acct int    // ports of the answering server, 127.0.0.1
	Secret     string // shared with the answering server
	ListenKeys string // further lines of [listen]
	Many       bool   // 1,000 clients, 1,000 servers and 10,000 routes instead of one each
	Rules      bool   // ten attribute rules for every request
	DTLS       bool   // RADIUS/DTLS at Listen, too, and the secrets that the RFCs give
	Sources    bool   // 1,000 clients, each with a source address of its own; load connects as 200 of them
}

// Sizes of the configuration when Setup.Many is set.
const (
	manyClients = 1000
	manyServers = 1000
	manyRoutes  = 10000
)

// Subject is a program that can be measured.
type Subject string

// The programs. FloorSecret is what the floor's answering server must use,
// because the floor does not sign again.
const (
	Gateway     Subject = "radsec-gw"
	Before      Subject = "before" // another build of radsec-gw
	Radsecproxy Subject = "radsecproxy"
	Floor       Subject = "floor"

	FloorSecret = "radsec"
)

// Installed says what to do when the program is not there.
func (s Subject) Installed() error {
	if s != Radsecproxy {
		return nil
	}
	if _, err := exec.LookPath("radsecproxy"); err != nil {
		return fmt.Errorf("radsecproxy is not installed; on Debian: apt-get install radsecproxy (or omit it with -subjects)")
	}
	return nil
}

// Start configures and starts the program; it may not be listening yet.
func (s Subject) Start(set Setup) (*process.Process, error) {
	switch s {
	case Floor:
		return start(set.Dir, set.Bench, "floor", "-listen", set.Listen, "-auth", local(set.Auth), "-acct", local(set.Acct), "-certs", filepath.Dir(set.Files.CA))
	case Radsecproxy:
		file := filepath.Join(set.Dir, "radsecproxy.conf")
		if err := os.WriteFile(file, []byte(set.radsecproxy()), 0o600); err != nil {
			return nil, err
		}
		return start(set.Dir, "radsecproxy", "-f", "-c", file)
	case Gateway, Before:
		text, err := set.gateway()
		if err != nil {
			return nil, err
		}
		file := filepath.Join(set.Dir, "radsec-gw.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, err
		}
		return start(set.Dir, set.Gateway, "serve", "-config", file)
	}
	return nil, fmt.Errorf("subject %q: expected %s, %s, %s or %s", s, Gateway, Before, Radsecproxy, Floor)
}

// start runs a program in dir.
func start(dir, program string, args ...string) (*process.Process, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	return process.Start(cmd)
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// Listening reports whether a program accepts connections at a TCP address.
func Listening(address string) bool {
	c, err := net.DialTimeout("tcp4", address, time.Second)
	return err == nil && c.Close() == nil
}

// ListeningUDP reports whether a program has a UDP socket at an IPv4 address. It sends nothing, because
// a program may take that for a client, and asks the kernel (/proc/net/udp).
func ListeningUDP(address string) bool {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !a.Addr().Is4() {
		return false
	}
	table, err := os.ReadFile("/proc/net/udp")
	ip := a.Addr().As4()
	return err == nil && strings.Contains(string(table), fmt.Sprintf(": %08X:%04X ", binary.NativeEndian.Uint32(ip[:]), a.Port()))
}

// gateway is the configuration of radsec-gw: defaults, but for limits that the
// measurement would run into.
func (set Setup) gateway() (string, error) {
	metrics, err := ports.Address()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, `[listen]
address         = [%q]
certificate     = %q
private_key     = %q
client_ca       = %q
max_connections = 20000
%s
[metrics]
address = %q

`, set.Listen, set.Files.ServerCert, set.Files.ServerKey, set.Files.CA, set.ListenKeys, metrics)
	if set.Many {
		for i := range manyClients - 1 {
			fmt.Fprintf(&b, "[[client]]\nname = \"client-%d\"\nnetworks = [\"10.%d.%d.0/24\"]\nsecret = \"radsec\"\n\n", i, i/256, i%256)
		}
	}
	if set.Sources {
		for i := range manyClients {
			network := fmt.Sprintf("10.%d.%d.0/24", i/256, i%256)
			if i < 200 {
				network = fmt.Sprintf("127.0.1.%d", 1+i) // where bench/load connects from
			}
			fmt.Fprintf(&b, "[[client]]\nname = \"client-%d\"\nnetworks = [%q]\nsecret = \"radsec\"\nmax_connections = 20000\nsource = \"127.64.%d.%d\"\n\n", i, network, i/250, 1+i%250)
		}
	}
	b.WriteString("[[client]]\nname = \"bench\"\nnetworks = [\"127.0.0.0/8\"]\nmax_connections = 20000\n")
	if set.DTLS {
		b.WriteString("transports = [\"tls\", \"dtls\"]\n")
	} else {
		b.WriteString("secret = \"radsec\"\n")
	}
	if set.Rules {
		b.WriteString(tenRules)
	}
	b.WriteString("\n")
	if set.DTLS {
		fmt.Fprintf(&b, "[[listener]]\nname = \"dtls\"\ntransport = \"dtls\"\naddress = [%q]\n\n", set.Listen)
	}
	fmt.Fprintf(&b, "[[server]]\nname = \"answer\"\naddress = \"127.0.0.1\"\nauth_port = %d\nacct_port = %d\ncoa_port = 0\nsecret = %q\n\n", set.Auth, set.Acct, set.Secret)
	if set.Many {
		for i := range manyServers - 1 {
			fmt.Fprintf(&b, "[[server]]\nname = \"server-%d\"\naddress = \"127.1.%d.%d\"\nsecret = \"some-secret-of-server-%d\"\nhealth = \"none\"\n\n", i, i/256, i%256, i)
		}
		for i := range manyRoutes - 1 {
			fmt.Fprintf(&b, "[[route]]\nrealms = [\"realm-%d.example\"]\npackets = [\"access\", \"accounting\"]\nservers = [\"server-%d\"]\n\n", i, i%(manyServers-1))
		}
		b.WriteString("[[route]]\nrealms = [\"bench.example\"]\n")
	} else {
		b.WriteString("[[route]]\nrealms = [\"*\"]\n")
	}
	b.WriteString("packets = [\"access\", \"accounting\"]\nservers = [\"answer\"]\n")
	return b.String(), nil
}

// tenRules are the attribute rules of Setup.Rules, such as an operator may have; they end the
// table of the client.
const tenRules = `rules_request = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]

[[rule]]
name = "1"
remove = ["Operator-Name"]

[[rule]]
name = "2"
remove = ["9:*"]

[[rule]]
name = "3"
remove = ["Filter-Id"]

[[rule]]
name = "4"
set = { Operator-Name = "1campus.example" }

[[rule]]
name = "5"
set = { NAS-Identifier = "{client.name}" }

[[rule]]
name = "6"
default = { NAS-Port-Type = "Wireless-802.11" }

[[rule]]
name = "7"
default = { Service-Type = "Framed-User" }

[[rule]]
name = "8"
add = { Cisco-AVPair = "client={client.name}" }

[[rule]]
name = "9"
reject = [{ attribute = "User-Name", pattern = '@$' }]

[[rule]]
name = "10"
replace = [{ attribute = "User-Name", pattern = '^(.*)@other\.example$', with = "$1@bench.example" }]
`

// radsecproxy is its configuration: defaults (LogLevel 2 is one) and what is needed.
func (set Setup) radsecproxy() string {
	var b strings.Builder
	fmt.Fprintf(&b, `ListenTLS %s
LogLevel 2
tls default {
	CACertificateFile %s
	CertificateFile %s
	CertificateKeyFile %s
}
`, set.Listen, set.Files.CA, set.Files.ServerCert, set.Files.ServerKey)
	if set.Many {
		for i := range manyClients - 1 {
			fmt.Fprintf(&b, "client client-%d {\n\ttype tls\n\thost 10.%d.%d.0/24\n\tsecret radsec\n\ttls default\n\tCertificateNameCheck off\n}\n", i, i/256, i%256)
		}
	}
	b.WriteString("client bench {\n\ttype tls\n\thost 127.0.0.0/8\n\tsecret radsec\n\ttls default\n\tCertificateNameCheck off\n}\n")
	if set.DTLS {
		fmt.Fprintf(&b, "ListenDTLS %s\nclient bench-dtls {\n\ttype dtls\n\thost 127.0.0.0/8\n\tsecret radius/dtls\n\ttls default\n\tCertificateNameCheck off\n}\n", set.Listen)
	}
	server := func(name, host string, port int, secret string) {
		fmt.Fprintf(&b, "server %s {\n\ttype udp\n\thost %s\n\tport %d\n\tsecret %s\n}\n", name, host, port, secret)
	}
	server("auth", "127.0.0.1", set.Auth, set.Secret)
	server("acct", "127.0.0.1", set.Acct, set.Secret)
	if set.Many {
		for i := range manyServers - 1 {
			server(fmt.Sprintf("server-%d", i), fmt.Sprintf("127.1.%d.%d", i/256, i%256), 1812, fmt.Sprintf("some-secret-of-server-%d", i))
		}
		for i := range manyRoutes - 1 {
			fmt.Fprintf(&b, "realm realm-%d.example {\n\tserver server-%d\n}\n", i, i%(manyServers-1))
		}
		b.WriteString("realm bench.example {\n\tserver auth\n\taccountingServer acct\n}\n")
	} else {
		b.WriteString("realm * {\n\tserver auth\n\taccountingServer acct\n}\n")
	}
	return b.String()
}
